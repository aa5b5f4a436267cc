from __future__ import annotations

from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from accounts import services
from accounts.errors import InvalidVerificationKey


@method_decorator(never_cache, name="dispatch")
class VerifyEmailPage(View):
    """The page behind the link in the mail. Opening it changes nothing, because mail scanners open links; its button does."""

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        return render(request, "accounts/verify_email.html", {"state": "ask"})

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        try:
            services.verify_email(request=request, key=unquote(key))
        except InvalidVerificationKey as error:
            return render(request, "accounts/verify_email.html", {"state": "failed", "reason": error.detail}, status=400)
        return render(request, "accounts/verify_email.html", {"state": "done"})
