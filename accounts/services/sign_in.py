from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator
from typing import Any

from django.contrib.auth import logout as django_logout
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.enums import DeviceKind, ErasureState, KeyPurpose, SecurityEventKind
from accounts.errors import (
    AccountBeingErased,
    AccountSuspended,
    EmailNotVerified,
    FreshSignInRequired,
    InvalidCredentials,
    InvalidPasskey,
    InvalidRefreshToken,
    InvalidSecondFactor,
    ManagedProfile,
    RefreshRace,
    SecondFactorRequired,
    WrongPassword,
)
from accounts.events import RefreshTokenReused
from accounts.models import Device, Erasure, SecurityEvent, User
from accounts.policies import can_change_sign_in
from accounts.providers import headless, limits, second_factors, tokens
from accounts.providers.clients import address_of
from accounts.providers.headless import Answer
from accounts.providers.tokens import FRESH_SECONDS, TokenPair
from accounts.services.address_proof import prove_address
from accounts.services.credentials import check_password, count_second_factor
from accounts.services.devices import note_security_event
from accounts.services.keys import spend_key
from accounts.services.registration import mail_key_to_owner, send_due_mail
from core.errors import FieldError
from core.events import publish


def log_in(*, request: HttpRequest, email: str, password: str, mfa_code: str = "") -> TokenPair:
    """Sign a person in.

    Raises:
        InvalidCredentials, EmailNotVerified, SecondFactorRequired, InvalidSecondFactor, AccountSuspended, AccountBeingErased,
        TooManyRequests
    """
    person = check_password(request=request, email=email, password=password)
    answer = headless.log_in_proven(request, person=person, proof="password")
    return finish_sign_in(request=request, answer=answer, person=person, mfa_code=mfa_code)


def log_in_to_browser(*, request: HttpRequest, email: str, password: str) -> bool:
    """Sign a person in on a page of Soosh. Returns whether they are in; if not, their second factor is awaited.

    Raises:
        as `log_in`
    """
    person = check_password(request=request, email=email, password=password)
    answer = headless.log_in_proven(request, person=person, proof="password", in_browser=True)
    return finish_in_browser(request=request, answer=answer, person=person)


def finish_sign_in(*, request: HttpRequest, answer: Answer, person: User | None, mfa_code: str = "") -> TokenPair:
    """Turn allauth's answer to a first factor that was right into tokens, taking the second factor on the way."""
    refuse_unready(request=request, answer=answer, person=person)
    if answer.pending == "mfa_authenticate":
        if not mfa_code:
            raise SecondFactorRequired(methods=list(answer.methods), session_token=answer.session_token)
        answer = _answer_second_factor(request=request, person=person, code=mfa_code, session_token=answer.session_token)
    device = tokens.device_of(answer.refresh_token)
    if device is None or person is None:
        raise InvalidCredentials
    return _welcome(request, device, person, answer)


def _welcome(request: HttpRequest, device: Device, person: User, answer: Answer) -> TokenPair:
    note_sign_in(request=request, person=person, device=device)
    return tokens.pair(answer.access_token, answer.refresh_token, person)


def finish_in_browser(*, request: HttpRequest, answer: Answer, person: User | None) -> bool:
    """As `finish_sign_in`, for the session of a browser. False while the second factor is awaited."""
    refuse_unready(request=request, answer=answer, person=person)
    if answer.pending == "mfa_authenticate":
        return False
    if not request.user.is_authenticated or person is None:
        raise InvalidCredentials
    device = tokens.remember_device(request, person, kind=DeviceKind.WEB)
    note_sign_in(request=request, person=person, device=device)
    return True


def answer_second_factor_in_browser(*, request: HttpRequest, code: str) -> None:
    """Finish a sign-in on a page that waits for its second factor.

    Raises:
        InvalidSecondFactor, TooManyRequests
    """
    person = headless.pending_person(request.session)
    answer = _answer_second_factor(request=request, person=person, code=code, in_browser=True)
    finish_in_browser(request=request, answer=answer, person=User.objects.get(pk=request.user.pk))


def refuse_unready(*, request: HttpRequest, answer: Answer, person: User | None) -> None:
    """Say why somebody whose first factor was right cannot come in."""
    if answer.pending == "verify_email":
        send_due_mail(due=answer.mail_due)
        raise EmailNotVerified
    if person is not None and not person.is_active:
        if person.suspended_at:
            raise AccountSuspended(reason=person.suspension_reason)
        erasure = Erasure.objects.filter(person_id=person.pk, state__in=(ErasureState.SCHEDULED, ErasureState.RUNNING)).first()
        if erasure:
            raise AccountBeingErased(erased_at=erasure.due_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        raise InvalidCredentials


def _answer_second_factor(*, request: HttpRequest, person: User | None, code: str, **where: Any) -> Answer:
    if person is None:
        raise InvalidSecondFactor
    with _counted_second_factor(request, person):
        answer = headless.answer_second_factor(request, code=code, **where)
        if answer.errors or answer.status >= 400:
            raise InvalidSecondFactor
    return answer


@contextlib.contextmanager
def _counted_second_factor(request: HttpRequest, person: User) -> Iterator[None]:
    """Count a try of the second factor, unless it succeeds."""
    take_back = count_second_factor(request=request, person=person)
    try:
        yield
    except InvalidSecondFactor:
        note_security_event(user=person, kind=SecurityEventKind.SIGN_IN_FAILED, request=request, detail="second step")
        raise
    take_back()


def note_sign_in(*, request: HttpRequest, person: User, device: Device) -> None:
    """Log a sign-in; one from a device and place that were never seen before is told by mail, except the very first."""
    seen = SecurityEvent.objects.filter(user=person, kind=SecurityEventKind.SIGNED_IN)
    is_known = seen.filter(detail=device.name, ip_address=address_of(request)).exists()
    with transaction.atomic():
        note_security_event(
            user=person,
            kind=SecurityEventKind.SIGNED_IN,
            request=request,
            detail=device.name,
            tell_by_mail=not is_known and seen.exists(),
        )


def request_login_code(*, request: HttpRequest, email: str) -> None:
    """Mail a code that signs in without a password. An unknown address gets a mail that says so: nobody else learns which it was.

    Raises:
        TooManyRequests, Unavailable
    """
    limits.consume(request, "request_login_code", key=email)
    mail_key_to_owner(purpose=KeyPurpose.LOG_IN, email=email, template="login_code")


def log_in_with_code(*, request: HttpRequest, key: str, mfa_code: str = "") -> TokenPair:
    """Spend a mailed code.

    Raises:
        InvalidKey, and as `log_in`
    """
    person = _person_of_code(request, key)
    answer = headless.log_in_proven(request, person=person, proof="mailed_code")
    return finish_sign_in(request=request, answer=answer, person=person, mfa_code=mfa_code)


def log_in_to_browser_with_code(*, request: HttpRequest, key: str) -> bool:
    """The same on a page of Soosh. False while the second factor is awaited."""
    person = _person_of_code(request, key)
    answer = headless.log_in_proven(request, person=person, proof="mailed_code", in_browser=True)
    return finish_in_browser(request=request, answer=answer, person=person)


def _person_of_code(request: HttpRequest, key: str) -> User:
    limits.consume(request, "spend_key")
    with transaction.atomic():
        person = spend_key(secret=key, purposes=(KeyPurpose.LOG_IN,)).user
        assert person is not None
        if not headless.verified_address(person):
            prove_address(user=person)
    return person


def log_in_with_second_factor(*, request: HttpRequest, session_token: str, mfa_code: str) -> TokenPair:
    """Finish a sign-in that answered `mfa_required`, with the `session_token` of that answer.

    Raises:
        InvalidSecondFactor, TooManyRequests
    """
    person = headless.pending_person(headless.session_of_token(session_token))
    answer = _answer_second_factor(request=request, person=person, code=mfa_code, session_token=session_token)
    device = tokens.device_of(answer.refresh_token)
    if device is None:
        raise InvalidSecondFactor
    return _welcome(request, device, device.user, answer)


def log_in_again(*, request: HttpRequest, person: User) -> TokenPair:
    """New tokens for somebody whose sessions were just ended by their own hand, on the device that they did it on."""
    answer = headless.log_in_anew(request, person=person, proof="password")
    return tokens.pair(answer.access_token, answer.refresh_token, person)


def check_staff_sign_in(*, request: HttpRequest, email: str, password: str, mfa_code: str = "") -> User:
    """Both factors of somebody at the door of the admin, under the limits of every other sign-in. Opens no session.

    Raises:
        as `log_in`
    """
    person = check_password(request=request, email=email, password=password)
    refuse_unready(request=request, answer=Answer(status=200), person=person)
    if second_factors.has_second_factor(person):
        if not mfa_code:
            raise SecondFactorRequired
        with _counted_second_factor(request, person):
            if not second_factors.check_code(person, mfa_code):
                raise InvalidSecondFactor
    return headless.with_backend(person)


def log_out_of_browser(*, request: HttpRequest) -> None:
    """End the session of a browser."""
    with transaction.atomic():
        device = Device.objects.filter(session_key=request.session.session_key).first()
        if device:
            tokens.end([device])
            note_security_event(user=device.user, kind=SecurityEventKind.SIGNED_OUT, request=request, detail=device.name)
    django_logout(request)


def begin_passkey_sign_in(*, request: HttpRequest) -> dict[str, Any]:
    """What `navigator.credentials.get()` needs, and the `session_token` to send back with its result.

    Raises:
        TooManyRequests
    """
    limits.consume(request, "passkey")
    answer = second_factors.begin_passkey_login(request)
    return {"session_token": answer.session_token, "options": answer.data["content"]["request_options"]}


def finish_passkey_sign_in(*, request: HttpRequest, session_token: str, credential: dict[str, Any]) -> TokenPair:
    """Sign in with what the passkey answered.

    Raises:
        InvalidPasskey, AccountSuspended, AccountBeingErased, TooManyRequests
    """
    answer = _answer_of_passkey(request, credential, session_token=session_token)
    return finish_sign_in(request=request, answer=answer, person=second_factors.person_of_credential(credential))


def begin_passkey_in_browser(*, request: HttpRequest) -> dict[str, Any]:
    """What `navigator.credentials.get()` needs on a page of Soosh; the challenge waits in its session.

    Raises:
        TooManyRequests
    """
    limits.consume(request, "passkey")
    options: dict[str, Any] = second_factors.begin_passkey_login(request, in_browser=True).data["content"]["request_options"]
    return options


def log_in_to_browser_with_passkey(*, request: HttpRequest, credential: dict[str, Any]) -> bool:
    """The same on a page of Soosh. A passkey is both factors.

    Raises:
        as `finish_passkey_sign_in`
    """
    answer = _answer_of_passkey(request, credential, in_browser=True)
    return finish_in_browser(request=request, answer=answer, person=second_factors.person_of_credential(credential))


def _answer_of_passkey(request: HttpRequest, credential: dict[str, Any], **where: Any) -> Answer:
    limits.consume(request, "passkey")
    try:
        answer = second_factors.finish_passkey_login(request, credential=credential, **where)
    except second_factors.BROKEN_CREDENTIAL as error:
        raise InvalidPasskey from error
    if answer.errors or answer.status in (400, 409, 410):
        raise InvalidPasskey
    return answer


def reauthenticate(*, request: HttpRequest, user: User, session_key: str, password: str = "", mfa_code: str = "") -> None:
    """Prove once more that it is you; for some minutes sensitive changes need no further proof.

    Raises:
        WrongPassword, InvalidSecondFactor, TooManyRequests
    """
    if not can_change_sign_in(user):
        raise ManagedProfile
    if mfa_code:
        with _counted_second_factor(request, user):
            answer = second_factors.reauthenticate_by_code(request, mfa_code)
            if answer.errors or answer.status >= 400:
                raise InvalidSecondFactor
        return
    prove_password(request=request, user=user, session_key=session_key, password=password)
    headless.record_proof(session_key, person=user, proof="password")


def prove_password(*, request: HttpRequest, user: User, session_key: str, password: str) -> None:
    """Check the password of somebody who is signed in. Tries are counted by session: only whoever holds it can use them up.

    Raises:
        WrongPassword, TooManyRequests
    """
    take_back = limits.consume(request, "prove_identity", key=session_key, is_owner=True)
    if not user.check_password(password):
        raise WrongPassword(errors=(FieldError("password", WrongPassword.code, WrongPassword.message),))
    take_back()


def require_fresh_sign_in(*, user: User, session_key: str) -> None:
    """Let only somebody on who proved within the last minutes, on this device, who they are.

    Raises:
        FreshSignInRequired
        EmailNotVerified: nobody has proven the address yet, so nobody owns the account.
        ManagedProfile: a child's profile; its sessions are its guardian's and never fresh.
    """
    if not can_change_sign_in(user):
        raise ManagedProfile
    if not headless.verified_address(user):
        raise EmailNotVerified
    if tokens.authenticated_seconds_ago(session_key, user) > FRESH_SECONDS:
        methods = ["password"] if user.has_usable_password() else []
        methods += ["mfa_code"] if second_factors.has_second_factor(user) else []
        raise FreshSignInRequired(methods=methods or ["sign in again"])


def refresh_tokens(*, refresh_token: str, arrived_at: datetime.datetime | None = None) -> TokenPair:
    """Spend a refresh token for a new pair. An old one used again revokes its family.

    Args:
        arrived_at: when the request came in, before it waited for its turn.

    Raises:
        InvalidRefreshToken, RefreshRace
    """
    with transaction.atomic():
        outcome = tokens.rotate(refresh_token, arrived_at=arrived_at or timezone.now())
        if isinstance(outcome, tokens.ReusedToken):
            user = User.objects.get(pk=outcome.user_id)
            publish(RefreshTokenReused(user_id=user.pk))
            note_security_event(user=user, kind=SecurityEventKind.TOKEN_REUSED, detail=outcome.device_name, tell_by_mail=True)
    if isinstance(outcome, tokens.RacingToken):
        raise RefreshRace(retry_after_seconds=outcome.wait)
    if not isinstance(outcome, TokenPair):
        raise InvalidRefreshToken
    return outcome


def log_out(*, refresh_token: str) -> None:
    """End the device of a refresh token, and with it its access token. An unknown or spent token is no error: it is over either way."""
    with transaction.atomic():
        device = tokens.device_of(refresh_token)
        if device:
            tokens.end([device])
            note_security_event(user=device.user, kind=SecurityEventKind.SIGNED_OUT, detail=device.name)
