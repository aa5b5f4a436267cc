"""What staff do with other people's accounts. Every act is in the audit log."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.enums import KeyPurpose, Role, SecurityEventKind
from accounts.errors import ManagedProfile
from accounts.events import PersonReinstated, PersonSuspended
from accounts.models import User
from accounts.policies import can_have_role, can_manage_person
from accounts.providers import headless
from accounts.services.devices import end_all_devices, note_security_event
from accounts.services.keys import issue_key, revoke_keys
from accounts.services.mailing import send_mail
from accounts.services.profile import change_fields
from core import auditing
from core.errors import Conflict, FieldError, Forbidden, InvalidInput
from core.events import publish


def create_person(*, actor: User, email: str, full_name: str, role: Role = Role.MEMBER, **fields: Any) -> User:
    """Create an account without a password; its owner gets a mail to choose one, which proves the address too.

    Raises:
        InvalidInput: the address is taken.
        Forbidden: only a superuser makes staff.
        Unavailable: the mail cannot be sent; nothing was created.
    """
    _refuse_raising_to_staff(actor, role)
    with transaction.atomic():
        if User.objects.filter(email=email).exists():
            raise InvalidInput(errors=(FieldError("email", "email_taken", "There is an account with this address."),))
        person = User.objects.create_user(email, None, full_name=full_name, role=role)
        change_fields(person=person, changes=fields)
        headless.add_unverified(person)
        auditing.record(actor_id=actor.pk, action="added", thing=person)
        send_mail(template="invited", to=person.email, secret=issue_key(purpose=KeyPurpose.RESET_PASSWORD, user=person, email=person.email))
    return person


def change_person(*, actor: User, person: User, changes: dict[str, Any]) -> User:
    """Change fields of another person, their role among them.

    Raises:
        Forbidden: themselves, or staff by somebody who is no superuser; only a superuser makes staff.
        ManagedProfile: a role for a child's profile.
        HandleTaken
    """
    _refuse_managing(actor, person)
    if "role" in changes:
        _refuse_raising_to_staff(actor, changes["role"])
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=person.pk)
        if changes.get("role", locked.role) != Role.STAFF and locked.is_superuser:
            changes = changes | {"is_superuser": False}
        if not can_have_role(locked, changes.get("role", locked.role), is_superuser=locked.is_superuser):
            raise ManagedProfile
        change_fields(person=locked, changes=changes)
        auditing.record(actor_id=actor.pk, action="changed", thing=locked, fields=sorted(changes))
    return locked


def suspend_person(*, actor: User, person: User, reason: str) -> User:
    """Shut a person out. Every session and every mailed key of theirs ends at once.

    Raises:
        Forbidden: oneself, or staff by somebody who is no superuser.
        Conflict: suspended or erased already.
    """
    _refuse_managing(actor, person)
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=person.pk)
        if not locked.is_active:
            raise Conflict
        locked.is_active, locked.suspended_at, locked.suspension_reason = False, timezone.now(), reason
        locked.save(update_fields=["is_active", "suspended_at", "suspension_reason", "updated_at"])
        end_all_devices(user=locked)
        revoke_keys(user=locked)
        note_security_event(user=locked, kind=SecurityEventKind.SUSPENDED, detail=reason, tell_by_mail=True)
        auditing.record(actor_id=actor.pk, action="suspended", thing=locked)
        publish(PersonSuspended(user_id=locked.pk))
    return locked


def reinstate_person(*, actor: User, person: User) -> User:
    """Let a suspended person in again.

    Raises:
        Forbidden: as `suspend_person`.
        Conflict: not suspended.
    """
    _refuse_managing(actor, person)
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=person.pk)
        if locked.suspended_at is None:
            raise Conflict
        locked.is_active, locked.suspended_at, locked.suspension_reason = True, None, ""
        locked.save(update_fields=["is_active", "suspended_at", "suspension_reason", "updated_at"])
        note_security_event(user=locked, kind=SecurityEventKind.REINSTATED, tell_by_mail=True)
        auditing.record(actor_id=actor.pk, action="reinstated", thing=locked)
        publish(PersonReinstated(user_id=locked.pk))
    return locked


def _refuse_managing(actor: User, person: User) -> None:
    if not can_manage_person(actor, person):
        raise Forbidden


def _refuse_raising_to_staff(actor: User, role: str) -> None:
    if role == Role.STAFF and not actor.is_superuser:
        raise Forbidden
