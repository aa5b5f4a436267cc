"""allauth's second factors and passkeys, for the person behind the request's access token."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from allauth.headless.mfa import views as mfa
from allauth.headless.mfa.inputs import AuthenticateInput
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import extract_user_from_response
from cryptography.exceptions import InvalidSignature
from django.http import HttpRequest

from accounts.models import User
from accounts.providers.headless import Answer, ask


@dataclasses.dataclass(frozen=True)
class Factor:
    """One enrolled factor: `totp`, `recovery_codes` or `webauthn` (a passkey)."""

    id: int
    kind: str
    name: str
    created_at: datetime.datetime
    last_used_at: datetime.datetime | None
    codes_left: int | None = None


# What the library raises on a credential that is not one, instead of saying so.
BROKEN_CREDENTIAL = (ValueError, TypeError, KeyError, AttributeError, InvalidSignature)


def factors_of(user: User) -> list[Factor]:
    rows = Authenticator.objects.filter(user=user).order_by("pk")
    return [
        Factor(
            id=row.pk,
            kind=row.type,
            name=row.wrap().name if row.type == Authenticator.Type.WEBAUTHN else "",
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            codes_left=len(row.wrap().get_unused_codes()) if row.type == Authenticator.Type.RECOVERY_CODES else None,
        )
        for row in rows
    ]


def has_second_factor(user: User) -> bool:
    return Authenticator.objects.filter(user=user).exists()


def remove_all(user: User) -> None:
    Authenticator.objects.filter(user=user).delete()


def has_passkey(user: User) -> bool:
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists()


def begin_totp(request: HttpRequest) -> Answer:
    """A new secret, kept in the session until its first code proves that it was saved. 404 with the secret; 200 if there is one already."""
    return ask(mfa.ManageTOTPView, request, {}, method="GET", as_person=True)


def finish_totp(request: HttpRequest, code: str) -> Answer:
    return ask(mfa.ManageTOTPView, request, {"code": code}, as_person=True)


def remove_totp(request: HttpRequest) -> Answer:
    return ask(mfa.ManageTOTPView, request, {}, method="DELETE", as_person=True)


def read_recovery_codes(request: HttpRequest) -> Answer:
    return ask(mfa.ManageRecoveryCodesView, request, {}, method="GET", as_person=True)


def make_recovery_codes(request: HttpRequest) -> Answer:
    return ask(mfa.ManageRecoveryCodesView, request, {}, as_person=True)


def begin_passkey(request: HttpRequest) -> Answer:
    """Options for `navigator.credentials.create()` of a passkey that signs in without a password."""
    query, request.META["QUERY_STRING"] = request.META.get("QUERY_STRING", ""), "passwordless"
    request.__dict__.pop("GET", None)
    try:
        return ask(mfa.ManageWebAuthnView, request, {}, method="GET", as_person=True)
    finally:
        request.META["QUERY_STRING"] = query
        request.__dict__.pop("GET", None)


def finish_passkey(request: HttpRequest, *, name: str, credential: dict[str, Any]) -> Answer:
    return ask(mfa.ManageWebAuthnView, request, {"name": name, "credential": credential}, as_person=True)


def remove_passkey(request: HttpRequest, passkey_id: int) -> Answer:
    return ask(mfa.ManageWebAuthnView, request, {"authenticators": [passkey_id]}, method="DELETE", as_person=True)


def begin_passkey_login(request: HttpRequest, *, in_browser: bool = False) -> Answer:
    """Options for `navigator.credentials.get()`; the challenge waits in the session of `session_token`, or in the browser's."""
    return ask(mfa.LoginWebAuthnView, request, {}, method="GET", in_browser=in_browser)


def finish_passkey_login(request: HttpRequest, *, credential: dict[str, Any], session_token: str = "", in_browser: bool = False) -> Answer:
    return ask(mfa.LoginWebAuthnView, request, {"credential": credential}, session_token=session_token, in_browser=in_browser)


def reauthenticate_by_code(request: HttpRequest, code: str) -> Answer:
    return ask(mfa.ReauthenticateView, request, {"code": code}, as_person=True)


def person_of_credential(credential: dict[str, Any]) -> User | None:
    """The person whom a passkey names. Says nothing about whether its answer was right."""
    found: User | None = extract_user_from_response(credential)
    return found


def check_code(user: User, code: str) -> bool:
    """Whether a code of the app or a recovery code is right, counted as any other try. A recovery code is spent by it."""
    form = AuthenticateInput(data={"code": code}, user=user)
    return form.is_valid()
