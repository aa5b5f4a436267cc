"""Calls allauth's own headless views in process, so that its rate limits, stages and enumeration guards hold, and reads their answers."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from allauth.account.models import EmailAddress, get_emailconfirmation_model
from allauth.headless.account.views import LoginView, SignupView
from allauth.headless.constants import Client
from django.http import HttpRequest

from accounts.providers.adapter import serializable


@dataclasses.dataclass(frozen=True)
class Answer:
    """allauth's answer, flattened. `pending` names the step that is missing, such as `verify_email`."""

    status: int
    access_token: str = ""
    refresh_token: str = ""
    pending: str = ""
    errors: tuple[tuple[str, str, str], ...] = ()  # (field, code, message)


_sign_up = SignupView.as_api_view(client=Client.APP)
_log_in = LoginView.as_api_view(client=Client.APP)


def sign_up(request: HttpRequest, fields: dict[str, Any]) -> Answer:
    """Create an account and send the verification mail. A known address gets the same answer, and a mail that says so."""
    return _ask(_sign_up, request, fields)


def log_in(request: HttpRequest, *, email: str, password: str) -> Answer:
    return _ask(_log_in, request, {"email": email, "password": password})


def verify_email(request: HttpRequest, key: str) -> EmailAddress | None:
    """Spend the key of a verification link. None if it is wrong, spent or expired."""
    confirmation = get_emailconfirmation_model().from_key(key)
    if not confirmation or confirmation.key_expired() or not confirmation.email_address.can_set_verified():
        return None
    address: EmailAddress | None = confirmation.confirm(request)
    return address


def mark_verified(user: Any) -> None:
    """Take an address as proven, for people that staff or the demo data create."""
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


def _ask(view: Any, request: HttpRequest, fields: dict[str, Any]) -> Answer:
    # The API's parser has read the stream already; allauth reads the body again.
    request._body = json.dumps(serializable(fields)).encode()  # type: ignore[attr-defined]
    response = view(request)
    try:
        content = json.loads(response.content)
    except ValueError:
        content = {}
    meta = content.get("meta") or {}
    flows = (content.get("data") or {}).get("flows") or []
    return Answer(
        status=response.status_code,
        access_token=meta.get("access_token", ""),
        refresh_token=meta.get("refresh_token", ""),
        pending=next((flow["id"] for flow in flows if flow.get("is_pending")), ""),
        errors=tuple((error.get("param", ""), error["code"], error["message"]) for error in content.get("errors") or ()),
    )
