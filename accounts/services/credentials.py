"""Passwords and second factors: checked, counted and set in one place for every way to sign in.

A stranger who guesses is refused in their own network. After enough wrong guesses from everywhere, a password alone is not enough from a
network where the account was never used: a mailed code or a passkey is. So guessing stays bounded, and the owner is never locked out.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from accounts.enums import SecurityEventKind
from accounts.errors import InvalidCredentials, MailedCodeRequired, TooManySignIns
from accounts.models import SecurityEvent, User
from accounts.providers import limits
from accounts.providers.clients import address_of
from accounts.services.devices import end_all_devices, note_security_event
from accounts.services.keys import revoke_keys
from core.errors import FieldError, InvalidInput, TooManyRequests
from core.networks import network_of
from core.passwords import is_password, normalize_password

_NETWORK_IS_KNOWN_FOR = datetime.timedelta(days=90)
_MOST_NETWORKS = 200


def check_password(*, request: HttpRequest, email: str, password: str) -> User:
    """The person with this address and password.

    Raises:
        InvalidCredentials, TooManySignIns
        MailedCodeRequired: too many wrong passwords from everywhere; this one was not even looked at.
    """
    person = User.objects.filter(email=email).first()
    try:
        take_back = limits.consume(request, "sign_in", key=email)
    except TooManyRequests as error:
        raise TooManySignIns(retry_after_seconds=error.retry_after_seconds) from error
    is_within, restore_budget = limits.spend_budget("passwords", email)
    if not is_within and not is_known_network(request, person):
        raise MailedCodeRequired
    if not _matches(person, password):
        if person:
            note_security_event(user=person, kind=SecurityEventKind.SIGN_IN_FAILED, request=request)
        raise InvalidCredentials
    assert person is not None
    take_back()
    restore_budget()
    _store_in_one_form(person, password)
    return person


def count_second_factor(*, request: HttpRequest, person: User) -> Callable[[], None]:
    """Count a try of a second factor before it is checked. Returns what takes it back if it was right.

    Raises:
        TooManySignIns
    """
    key = str(person.pk)
    try:
        take_back = limits.consume(request, "second_factor", key=key)
    except TooManyRequests as error:
        raise TooManySignIns(retry_after_seconds=error.retry_after_seconds) from error
    is_within, restore_budget = limits.spend_budget("second_factors", key)
    if not is_within and not is_known_network(request, person):
        raise MailedCodeRequired

    def succeeded() -> None:
        take_back()
        restore_budget()

    return succeeded


def is_known_network(request: HttpRequest, person: User | None) -> bool:
    """Whether this person signed in from the network of the request within the last months."""
    if person is None:
        return False
    since = timezone.now() - _NETWORK_IS_KNOWN_FOR
    signed_in = SecurityEvent.objects.filter(user=person, kind=SecurityEventKind.SIGNED_IN, created_at__gt=since, ip_address__isnull=False)
    addresses = signed_in.values_list("ip_address", flat=True)[:_MOST_NETWORKS]
    return network_of(address_of(request)) in {network_of(str(address)) for address in addresses}


def check_new_password(*, user: User, password: str, field: str) -> None:
    """Raises InvalidInput, naming `field`, for a password that is too weak for this person."""
    try:
        validate_password(password, user=user)
    except ValidationError as error:
        errors = tuple(FieldError(field, problem.code or "invalid", problem.messages[0]) for problem in error.error_list)
        raise InvalidInput(errors=errors) from error


def set_password(*, user: User, password: str, field: str = "password") -> None:
    """Store a new password. Every session and every mailed key of the person ends.

    Raises:
        InvalidInput: it is too weak.
    """
    check_new_password(user=user, password=password, field=field)
    user.set_password(password)
    user.save(update_fields=["password", "has_normalized_password", "updated_at"])
    end_all_devices(user=user)
    revoke_keys(user=user)


def _matches(person: User | None, password: str) -> bool:
    if person is None:
        # Takes as long as a real comparison, so that timing does not reveal accounts.
        make_password("x" * 12)
        return False
    return person.check_password(password)


def _store_in_one_form(person: User, password: str) -> None:
    """Rehash a password that matched only as typed, in its normalized form."""
    if person.has_normalized_password or not is_password(password) or normalize_password(password) == password:
        return
    if password != password.strip():
        # Spaces at its ends used to be stripped; its owner may type either form, so both stay valid.
        return
    person.set_password(password)
    person.save(update_fields=["password", "has_normalized_password", "updated_at"])
