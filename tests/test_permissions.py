"""Who may call what: every route of the URL resolver by method and actor. A route without a row fails."""

from __future__ import annotations

import dataclasses
import re
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db.models import Q
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.models import Block, Device, Guardianship, User
from bookings.models import Appeal, AppealEvidence, Booking, Series, Session, WaitlistEntry
from bookings.services.booking import book_session
from bookings.services.groups import announce_session
from bookings.services.series import book_series
from catalog.models import Category, Opportunity, Organisation, OrganisationMember, SavedSearch, Skill
from conftest import Api, new_user
from mentors.enums import CalendarKind, CheckKind
from mentors.models import MentorProfile, OccupiedTime, Offer, OutsideCalendar, Review
from mentors.services.calendars import add_calendar
from mentors.services.expanding import Hours
from mentors.services.links import rotate_link
from mentors.services.occupying import block_time
from mentors.services.reviews import grant_reviews, write_review
from mentors.services.schedules import Availability, WeeklyRule, set_availability
from mentors.services.verification import request_check
from notifications.models import Notification, Phone, PushDevice
from payments.models import Payment
from profiling.models import Claim, Recording, Suggestion
from profiling.services.interview import start_interview

pytestmark = pytest.mark.django_db

ACTORS = ("nobody", "stranger", "owner", "staff")
SAFE = frozenset({"HEAD", "OPTIONS"})

# (route, method): the status for nobody, a stranger, the owner of the thing, and staff, on a valid or an empty body.
MATRIX: dict[tuple[str, str], tuple[int, int, int, int]] = {
    ("auth/register", "POST"): (400, 400, 400, 400),
    ("auth/verify-email", "POST"): (400, 400, 400, 400),
    ("auth/login", "POST"): (400, 400, 400, 400),
    ("auth/refresh", "POST"): (400, 400, 400, 400),
    ("auth/logout", "POST"): (400, 400, 400, 400),
    ("auth/verify-email/resend", "POST"): (400, 400, 400, 400),
    ("auth/login/second-factor", "POST"): (400, 400, 400, 400),
    ("auth/login/code", "POST"): (400, 400, 400, 400),
    ("auth/login/code/confirm", "POST"): (400, 400, 400, 400),
    ("auth/login/passkey", "GET"): (200, 200, 200, 200),
    ("auth/login/passkey", "POST"): (400, 400, 400, 400),
    ("auth/social", "GET"): (401, 200, 200, 200),
    ("auth/social/<slug:provider>", "POST"): (400, 400, 400, 400),
    ("auth/social/<slug:provider>/link", "POST"): (401, 400, 400, 400),
    ("auth/social/<slug:provider>/link", "DELETE"): (401, 404, 404, 404),
    ("auth/password/reset", "POST"): (400, 400, 400, 400),
    ("auth/password/reset/confirm", "POST"): (400, 400, 400, 400),
    ("auth/password/change", "POST"): (401, 400, 400, 400),
    ("auth/reauthenticate", "POST"): (401, 400, 400, 400),
    ("auth/undo-erasure", "POST"): (400, 400, 400, 400),
    ("auth/devices", "GET"): (401, 200, 200, 200),
    ("auth/devices", "DELETE"): (401, 204, 204, 204),
    ("auth/devices/<uuid:device_id>", "DELETE"): (401, 404, 204, 404),
    ("auth/security-log", "GET"): (401, 200, 200, 200),
    ("auth/factors", "GET"): (401, 200, 200, 200),
    ("auth/factors/totp", "POST"): (401, 200, 200, 200),
    ("auth/factors/totp", "DELETE"): (401, 409, 409, 409),
    ("auth/factors/totp/confirm", "POST"): (401, 400, 400, 400),
    ("auth/factors/recovery-codes", "POST"): (401, 409, 409, 409),
    ("auth/factors/passkeys", "GET"): (401, 200, 200, 200),
    ("auth/factors/passkeys", "POST"): (401, 400, 400, 400),
    ("auth/factors/passkeys/<int:passkey_id>", "DELETE"): (401, 404, 404, 404),
    ("users", "GET"): (401, 403, 403, 200),
    ("users", "POST"): (401, 403, 403, 400),
    ("users/me", "GET"): (401, 200, 200, 200),
    ("users/me", "PATCH"): (401, 200, 200, 200),
    ("users/me", "DELETE"): (401, 202, 202, 202),
    ("users/me/email", "POST"): (401, 400, 400, 400),
    ("users/me/avatar", "PUT"): (401, 415, 415, 415),
    ("users/me/avatar", "DELETE"): (401, 204, 204, 204),
    ("users/me/export", "GET"): (401, 202, 202, 202),
    ("users/me/consents", "GET"): (401, 200, 200, 200),
    ("users/me/consents", "POST"): (401, 400, 400, 400),
    ("users/me/guardians", "GET"): (401, 200, 200, 200),
    ("users/me/guardians", "POST"): (401, 400, 400, 400),
    ("users/me/guardians/<uuid:guardianship_id>", "DELETE"): (401, 404, 204, 404),
    ("users/me/wards", "GET"): (401, 200, 200, 200),
    ("users/me/wards", "POST"): (401, 400, 400, 400),
    ("users/me/wards/accept", "POST"): (401, 400, 400, 400),
    ("users/me/wards/<uuid:ward_id>/session", "POST"): (401, 404, 404, 404),
    ("users/me/wards/<uuid:ward_id>/guardians", "POST"): (401, 400, 400, 400),
    ("users/me/wards/<uuid:ward_id>/hand-over", "POST"): (401, 400, 400, 400),
    ("users/me/wards/<uuid:ward_id>/consents", "GET"): (401, 404, 200, 404),
    ("users/me/wards/<uuid:ward_id>/consents", "POST"): (401, 404, 400, 404),
    ("users/<uuid:user_id>", "GET"): (401, 404, 200, 200),
    ("users/<uuid:user_id>/account", "GET"): (401, 403, 403, 200),
    ("users/<uuid:user_id>/account", "PATCH"): (401, 403, 403, 200),
    ("users/<uuid:user_id>/account", "DELETE"): (401, 403, 403, 202),
    ("users/<uuid:user_id>/suspend", "POST"): (401, 403, 403, 400),
    ("users/<uuid:user_id>/reinstate", "POST"): (401, 403, 403, 409),
    ("blocks", "GET"): (401, 200, 200, 200),
    ("blocks", "POST"): (401, 400, 400, 400),
    ("blocks/<uuid:user_id>", "DELETE"): (401, 404, 204, 404),
    ("ai-profiling/start", "POST"): (401, 201, 201, 201),
    ("ai-profiling/submit-answer", "POST"): (401, 404, 200, 404),
    ("ai-profiling/complete", "POST"): (401, 404, 409, 404),
    ("ai-profiling/back", "POST"): (401, 404, 409, 404),
    ("ai-profiling/pause", "POST"): (401, 404, 200, 404),
    ("ai-profiling/interviews/<uuid:session_id>/questions/<int:step>/audio", "GET"): (401, 404, 200, 404),
    ("ai-profiling/recordings", "GET"): (401, 200, 200, 200),
    ("ai-profiling/recordings/<uuid:recording_id>", "GET"): (401, 404, 200, 404),
    ("ai-profiling/recordings/<uuid:recording_id>", "DELETE"): (401, 404, 204, 404),
    ("ai-profiling/suggestions", "GET"): (401, 200, 200, 200),
    ("ai-profiling/suggestions/<uuid:suggestion_id>", "PATCH"): (401, 404, 200, 404),
    ("ai-profiling/transcribe", "POST"): (401, 415, 415, 415),
    ("ai-profiling/speak", "POST"): (401, 400, 400, 400),
    ("ai-profiling/profile/inferred", "DELETE"): (401, 204, 204, 204),
    ("ai-profiling/profile", "GET"): (401, 200, 200, 200),
    ("ai-profiling/profile", "PATCH"): (401, 200, 200, 200),
    ("opportunities/recommended", "GET"): (401, 200, 200, 200),
    ("opportunities/<uuid:opportunity_id>/why-not", "GET"): (401, 404, 200, 200),
    ("categories", "GET"): (200, 200, 200, 200),
    ("categories/<slug:slug>", "GET"): (200, 200, 200, 200),
    ("skills", "GET"): (200, 200, 200, 200),
    ("skills/<uuid:skill_id>", "GET"): (200, 200, 200, 200),
    ("opportunities", "GET"): (200, 200, 200, 200),
    ("opportunities", "POST"): (401, 403, 400, 400),
    ("opportunities/mine", "GET"): (401, 200, 200, 200),
    ("opportunities/reviews", "GET"): (401, 403, 403, 200),
    ("opportunities/saved", "GET"): (401, 200, 200, 200),
    ("opportunities/dismissed", "GET"): (401, 200, 200, 200),
    ("opportunities/applied", "GET"): (401, 200, 200, 200),
    ("opportunities/search", "GET"): (200, 200, 200, 200),
    # The stranger and the owner have blocked each other, and the owner's organisation posted it for its own account.
    ("opportunities/<uuid:opportunity_id>", "GET"): (200, 404, 200, 200),
    ("opportunities/<uuid:opportunity_id>", "PATCH"): (401, 403, 200, 200),
    ("opportunities/<uuid:opportunity_id>", "DELETE"): (401, 403, 204, 409),
    ("opportunities/<uuid:opportunity_id>/submit", "POST"): (401, 404, 409, 409),
    ("opportunities/<uuid:opportunity_id>/pause", "POST"): (401, 404, 200, 409),
    ("opportunities/<uuid:opportunity_id>/resume", "POST"): (401, 404, 409, 409),
    ("opportunities/<uuid:opportunity_id>/confirm", "POST"): (401, 404, 200, 200),
    ("opportunities/<uuid:opportunity_id>/approve", "POST"): (401, 403, 403, 409),
    ("opportunities/<uuid:opportunity_id>/reject", "POST"): (401, 403, 403, 409),
    ("opportunities/<uuid:opportunity_id>/open", "POST"): (401, 404, 200, 200),
    ("opportunities/<uuid:opportunity_id>/save", "POST"): (401, 404, 200, 200),
    ("opportunities/<uuid:opportunity_id>/save", "DELETE"): (401, 404, 404, 404),
    ("opportunities/<uuid:opportunity_id>/dismiss", "POST"): (401, 404, 200, 200),
    ("opportunities/<uuid:opportunity_id>/dismiss", "DELETE"): (401, 404, 404, 404),
    ("opportunities/<uuid:opportunity_id>/apply", "POST"): (401, 404, 200, 200),
    ("opportunities/<uuid:opportunity_id>/apply", "DELETE"): (401, 404, 404, 404),
    ("opportunities/facets", "GET"): (200, 200, 200, 200),
    ("notifications", "GET"): (401, 200, 200, 200),
    ("notifications/<uuid:notification_id>", "GET"): (401, 404, 200, 404),
    ("notifications/unread", "GET"): (401, 200, 200, 200),
    ("notifications/read", "POST"): (401, 400, 400, 400),
    ("notifications/devices", "GET"): (401, 200, 200, 200),
    ("notifications/devices", "POST"): (401, 400, 400, 400),
    ("notifications/devices/<uuid:device_id>", "DELETE"): (401, 404, 204, 404),
    ("notifications/email/resume", "POST"): (401, 204, 204, 204),
    ("notifications/phone", "GET"): (401, 404, 200, 404),
    ("notifications/phone", "PUT"): (401, 400, 400, 400),
    ("notifications/phone", "DELETE"): (401, 404, 204, 404),
    ("notifications/phone/confirm", "POST"): (401, 400, 400, 400),
    ("notifications/preferences", "GET"): (401, 200, 200, 200),
    ("notifications/preferences", "PUT"): (401, 200, 200, 200),
    ("saved-searches", "GET"): (401, 200, 200, 200),
    ("saved-searches", "POST"): (401, 400, 400, 400),
    ("saved-searches/<uuid:search_id>", "PATCH"): (401, 404, 200, 404),
    ("saved-searches/<uuid:search_id>", "DELETE"): (401, 404, 204, 404),
    ("saved-searches/<uuid:search_id>/seen", "POST"): (401, 404, 200, 404),
    ("organisations", "GET"): (401, 200, 200, 200),
    ("organisations", "POST"): (401, 400, 400, 400),
    ("organisations/<slug:slug>", "GET"): (401, 404, 200, 200),
    ("organisations/<slug:slug>", "PATCH"): (401, 404, 200, 200),
    ("organisations/<slug:slug>/state", "PUT"): (401, 403, 403, 400),
    ("organisations/<slug:slug>/members", "GET"): (401, 404, 200, 200),
    ("organisations/<slug:slug>/members", "POST"): (401, 404, 400, 400),
    ("organisations/<slug:slug>/members/<uuid:user_id>", "DELETE"): (401, 404, 409, 409),
    ("mentors/me", "GET"): (401, 404, 200, 404),
    ("mentors/me", "PUT"): (401, 200, 200, 200),
    ("mentors/me/apply", "POST"): (401, 404, 400, 404),
    ("mentors/me/pause", "POST"): (401, 404, 200, 404),
    ("mentors/me/resume", "POST"): (401, 404, 409, 404),
    ("mentors/me/leave", "POST"): (401, 404, 200, 404),
    ("mentors/me/availability", "GET"): (401, 404, 200, 404),
    ("mentors/me/availability", "PUT"): (401, 400, 400, 400),
    ("mentors/me/availability/time-zone", "POST"): (401, 400, 400, 400),
    ("mentors/me/blocks", "GET"): (401, 200, 200, 200),
    ("mentors/me/blocks", "POST"): (401, 400, 400, 400),
    ("mentors/me/blocks/<uuid:block_id>", "DELETE"): (401, 404, 204, 404),
    ("mentors/me/calendars", "GET"): (401, 200, 200, 200),
    ("mentors/me/calendars", "POST"): (401, 400, 400, 400),
    ("mentors/me/calendars/find", "POST"): (401, 400, 400, 400),
    ("mentors/me/calendars/<uuid:calendar_id>", "DELETE"): (401, 404, 204, 404),
    ("mentors/me/checks", "GET"): (401, 200, 200, 200),
    ("mentors/me/checks", "POST"): (401, 400, 400, 400),
    ("mentors/me/checks/<uuid:check_id>", "GET"): (401, 404, 200, 404),
    ("mentors/me/checks/<uuid:check_id>", "DELETE"): (401, 404, 200, 404),
    ("mentors/me/checks/<uuid:check_id>/code", "POST"): (401, 404, 409, 404),
    ("mentors/me/checks/<uuid:check_id>/code", "PUT"): (401, 400, 400, 400),
    ("mentors/me/checks/<uuid:check_id>/documents", "POST"): (401, 404, 415, 404),
    ("mentors/me/checks/<uuid:check_id>/documents/<uuid:document_id>", "DELETE"): (401, 404, 204, 404),
    ("mentors/me/checks/<uuid:check_id>/submit", "POST"): (401, 404, 200, 404),
    ("mentors/me/calendar-link", "GET"): (401, 404, 200, 404),
    ("mentors/me/calendar-link", "POST"): (401, 201, 201, 201),
    ("mentors/me/calendar-link", "DELETE"): (401, 404, 204, 404),
    ("mentors", "GET"): (200, 200, 200, 200),
    ("mentors/<uuid:mentor_id>", "GET"): (200, 404, 200, 200),
    ("mentors/matches", "GET"): (401, 200, 200, 200),
    ("mentors/me/advice", "GET"): (401, 404, 200, 404),
    ("mentors/<uuid:mentor_id>/standing", "GET"): (401, 404, 200, 200),
    ("mentors/<uuid:mentor_id>/reviews", "GET"): (200, 404, 200, 200),
    ("mentors/<uuid:mentor_id>/reviews", "POST"): (401, 400, 400, 400),
    ("reviews/to-write", "GET"): (401, 200, 200, 200),
    ("reviews/received", "GET"): (401, 200, 200, 200),
    ("reviews/<uuid:review_id>", "GET"): (401, 404, 200, 404),
    ("reviews/<uuid:review_id>", "PUT"): (401, 400, 400, 400),
    ("reviews/<uuid:review_id>", "DELETE"): (401, 404, 204, 404),
    ("reviews/<uuid:review_id>/reply", "PUT"): (401, 400, 400, 400),
    ("reviews/<uuid:review_id>/report", "POST"): (401, 404, 400, 400),
    ("payments", "GET"): (401, 200, 200, 200),
    ("payments/create-intent", "POST"): (401, 400, 400, 400),
    ("payments/history.csv", "GET"): (401, 200, 200, 200),
    ("payments/webhooks/stripe", "POST"): (400, 400, 400, 400),
    # Staff look at money in the admin, where that is logged.
    ("payments/<uuid:payment_id>", "GET"): (401, 404, 200, 404),
    ("payments/<uuid:payment_id>/receipt.pdf", "GET"): (401, 404, 200, 404),
    ("payouts", "GET"): (401, 200, 200, 200),
    ("payouts/movements", "GET"): (401, 200, 200, 200),
    ("payouts/onboarding", "POST"): (401, 400, 400, 400),
    # Staff look at bookings in the admin, likewise. The owner is the mentor of a request that begins in a week.
    ("bookings", "GET"): (401, 200, 200, 200),
    ("bookings", "POST"): (401, 400, 400, 400),
    ("bookings/terms", "GET"): (401, 200, 200, 200),
    ("bookings/terms", "PUT"): (401, 400, 400, 400),
    ("bookings/reminders", "GET"): (401, 200, 200, 200),
    ("bookings/reminders", "PUT"): (401, 400, 400, 400),
    ("bookings/webhooks/daily", "POST"): (400, 400, 400, 400),
    ("bookings/sessions", "GET"): (401, 200, 200, 200),
    ("bookings/sessions", "POST"): (401, 400, 400, 400),
    ("bookings/sessions/<uuid:group_id>", "GET"): (401, 404, 200, 200),
    ("bookings/sessions/<uuid:group_id>/book", "POST"): (401, 404, 404, 201),
    ("bookings/sessions/<uuid:group_id>/cancel", "POST"): (401, 404, 200, 404),
    ("bookings/series", "POST"): (401, 400, 400, 400),
    ("bookings/series/<uuid:series_id>", "GET"): (401, 404, 200, 404),
    ("bookings/series/<uuid:series_id>/confirm", "POST"): (401, 404, 200, 404),
    ("bookings/series/<uuid:series_id>/decline", "POST"): (401, 404, 200, 404),
    ("bookings/series/<uuid:series_id>/cancel", "POST"): (401, 404, 200, 404),
    ("bookings/series/<uuid:series_id>/reschedule", "POST"): (401, 400, 400, 400),
    ("bookings/waitlist", "GET"): (401, 200, 200, 200),
    ("bookings/waitlist", "POST"): (401, 400, 400, 400),
    ("bookings/waitlist/<uuid:entry_id>", "DELETE"): (401, 404, 204, 404),
    ("bookings/<uuid:booking_id>", "GET"): (401, 404, 200, 404),
    ("bookings/<uuid:booking_id>/confirm", "POST"): (401, 404, 200, 404),
    ("bookings/<uuid:booking_id>/decline", "POST"): (401, 404, 200, 404),
    ("bookings/<uuid:booking_id>/counter", "POST"): (401, 400, 400, 400),
    ("bookings/<uuid:booking_id>/accept-counter", "POST"): (401, 404, 403, 404),
    ("bookings/<uuid:booking_id>/take", "POST"): (401, 404, 403, 404),
    ("bookings/<uuid:booking_id>/approve", "POST"): (401, 404, 403, 404),
    ("bookings/<uuid:booking_id>/cancellation-quote", "GET"): (401, 404, 200, 404),
    ("bookings/<uuid:booking_id>/cancel", "POST"): (401, 404, 200, 404),
    ("bookings/<uuid:booking_id>/reschedule", "POST"): (401, 400, 400, 400),
    ("bookings/<uuid:booking_id>/complete", "POST"): (401, 404, 409, 404),
    ("bookings/<uuid:booking_id>/no-show", "POST"): (401, 404, 409, 404),
    ("bookings/<uuid:booking_id>/appeal", "POST"): (401, 400, 400, 400),
    ("bookings/<uuid:booking_id>/appeal/evidence", "POST"): (401, 404, 415, 404),
    ("bookings/<uuid:booking_id>/appeal/evidence/<uuid:evidence_id>", "GET"): (401, 404, 200, 404),
    ("bookings/<uuid:booking_id>/join", "GET"): (401, 404, 409, 404),
    ("bookings/<uuid:booking_id>/stay", "POST"): (401, 400, 400, 400),
    ("bookings/<uuid:booking_id>/recording", "GET"): (401, 404, 200, 404),
    ("bookings/<uuid:booking_id>/recording/consent", "PUT"): (401, 400, 400, 400),
    ("bookings/<uuid:booking_id>/recording/start", "POST"): (401, 404, 409, 404),
    ("bookings/<uuid:booking_id>/recording/stop", "POST"): (401, 404, 404, 404),
    ("bookings/<uuid:booking_id>/recording/link", "GET"): (401, 404, 404, 404),
    ("bookings/<uuid:booking_id>/calendar.ics", "GET"): (401, 404, 200, 404),
    ("mentors/<uuid:mentor_id>/booking-terms", "GET"): (200, 404, 200, 200),
    ("mentors/<uuid:mentor_id>/slots", "GET"): (200, 404, 200, 200),
    ("mentors/<uuid:mentor_id>/slots/why", "GET"): (200, 404, 200, 200),
}
# Pages and tools outside the API, with what nobody gets; the admin holds its own against strangers below.
# What everybody who is signed in has for themselves.
DESK = (
    "sign-in/socket",
    "bookings/",
    "dashboard/",
    "dashboard/requests",
    "dashboard/next",
    "dashboard/calendar",
    "dashboard/settings",
    "dashboard/figures",
    "dashboard/profile",
    "dashboard/profile/preview",
    "dashboard/profile/(?P<move>apply|pause|resume|leave)$",
    "dashboard/availability",
    "dashboard/availability/blocks",
    "dashboard/calendars",
    "dashboard/calendars/link",
    "dashboard/checks",
    "dashboard/reviews",
    "dashboard/earnings",
    "dashboard/earnings/summary",
)
# What belongs to somebody, and is not there for anybody else, staff or not.
_BOOKING = "bookings/<uuid:booking_id>"
OWN_PAGES = (
    *(
        _BOOKING,
        *(f"{_BOOKING}/{move}" for move in ("accept", "decline", "take-new-time", "approve", "take", "complete", "no-show", "appeal")),
        f"{_BOOKING}/appeal/evidence",
        f"{_BOOKING}/appeal/evidence/<uuid:evidence_id>",
    ),
    *(f"{_BOOKING}/{move}" for move in ("cancel", "new-time", "join", "calendar.ics")),
    "dashboard/availability/blocks/<uuid:block_id>/remove",
    "dashboard/calendars/<uuid:calendar_id>/remove",
    *(f"dashboard/checks/<uuid:check_id>{move}" for move in ("", "/documents", "/documents/<uuid:document_id>/remove", "/code")),
    *(f"dashboard/checks/<uuid:check_id>/{move}" for move in ("code/confirm", "submit", "withdraw")),
    "dashboard/reviews/<uuid:review_id>/reply",
    "dashboard/reviews/<uuid:review_id>/write",
)
PAGES = {
    "": 200,
    "help/": 200,
    "healthz": 200,
    "readyz": 503,
    "verify-email/<str:key>": 200,
    "sign-in/": 200,
    "sign-in/second-step": 302,
    "sign-in/code/<str:key>": 200,
    "sign-in/<slug:provider>": 405,
    "sign-in/<slug:provider>/callback": 400,
    "sign-out/": 405,
    "reset-password/": 200,
    "reset-password/<str:key>": 200,
    "keep-account/<str:key>": 200,
    "guardian/<str:key>": 302,
    "unsubscribe/<str:token>/": 404,
    "no-invitations/<str:token>/": 404,
    "saved-searches/<uuid:key>": 200,
    "account/security": 200,
    "settings/notifications": 200,
    "news": 200,
    "payments": 200,
    "reviews": 302,
    "mentoring": 302,
    "earnings": 302,
    "theme/": 302,
    "sign-in/mail": 200,
    "sign-in/passkey": 200,
    "sign-up/": 200,
    "mentors/": 200,
    "mentors/<uuid:mentor_id>": 404,
    "opportunities/": 200,
    "opportunities/<uuid:opportunity_id>": 404,
    "calendars/<slug:token>.ics": 404,
    "payments/<uuid:payment_id>/receipt": 302,
    "payments/<uuid:payment_id>/receipt.pdf": 302,
    **dict.fromkeys(DESK, 302),
    **dict.fromkeys(OWN_PAGES, 302),
    "webhooks/sendgrid": 404,
    "webhooks/twilio/status": 404,
    "webhooks/twilio/inbound": 404,
    "media/<path:path>": 404,
    "api/schema": 200,
    "api/docs": 200,
    "api/redoc": 200,
    "api/problems/<slug:code>": 404,
}


def routes(patterns: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns or get_resolver().url_patterns:
        route = prefix + str(pattern.pattern).removeprefix("^").removesuffix(r"\Z")
        if isinstance(pattern, URLResolver):
            if getattr(pattern, "app_name", "") != "admin":
                yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern.callback


def methods_of(view: Any) -> set[str]:
    return {method.upper() for method in view.view_class.http_method_names if hasattr(view.view_class, method)} - SAFE


def test_every_route_and_method_has_its_row() -> None:
    api = {
        (route.removeprefix("api/v1/"), method) for route, view in routes() if route.startswith("api/v1/") for method in methods_of(view)
    }
    assert api == MATRIX.keys()
    assert {route for route, _ in routes() if not route.startswith("api/v1/")} == PAGES.keys()


def test_each_route_has_a_name_of_its_own() -> None:
    """A page that leads to the API's route of the same name would answer with a problem document."""
    names = [pattern.name for pattern in patterns() if pattern.name]
    assert [name for name in names if names.count(name) > 1] == []


def patterns(found: Any = None) -> Iterator[URLPattern]:
    for pattern in found or get_resolver().url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        elif getattr(pattern, "app_name", "") != "admin":
            yield from patterns(pattern.url_patterns)


# Where mentors are shown by name to everybody whom they have not blocked.
PUBLIC = {"mentors", "mentors/<uuid:mentor_id>"}
# What a route asks for in its address, by its last word.
QUERIES = {"search": "?q=nurse", "why": "?start=2026-06-01T10:00:00Z&duration_minutes=60"}


def make_mentor(owner: User) -> tuple[MentorProfile, OccupiedTime, OutsideCalendar]:
    """The owner as a live mentor with all that a mentor has."""
    profile = MentorProfile.objects.create(user=owner, state="live", live_since=timezone.now(), headline="Nurse")
    Offer.objects.create(profile=profile, kind="session", title="Talk", duration_minutes=60, price_amount=0, price_currency="EUR")
    set_availability(profile=profile, availability=Availability("Europe/Berlin"))
    block = block_time(person=owner, starts_at=timezone.now(), ends_at=timezone.now() + timedelta(hours=1))
    rotate_link(person=owner)
    calendar = add_calendar(person=owner, kind=CalendarKind.ICS, name="x", address="https://calendar.example/a.ics")
    # A calendar that was never read counts as busy all the time.
    calendar.events.all().delete()
    return profile, block, calendar


def make_review(mentor: MentorProfile, learner: User) -> Review:
    """What the owner wrote as a learner of somebody else, and can be seen."""
    profile = MentorProfile.objects.create(user=learner, state="live", live_since=timezone.now(), headline="Teacher")
    reference = uuid.uuid4()
    grant_reviews(reference=reference, profile=profile, learner_id=mentor.user_id, ended_at=timezone.now())
    for review in Review.objects.filter(reference=reference):
        write_review(review=review, rating=5, text="Well.")
    return Review.objects.get(reference=reference, author=mentor.user)


def make_payment(payer: User, payee: User) -> Payment:
    """Something that the owner has paid."""
    sale = {"currency": "EUR", "amount": 5_000, "fee_amount": 750, "window_days": 7, "description": "Session"}
    taken = {"state": "captured", "captured_at": timezone.now(), "captured_amount": 5_000}
    return Payment.objects.create(subject_id=uuid.uuid4(), payer=payer, payee=payee, **sale, **taken)


def make_evidence(booking: Booking) -> AppealEvidence:
    """A file with the mentor's account of a session."""
    appeal = Appeal.objects.create(booking=booking, side="mentor", person=booking.session.mentor, text="We met.")
    name = storages["private"].save(f"appeals/{appeal.person_id}/x", ContentFile(b"%PDF-1.7"))
    return AppealEvidence.objects.create(appeal=appeal, file=name, content_type="application/pdf", size=8, is_stored=True)


def make_booking(mentor: MentorProfile, learner: User) -> Booking:
    """A free session in a week, for which the owner is asked as the mentor."""
    hours = tuple(WeeklyRule(day, Hours(0, 1440)) for day in range(7))
    set_availability(profile=mentor, availability=Availability("UTC", hours))
    start = (timezone.now() + timedelta(days=7)).replace(hour=12, minute=0, second=0, microsecond=0)
    return book_session(learner=learner, mentor_id=mentor.pk, starts_at=start, duration_minutes=60)


def make_group(mentor: MentorProfile) -> Session:
    """A session for several, which the owner announced."""
    offer = {"kind": "group", "title": "Together", "duration_minutes": 45, "price_amount": 0, "price_currency": "EUR", "group_size": 9}
    row = Offer.objects.create(profile=mentor, **offer)
    return announce_session(profile=mentor, offer_id=row.pk, starts_at=timezone.now() + timedelta(days=5))


def make_series(mentor: MentorProfile, learner: User) -> Series:
    """Two sessions for which the owner is asked as the mentor."""
    start = (timezone.now() + timedelta(days=8)).replace(hour=12, minute=0, second=0, microsecond=0)
    return book_series(learner=learner, mentor_id=mentor.pk, first_at=start, duration_minutes=60, number=2)


def make_wait(mentor: MentorProfile, learner: User) -> WaitlistEntry:
    """The owner waits for somebody's session for several."""
    ends_at = timezone.now() + timedelta(days=5)
    times = {"starts_at": ends_at - timedelta(hours=1), "ends_at": ends_at, "duration_minutes": 60, "mentor_zone": "UTC"}
    terms = {"seats": 9, "price_amount": 0, "price_currency": "EUR", "policy": "standard"}
    session = Session.objects.create(mentor=mentor.user, kind="group", title="Together", **times, **terms)
    return WaitlistEntry.objects.create(
        learner=learner, mentor=mentor.user, session=session, opens_at=times["starts_at"], closes_at=ends_at
    )


@dataclasses.dataclass(frozen=True)
class World:
    """Everybody, signed in, and what the owner has: by the placeholder of its key in a route, and the bodies that are more than empty."""

    actors: dict[str, Api]
    keys: dict[str, Any]
    bodies: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def world(kept_rows: None) -> World:
    # The owner has blocked the stranger and answers for a child.
    owner, stranger, staff = new_user(full_name="Canary Owner", birth_date=date(1980, 1, 1)), new_user(), new_user(role="staff")
    User.objects.filter(pk=staff.pk).update(is_superuser=True)
    actors = {"nobody": Api(), **{name: Api().sign_in(user) for name, user in (("stranger", stranger), ("owner", owner), ("staff", staff))}}
    interview = start_interview(user=owner).interview
    Category.objects.create(source_id="c", slug="c", name="C")
    skill = Skill.objects.create(source="t", source_id="1", name="Care")
    organisation = Organisation.objects.create(slug="c", name="Clinic")
    OrganisationMember.objects.create(organisation=organisation, user=owner, role="owner")
    row = Opportunity.objects.create(
        source="t", source_id="1", kind="job", title="Nurse", posted_by=owner, posting_organisation=organisation
    )
    claim = Claim.objects.create(user=owner, kind="goal", label="to teach", source="mine")
    answer = interview.answers.create(step=9, slot="goals", question="?", text="to teach")
    name = storages["private"].save(f"recordings/{owner.pk}/x.ogg", ContentFile(b"OggS"))
    recording = Recording.objects.create(user=owner, answer=answer, file=name, expires_at=timezone.now() + timedelta(days=1))
    suggestion = Suggestion.objects.create(user=owner, claim=claim, reason="age")
    ward = new_user(birth_date=timezone.now().date() - timedelta(days=15 * 366))
    guardianship = Guardianship.objects.create(ward=ward, guardian=owner, state="active", accepted_at=timezone.now())
    Block.objects.create(blocker=owner, blocked=stranger)
    device = Device.objects.get(user=owner)
    push_device = PushDevice.objects.create(user=owner, device=device, token="ExponentPushToken[owner]")
    Phone.objects.create(user=owner, number="+4915112345678", verified_at=timezone.now())
    mentor, block, calendar = make_mentor(owner)
    check = request_check(profile=mentor, kind=CheckKind.IDENTITY)
    booking = make_booking(mentor, new_user())
    document = check.documents.create(file="checks/x", content_type="application/pdf", size=1, is_stored=True)
    keys = {
        "<uuid:mentor_id>": mentor.pk,
        "<uuid:block_id>": block.pk,
        "<uuid:calendar_id>": calendar.pk,
        "<uuid:check_id>": check.pk,
        "<uuid:review_id>": make_review(mentor, new_user()).pk,
        "<uuid:document_id>": document.pk,
        "<uuid:booking_id>": booking.pk,
        "<uuid:evidence_id>": make_evidence(booking).pk,
        "<uuid:group_id>": make_group(mentor).pk,
        "<uuid:entry_id>": make_wait(mentor, owner).pk,
        "<uuid:series_id>": make_series(mentor, new_user()).pk,
        "<uuid:payment_id>": make_payment(owner, new_user()).pk,
        "<slug:slug>": "c",
        "<slug:provider>": "google",
        "<uuid:opportunity_id>": row.pk,
        "<uuid:search_id>": SavedSearch.objects.create(user=owner, name="Nurses", filters={"q": "nurse"}).pk,
        "<uuid:skill_id>": skill.pk,
        "<uuid:notification_id>": Notification.objects.create(user=owner, kind="x.y", topic="x").pk,
        "notifications/devices/<uuid:device_id>": f"notifications/devices/{push_device.pk}",
        "<uuid:device_id>": device.pk,
        "<int:passkey_id>": 1,
        "<uuid:session_id>": interview.pk,
        "<int:step>": 1,
        "<uuid:suggestion_id>": suggestion.pk,
        "<uuid:recording_id>": recording.pk,
        "<uuid:guardianship_id>": guardianship.pk,
        "<uuid:ward_id>": ward.pk,
        "blocks/<uuid:user_id>": f"blocks/{stranger.pk}",
        "<uuid:user_id>": owner.pk,
    }
    session = {"session_id": str(interview.pk)}
    bodies: dict[str, dict[str, Any]] = {
        "ai-profiling/submit-answer": session | {"step": 1, "answer_text": "skip"},
        "ai-profiling/complete": session,
        "ai-profiling/pause": session,
        "ai-profiling/back": session | {"step": 1},
        "ai-profiling/suggestions/<uuid:suggestion_id>": {"accept": True},
    }
    return World(actors, keys, bodies)


@pytest.mark.parametrize(("route", "method"), MATRIX)
def test_each_actor_gets_what_the_matrix_says(world: World, settings: Any, route: str, method: str) -> None:
    path = route + QUERIES.get(route.rpartition("/")[2], "")
    for placeholder, value in world.keys.items():
        path = path.replace(placeholder, str(value))
    settings.SIGN_IN_PROVIDERS = {"google": {"client_ids": ["x"], "issuer": "http://127.0.0.1:9"}}
    expected = dict(zip(ACTORS, MATRIX[(route, method)], strict=True))
    for actor in ACTORS:
        response = world.actors[actor].call(method, path, None if method in ("GET", "DELETE") else world.bodies.get(route, {}))
        assert response.status_code == expected[actor], f"{actor} {method} {route}: {response.getvalue()[:300]}"
        if response.status_code >= 400:
            assert response["Content-Type"] == "application/problem+json"
        if actor == "stranger" or (actor == "nobody" and route not in PUBLIC):
            assert b"Canary Owner" not in response.getvalue()


@pytest.mark.parametrize(("route", "status"), PAGES.items())
def test_pages_answer_nobody(api: Api, route: str, status: int) -> None:
    path = "/" + route
    for placeholder in ("<str:key>", "<str:token>", "<slug:code>", "<slug:provider>", "<path:path>"):
        path = path.replace(placeholder, "nothing")
    path = re.sub("<uuid:[a-z_]+>", "0197a000-0000-7000-8000-000000000000", path).replace("(?P<move>apply|pause|resume|leave)$", "apply")
    assert api.get(path).status_code == status


@pytest.mark.parametrize("route", [*OWN_PAGES, "payments/<uuid:payment_id>/receipt", "payments/<uuid:payment_id>/receipt.pdf"])
def test_pages_hide_what_is_of_somebody_else(world: World, client: Any, route: str) -> None:
    path = "/" + route
    for placeholder, value in world.keys.items():
        path = path.replace(placeholder, str(value))
    for person in User.objects.filter(Q(role="staff") | Q(blocks_received__isnull=False)):
        client.force_login(person)
        # Their own profile is asked for first where they have none.
        expected = {302, 404} if re.search("/(calendars|availability|checks)/", path) else {404}
        assert client.get(path).status_code in expected
        assert client.post(path, {"text": "x", "rating": 5, "note": "x"}).status_code in expected | {405}
    client.force_login(User.objects.get(full_name="Canary Owner"))
    # What cannot be done with it now is not there, or leads back to it.
    assert client.get(path).status_code in (200, 302, *([404] if path.endswith(("/write", "/reply", "/join")) else []))


def test_everybody_has_their_own_desk(world: World, client: Any) -> None:
    client.force_login(User.objects.get(full_name="Canary Owner"))
    for route in DESK:
        assert client.get("/" + route.replace("(?P<move>apply|pause|resume|leave)$", "apply")).status_code == 200
    client.force_login(User.objects.get(blocks_received__isnull=False))
    for route in DESK:
        answer = client.get("/" + route.replace("(?P<move>apply|pause|resume|leave)$", "apply"), follow=True)
        assert answer.status_code == 200
        assert b"Canary Owner" not in answer.content


def test_what_is_not_there_is_a_page_for_people_and_a_problem_for_programs(api: Api) -> None:
    assert b"<h1>Nothing here</h1>" in api.get("/nonsense").content
    assert api.get("/api/v1/nonsense").json()["code"] == "not_found"


def test_known_problem_codes_have_a_page(api: Api) -> None:
    assert b"not right" in api.get("/api/problems/invalid_credentials").content


def test_the_admin_is_for_staff_alone(client: Any, user: User) -> None:
    assert client.get("/admin/").status_code == 302
    client.force_login(user)
    assert client.get("/admin/").status_code == 302
