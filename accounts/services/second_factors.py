from __future__ import annotations

import dataclasses
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from accounts.enums import SecurityEventKind
from accounts.errors import InvalidPasskey, InvalidSecondFactor, SecondFactorExists, SecondFactorMissing
from accounts.models import User
from accounts.providers import second_factors as provider
from accounts.services.devices import note_security_event
from accounts.services.sign_in import require_fresh_sign_in
from core.errors import FieldError, NotFound


@dataclasses.dataclass(frozen=True)
class Enrolment:
    """What an authenticator app needs: the secret as text and as an `otpauth:` address for a QR code."""

    secret: str
    address: str


def begin_totp(*, request: HttpRequest, user: User, session_key: str) -> Enrolment:
    """Make a secret for an authenticator app. Nothing changes until `finish_totp`.

    Raises:
        FreshSignInRequired, SecondFactorExists
    """
    require_fresh_sign_in(user=user, session_key=session_key)
    answer = provider.begin_totp(request)
    if answer.status != 404:
        raise SecondFactorExists
    return Enrolment(answer.data["meta"]["secret"], answer.data["meta"]["totp_url"])


def finish_totp(*, request: HttpRequest, user: User, session_key: str, code: str) -> list[str]:
    """Prove with a first code that the app works. Returns the recovery codes.

    Raises:
        FreshSignInRequired, InvalidInput: the code is not right.
        SecondFactorExists
    """
    require_fresh_sign_in(user=user, session_key=session_key)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if any(factor.kind == "totp" for factor in provider.factors_of(user)):
            raise SecondFactorExists
        answer = provider.finish_totp(request, code)
        if answer.errors:
            raise InvalidSecondFactor(errors=(FieldError("code", InvalidSecondFactor.code, InvalidSecondFactor.message),))
        _note(request, user, SecurityEventKind.SECOND_FACTOR_ADDED, "authenticator app")
    return _recovery_codes(request)


def remove_totp(*, request: HttpRequest, user: User, session_key: str) -> None:
    """Remove the authenticator app; without another factor the recovery codes go too.

    Raises:
        FreshSignInRequired, SecondFactorMissing
    """
    require_fresh_sign_in(user=user, session_key=session_key)
    if not any(factor.kind == "totp" for factor in provider.factors_of(user)):
        raise SecondFactorMissing
    with transaction.atomic():
        provider.remove_totp(request)
        _note(request, user, SecurityEventKind.SECOND_FACTOR_REMOVED, "authenticator app")


def make_recovery_codes(*, request: HttpRequest, user: User, session_key: str) -> list[str]:
    """New recovery codes; the old ones are worthless from now on.

    Raises:
        FreshSignInRequired, SecondFactorMissing
    """
    require_fresh_sign_in(user=user, session_key=session_key)
    with transaction.atomic():
        answer = provider.make_recovery_codes(request)
        if answer.errors:
            raise SecondFactorMissing
        _note(request, user, SecurityEventKind.RECOVERY_CODES_MADE, "")
    codes: list[str] = answer.data["content"]["unused_codes"]
    return codes


def begin_passkey(*, request: HttpRequest, user: User, session_key: str) -> dict[str, Any]:
    """What `navigator.credentials.create()` needs.

    Raises:
        FreshSignInRequired
    """
    require_fresh_sign_in(user=user, session_key=session_key)
    options: dict[str, Any] = provider.begin_passkey(request).data["content"]["creation_options"]
    return options


def finish_passkey(*, request: HttpRequest, user: User, session_key: str, name: str, credential: dict[str, Any]) -> list[str]:
    """Add the passkey that the device made. Returns new recovery codes if these are the first.

    Raises:
        FreshSignInRequired, InvalidPasskey
    """
    require_fresh_sign_in(user=user, session_key=session_key)
    with transaction.atomic():
        try:
            answer = provider.finish_passkey(request, name=name, credential=credential)
        except provider.BROKEN_CREDENTIAL as error:
            raise InvalidPasskey from error
        if answer.errors:
            raise InvalidPasskey
        _note(request, user, SecurityEventKind.SECOND_FACTOR_ADDED, f"passkey {name}")
    return _recovery_codes(request) if answer.data["meta"].get("recovery_codes_generated") else []


def remove_passkey(*, request: HttpRequest, user: User, session_key: str, passkey_id: int) -> None:
    """Remove a passkey.

    Raises:
        FreshSignInRequired, NotFound
    """
    require_fresh_sign_in(user=user, session_key=session_key)
    with transaction.atomic():
        if provider.remove_passkey(request, passkey_id).errors:
            raise NotFound
        _note(request, user, SecurityEventKind.SECOND_FACTOR_REMOVED, "passkey")


def _recovery_codes(request: HttpRequest) -> list[str]:
    codes: list[str] = provider.read_recovery_codes(request).data["content"].get("unused_codes", [])
    return codes


def _note(request: HttpRequest, user: User, kind: SecurityEventKind, detail: str) -> None:
    note_security_event(user=user, kind=kind, request=request, detail=detail, tell_by_mail=True)
