"""Staff see the pages as somebody else does, to help them. They look, and change nothing: `accounts.middleware` refuses whatever writes.
Each look has a reason, is in the audit log, ends by itself, and stands in the log that the person sees about their own account."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.utils import timezone

from accounts.enums import SecurityEventKind
from accounts.models import Impersonation, User
from accounts.policies import can_impersonate
from accounts.services.devices import note_security_event
from core import auditing
from core.errors import Forbidden

LASTS = datetime.timedelta(minutes=30)


def start_impersonation(*, staff: User, person: User, reason: str) -> Impersonation:
    """Begin to look, for half an hour at most.

    Raises:
        Forbidden: without the permission, at oneself, at other staff, or at somebody who is shut out.
    """
    if not can_impersonate(staff, person):
        raise Forbidden
    with transaction.atomic():
        row = Impersonation.objects.create(staff=staff, person=person, reason=reason, ends_at=timezone.now() + LASTS)
        note_security_event(user=person, kind=SecurityEventKind.SEEN_BY_STAFF)
        auditing.record(actor_id=staff.pk, action="impersonated", thing=person)
    return row


def end_impersonation(*, impersonation: Impersonation) -> None:
    """Stop looking. Nothing happens if it is over."""
    with transaction.atomic():
        if Impersonation.objects.filter(pk=impersonation.pk, ends_at__gt=timezone.now()).update(ends_at=timezone.now()):
            auditing.record(actor_id=impersonation.staff_id, action="impersonation ended", thing=impersonation.person)
