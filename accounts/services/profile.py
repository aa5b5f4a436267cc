from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from accounts.enums import KeyPurpose
from accounts.errors import BirthDateIsSet, ChildNeedsGuardianProfile, HandleTaken
from accounts.models import RetiredHandle, User
from accounts.policies import can_be_born_on
from accounts.providers import limits
from accounts.services.keys import issue_key
from accounts.services.mailing import send_mail
from accounts.services.sign_in import require_fresh_sign_in
from core.errors import FieldError


def update_profile(*, user: User, changes: dict[str, Any]) -> User:
    """Change a person's own fields. The birth date is told once.

    Raises:
        HandleTaken, BirthDateIsSet
    """
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        if "birth_date" in changes and person.birth_date not in (None, changes["birth_date"]):
            raise BirthDateIsSet
        return change_fields(person=person, changes=changes)


def change_fields(*, person: User, changes: dict[str, Any]) -> User:
    """Write fields of a locked row.

    Raises:
        HandleTaken: by somebody else, or by somebody who was here once.
    """
    if not changes:
        return person
    if "birth_date" in changes and changes["birth_date"] != person.birth_date and not can_be_born_on(person, changes["birth_date"]):
        message = ChildNeedsGuardianProfile.message
        raise ChildNeedsGuardianProfile(errors=(FieldError("birth_date", ChildNeedsGuardianProfile.code, message),))
    if changes.get("handle") and RetiredHandle.objects.filter(digest=handle_digest(changes["handle"])).exists():
        raise HandleTaken(errors=(FieldError("handle", HandleTaken.code, HandleTaken.message),))
    for name, value in changes.items():
        setattr(person, name, value)
    try:
        with transaction.atomic():
            person.save(update_fields=[*changes, "updated_at"])
    except IntegrityError as error:
        if "handle" not in str(error):
            raise
        raise HandleTaken(errors=(FieldError("handle", HandleTaken.code, HandleTaken.message),)) from error
    return person


def handle_digest(handle: str) -> str:
    """What is kept of a handle whose owner was erased."""
    return salted_hmac("accounts.retired-handle", handle.lower(), algorithm="sha256").hexdigest()


def request_email_change(*, request: HttpRequest, user: User, session_key: str, email: str) -> None:
    """Mail a link and a code to a new address. The old one stays in force until the new one is proven; then both are told.

    An address that somebody else has gets another mail, and the same answer here.

    Raises:
        FreshSignInRequired, TooManyRequests, Unavailable
    """
    require_fresh_sign_in(user=user, session_key=session_key)
    limits.consume(request, "change_email", key=str(user.pk), is_owner=True)
    limits.consume(request, "resend_verification", key=email)
    is_taken = User.objects.filter(email=email).exclude(pk=user.pk).exists()
    secret = issue_key(purpose=KeyPurpose.CHANGE_EMAIL, user=None if is_taken else user, email=email)
    send_mail(template="known_account" if is_taken else "change_email", to=email, secret=secret)
