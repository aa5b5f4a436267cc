from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from notifications.services.letters import unsubscribing
from notifications.services.preferences import stop_mail


# A mail program posts here without a page before (RFC 8058); the signed address says whose it is, and no cookie counts.
@method_decorator([never_cache, csrf_exempt], name="dispatch")
class UnsubscribePage(View):
    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Ask first: mail scanners open every link."""
        return self._show(request, token, state="asking")

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Stop the mails, at once and without a sign-in."""
        found = unsubscribing(token)
        if found is not None:
            stop_mail(user_id=found[0], topics=found[1])
        return self._show(request, token, state="done")

    def _show(self, request: HttpRequest, token: str, **context: Any) -> HttpResponse:
        found = unsubscribing(token)
        if found is None:
            context["state"] = "failed"
        context["topics"] = found[1] if found else []
        response = render(request, "notifications/unsubscribe.html", context, status=200 if found else 404)
        response["Referrer-Policy"] = "no-referrer"
        return response
