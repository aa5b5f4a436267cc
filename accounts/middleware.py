from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.selectors import impersonation_in_force, person_of

SESSION_KEY = "impersonation"
# There staff are themselves; programs have no session.
_THEIR_OWN = ("/admin/", "/api/", "/webhooks/", "/static/", "/media/", "/healthz", "/readyz")
# What a page shows there opens something by itself: the secret address of a calendar.
_CLOSED = ("/dashboard/calendars",)
# The pages that sign in and out, confirm and change who somebody is: some do it, or open sockets, by a GET.
_IDENTITY = "accounts.web"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class ImpersonationMiddleware:
    """Shows pages to a member of staff as somebody else sees them, while `request.impersonation` is in force. Nothing can be changed, so
    whatever stands in the books was done by whom it names."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(_THEIR_OWN) or SESSION_KEY not in request.session:
            return self.get_response(request)
        found = impersonation_in_force(staff=person_of(request), key=request.session[SESSION_KEY])
        if found is None:
            del request.session[SESSION_KEY]
            messages.info(request, "You see Soosh as yourself again.")
            return self.get_response(request)
        request.impersonation = found  # type: ignore[attr-defined]  # for the frame of the page
        request.user = found.person
        if request.method not in _SAFE or request.path_info.startswith(_CLOSED):
            return _look_only(request)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any) -> HttpResponse | None:
        is_identity = hasattr(request, "impersonation") and view.__module__.startswith(_IDENTITY)
        return _look_only(request) if is_identity else None


def _look_only(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/look_only.html", status=403)
