from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from accounts.services.invitations import digest_of_refusal, refuse_invitations


# A mail program posts here without a page before (RFC 8058); the signed address says which mailbox it is, and no cookie counts.
@method_decorator([never_cache, csrf_exempt], name="dispatch")
class NoInvitationsPage(View):
    """For whoever reads a mailbox that was invited: no more of it."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Ask first: mail scanners open every link."""
        return self._show(request, "asking" if digest_of_refusal(token) else "failed")

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Refuse further invitations, without a sign-in."""
        digest = digest_of_refusal(token)
        if digest is not None:
            refuse_invitations(digest=digest)
        return self._show(request, "done" if digest else "failed")

    def _show(self, request: HttpRequest, state: str) -> HttpResponse:
        response = render(request, "accounts/no_invitations.html", {"state": state}, status=404 if state == "failed" else 200)
        response["Referrer-Policy"] = "no-referrer"
        return response
