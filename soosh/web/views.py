from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View

from core.pages import Page, SignedInPage
from soosh.web.shell import THEME_COOKIE, THEMES

_A_YEAR = 60 * 60 * 24 * 365
# What the first page of the desk shows, each part loaded from the room that has it: (heading, path of its part).
_CARDS = (
    ("Requests that wait for you", "/dashboard/requests"),
    ("Your next sessions", "/dashboard/next"),
    ("Earnings", "/dashboard/earnings/summary"),
    ("What people say", "/dashboard/reviews"),
)


class ThemeView(View):
    """Remembers in which colours this browser shows Soosh. It changes nothing else, so a plain link may do it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        wanted, back = request.GET.get("theme", ""), request.GET.get("next", "/")
        is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure())
        answer = redirect(back if is_ours else "/")
        if wanted in THEMES:
            answer.set_cookie(THEME_COOKIE, wanted, max_age=_A_YEAR, samesite="Lax", secure=request.is_secure(), httponly=True)
        return answer


class DashboardPage(SignedInPage):
    """Where a mentor begins."""

    template = "soosh/dashboard.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.show(request, cards=_CARDS)


class HelpPage(Page):
    """How to get on, and how to reach us: linked at the same place of every page (WCAG 3.2.6)."""

    template = "soosh/help.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, address=settings.SUPPORT_ADDRESS)


class HomePage(Page):
    """What Soosh is, and where its doors are."""

    template = "soosh/home.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request)
