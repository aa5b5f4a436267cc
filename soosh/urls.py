from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

from bookings.webhooks import DailyWebhook
from core.views import healthz, media, readyz
from notifications.webhooks import SendGridEvents, TwilioInbound, TwilioStatus
from payments.webhooks import StripeWebhook
from soosh.views import InAppPage, ProblemPage, SchemaView

_V1: list[Any] = [
    path("", include("accounts.api.v1.urls")),
    path("", include("notifications.api.v1.urls")),
    path("", include("profiling.api.v1.urls")),
    path("", include("catalog.api.v1.urls")),
    path("", include("payments.api.v1.urls")),
    path("payments/webhooks/stripe", StripeWebhook.as_view(), name="stripe-webhook"),
    path("", include("mentors.api.v1.urls")),
    path("", include("bookings.api.v1.urls")),
    path("bookings/webhooks/daily", DailyWebhook.as_view(), name="daily-webhook"),
]

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    # Before the pages: they have no prefix of their own, and each request of the app would be compared with all of them.
    path("api/v1/", include(_V1)),
    path("", include("accounts.web.urls")),
    path("", include("notifications.web.urls")),
    path("", include("mentors.web.urls")),
    path("", include("payments.web.urls")),
    path("", include("catalog.web.urls")),
    path("", include("bookings.web.urls")),
    path("", include("soosh.web.urls")),
    # Where the app takes over on a phone that has it.
    path("saved-searches/<uuid:key>", InAppPage.as_view(), name="in-app-search"),
    path("account/security", InAppPage.as_view(), name="in-app-security"),
    path("settings/notifications", InAppPage.as_view(), name="in-app-settings"),
    path("payments", InAppPage.as_view(), name="in-app-payments"),
    # What has a page is shown there to who does not have the app.
    path("mentoring", RedirectView.as_view(pattern_name="dashboard")),
    path("earnings", RedirectView.as_view(pattern_name="earnings-page")),
    path("reviews", RedirectView.as_view(pattern_name="reviews-page")),
    path("news", InAppPage.as_view(), name="in-app-news"),
    path("webhooks/sendgrid", SendGridEvents.as_view(), name="sendgrid-events"),
    path("webhooks/twilio/status", TwilioStatus.as_view(), name="twilio-status"),
    path("webhooks/twilio/inbound", TwilioInbound.as_view(), name="twilio-inbound"),
    path("media/<path:path>", media, name="media"),
    path("api/schema", SchemaView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("api/redoc", SpectacularRedocView.as_view(url_name="schema"), name="redoc"),
    path("api/problems/<slug:code>", ProblemPage.as_view(), name="problem"),
    path("admin/", admin.site.urls),
]

handler400 = "core.problems.bad_request_view"
handler403 = "core.problems.forbidden_view"
handler404 = "core.problems.not_found_view"
handler500 = "core.problems.server_error_view"
