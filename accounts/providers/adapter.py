"""What allauth asks of its host."""

from __future__ import annotations

import datetime
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.internal.httpkit import clean_client_ip
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest

from core.sealing import seal, unseal

_SECOND_FACTOR = "accounts.second-factor"


class AccountAdapter(DefaultAccountAdapter):
    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """allauth decides whether a mail is due; the service that asked sends it, with a link and a code."""
        context.request.mail_due = ("verify", emailconfirmation.email_address.email)

    def get_client_ip(self, request: HttpRequest) -> str:
        try:
            return super().get_client_ip(request)
        except (ImproperlyConfigured, PermissionDenied):
            # A forwarded header with too few addresses, or with something else, did not come through our proxies.
            return clean_client_ip(request.META.get("REMOTE_ADDR") or "") or "0.0.0.0"  # noqa: S104  (an address to count by)

    def is_reauthentication_required(self, *, app: str, **options: Any) -> bool:
        """Soosh asks for a fresh sign-in itself, by one rule for everything sensitive."""
        return False


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets of second factors are encrypted with a key that is not in the database; passkeys are bound to the host of `SITE_URL`."""

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": urlsplit(settings.SITE_URL).hostname or "localhost", "name": "Soosh"}

    def encrypt(self, text: str) -> str:
        return seal(text, purpose=_SECOND_FACTOR)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text, purpose=_SECOND_FACTOR)


def serializable(fields: dict[str, Any]) -> dict[str, Any]:
    """Input fields as JSON has them."""
    return {name: value.isoformat() if isinstance(value, datetime.date) else value for name, value in fields.items() if value is not None}
