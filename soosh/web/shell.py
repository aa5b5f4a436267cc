"""What stands around every page: where one can go, and in which colours it is shown."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

THEMES = {"": "As the device has them", "light": "Light", "dark": "Dark", "contrast": "High contrast"}
THEME_COOKIE = "theme"


@dataclasses.dataclass(frozen=True)
class Place:
    path: str
    name: str
    is_current: bool


_LINKS = {"/mentors/": "Mentors", "/opportunities/": "Opportunities"}
_STRANGERS = {"/sign-in/": "Sign in", "/sign-up/": "Sign up"}
_PEOPLE = {"/bookings/": "Sessions"}
_MENTORS = {"/dashboard/": "Dashboard"}
_STAFF = {"/admin/": "Staff"}
_PLACES = {
    "/dashboard/": "Today",
    "/dashboard/requests": "Requests",
    "/dashboard/calendar": "Calendar",
    "/dashboard/availability": "Availability",
    "/dashboard/earnings": "Earnings",
    "/dashboard/reviews": "Reviews",
    "/dashboard/figures": "How it goes",
    "/dashboard/profile": "Profile",
    "/dashboard/settings": "Settings",
}
# Pages of which parts change by themselves.
_LIVE = ("/dashboard/", "/bookings/")


def shell(request: HttpRequest) -> dict[str, Any]:
    """For every template: `links` of the whole site, `places` of a mentor's desk where one is in it, `themes` and the chosen `theme`,
    the `banner` over it while a member of staff sees it as somebody else, and whether who looks `can_sign_out`."""
    theme, impersonation = request.COOKIES.get(THEME_COOKIE, ""), getattr(request, "impersonation", None)
    is_desk = request.path.startswith("/dashboard/")
    return {
        "links": _places(_LINKS | _links_for(request), request.path),
        "places": _places(_PLACES, request.path) if is_desk else [],
        "is_live": request.path.startswith(_LIVE) and _user_of(request).is_authenticated,
        "is_wide": is_desk or request.path.startswith(("/mentors/", "/opportunities/")),
        "impersonation": impersonation,
        "banner": "accounts/impersonation_banner.html" if impersonation else "",
        "can_sign_out": _user_of(request).is_authenticated and not impersonation,
        "themes": THEMES.items(),
        "theme": theme if theme in THEMES else "",
    }


def _links_for(request: HttpRequest) -> dict[str, str]:
    user = _user_of(request)
    if not user.is_authenticated:
        return _STRANGERS
    return _PEOPLE | _MENTORS | (_STAFF if user.is_staff else {})


def _user_of(request: HttpRequest) -> Any:
    """A page of an error may come before anybody was looked up."""
    return getattr(request, "user", None) or AnonymousUser()


def _places(names: dict[str, str], path: str) -> list[Place]:
    current = max((start for start in names if path.startswith(start)), key=len, default="")
    return [Place(start, name, start == current) for start, name in names.items()]
