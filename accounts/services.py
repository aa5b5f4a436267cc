from __future__ import annotations

import datetime
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from accounts.errors import EmailNotVerified, InvalidCredentials, InvalidRefreshToken, InvalidVerificationKey
from accounts.events import EmailVerified, RefreshTokenReused
from accounts.models import User
from accounts.providers import headless, tokens
from accounts.providers.tokens import TokenPair
from core.errors import FieldError, InvalidInput, TooManyRequests, Unavailable
from core.events import publish

_FAILED_LOGIN_PAUSE_SECONDS = 300
_SIGNUP_PAUSE_SECONDS = 60


def register_person(
    *,
    request: HttpRequest,
    email: str,
    password: str,
    full_name: str,
    birth_date: datetime.date | None = None,
    time_zone: str = "",
) -> None:
    """Create an account and mail a verification link. Known addresses are not revealed: they get a mail that says so instead.

    Raises:
        InvalidInput: the password is too weak.
        TooManyRequests: this address of the network registers too often.
        Unavailable: the mail cannot be sent now; nothing was created.
    """
    fields = {"email": email, "password": password, "full_name": full_name, "birth_date": birth_date, "time_zone": time_zone}
    try:
        with transaction.atomic():
            answer = headless.sign_up(request, fields)
    except (SMTPException, OSError) as error:
        # Without its mail nobody could finish the registration, so it did not happen.
        raise Unavailable from error
    if answer.status == 429:
        raise TooManyRequests(retry_after_seconds=_SIGNUP_PAUSE_SECONDS)
    if answer.errors:
        raise InvalidInput(errors=tuple(FieldError(field, code, message) for field, code, message in answer.errors))


def verify_email(*, request: HttpRequest, key: str) -> User:
    """Spend the key of a verification mail.

    Raises:
        InvalidVerificationKey: wrong, spent or expired.
    """
    with transaction.atomic():
        address = headless.verify_email(request, key)
        if address is None:
            raise InvalidVerificationKey(errors=(FieldError("key", "invalid_verification_key", InvalidVerificationKey.message),))
        publish(EmailVerified(user_id=address.user_id))
    return User.objects.get(pk=address.user_id)


def log_in(*, request: HttpRequest, email: str, password: str) -> TokenPair:
    """Sign a person in.

    Raises:
        InvalidCredentials, EmailNotVerified, TooManyRequests
    """
    answer = headless.log_in(request, email=email, password=password)
    codes = {code for _, code, _ in answer.errors}
    if answer.status == 429 or "too_many_login_attempts" in codes:
        raise TooManyRequests(retry_after_seconds=_FAILED_LOGIN_PAUSE_SECONDS)
    if answer.pending == "verify_email":
        raise EmailNotVerified
    if not answer.access_token:
        raise InvalidCredentials
    user = User.objects.get(email__iexact=email)
    return TokenPair(answer.access_token, answer.refresh_token, settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN, user)


def refresh_tokens(*, refresh_token: str) -> TokenPair:
    """Spend a refresh token for a new pair. A spent one ends the session that it came from.

    Raises:
        InvalidRefreshToken
    """
    with transaction.atomic():
        outcome = tokens.rotate(refresh_token)
        if isinstance(outcome, tokens.ReusedToken):
            user = User.objects.filter(pk=outcome.user_id).first()
            if user:
                publish(RefreshTokenReused(user_id=user.pk))
    if not isinstance(outcome, TokenPair):
        raise InvalidRefreshToken
    return outcome


def log_out(*, refresh_token: str) -> None:
    """End the session of a refresh token, and with it its access token."""
    tokens.revoke(refresh_token)


def update_profile(*, user: User, changes: dict[str, Any]) -> User:
    """Change a person's own fields."""
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        for name, value in changes.items():
            setattr(person, name, value)
        person.save(update_fields=[*changes, "updated_at"])
    return person


def create_verified_person(*, email: str, password: str, full_name: str, is_staff: bool = False) -> User:
    """A person whose address needs no proof: demo data, and people that staff create."""
    with transaction.atomic():
        person, created = User.objects.get_or_create(email=email, defaults={"full_name": full_name})
        if created:
            person.set_password(password)
            person.is_staff = person.is_superuser = is_staff
            person.save()
        headless.mark_verified(person)
    return person
