"""Forgetting a person: scheduled with time to undo, then one step after the other, then a sweep that must find nothing.

The order and the content of the steps come from `core.privacy`. A step that was done stands in the row before the next begins, and every
step may run twice, so a killed run goes on where it stopped. Each erasure that is done is also noted outside the database: a backup that is
restored brings people back, and `replay_erasures` forgets them again.
"""

from __future__ import annotations

import datetime
import json
import uuid

import structlog
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.enums import ErasureState, KeyPurpose, SecurityEventKind
from accounts.errors import InvalidKey, MailRefused, WardsNeedGuardian
from accounts.events import PersonErased
from accounts.models import Erasure, User
from accounts.policies import can_manage_person
from accounts.providers import limits
from accounts.services.devices import end_all_devices, note_security_event
from accounts.services.exporting import private_storage
from accounts.services.guardianship import guardian_addresses, sole_wards
from accounts.services.keys import issue_key, revoke_keys, spend_key
from accounts.services.mailing import send_mail
from core import auditing
from core.errors import Forbidden
from core.events import publish
from core.privacy import erasure_steps

logger = structlog.get_logger(__name__)

_JOURNAL = "erasures"
_UNDER_WAY = (ErasureState.SCHEDULED, ErasureState.RUNNING)


def request_erasure(*, user: User, actor: User | None = None) -> Erasure:
    """Begin to forget a person. They are signed out everywhere and shut out at once; until `due_at` the key in the mail undoes it.

    Asking twice changes nothing.

    Raises:
        Forbidden: somebody else's account, by somebody who may not manage it.
        WardsNeedGuardian: a child's profile would be left without a guardian.
        Unavailable: the mail with the way back cannot be sent; nothing has changed.
    """
    if actor is not None and not can_manage_person(actor, user):
        raise Forbidden
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        known = Erasure.objects.filter(person_id=person.pk, state__in=_UNDER_WAY).first()
        if known:
            return known
        if sole_wards(person):
            raise WardsNeedGuardian
        erasure = Erasure.objects.create(person_id=person.pk, due_at=timezone.now() + datetime.timedelta(days=settings.ERASURE_GRACE_DAYS))
        person.is_active = False
        person.save(update_fields=["is_active", "updated_at"])
        end_all_devices(user=person)
        revoke_keys(user=person)
        note_security_event(user=person, kind=SecurityEventKind.ERASURE_REQUESTED)
        if actor is not None:
            auditing.record(actor_id=actor.pk, action="erased", thing=person)
        _tell_how_to_undo(person, erasure)
    return erasure


def _tell_how_to_undo(person: User, erasure: Erasure) -> None:
    secret = issue_key(purpose=KeyPurpose.UNDO_ERASURE, user=person, email=person.email)
    for address in guardian_addresses(person) or [person.email]:
        try:
            send_mail(template="erasure_scheduled", to=address, secret=secret, due_at=erasure.due_at)
        except MailRefused:
            logger.warning("nobody was told of an erasure", erasure_id=str(erasure.pk))


def undo_erasure(*, request: HttpRequest, key: str) -> User:
    """Keep the account after all.

    Raises:
        InvalidKey: also when the erasure has begun.
        TooManyRequests
    """
    limits.consume(request, "spend_key")
    with transaction.atomic():
        spent = spend_key(secret=key, purposes=(KeyPurpose.UNDO_ERASURE,))
        assert spent.user is not None
        person = User.objects.select_for_update().get(pk=spent.user.pk)
        cancelled = Erasure.objects.filter(person_id=person.pk, state=ErasureState.SCHEDULED).update(
            state=ErasureState.CANCELLED, updated_at=timezone.now()
        )
        if not cancelled:
            raise InvalidKey
        person.is_active = person.suspended_at is None
        person.save(update_fields=["is_active", "updated_at"])
        note_security_event(user=person, kind=SecurityEventKind.ERASURE_UNDONE, request=request)
    return person


def run_due_erasures(*, most: int = 20) -> int:
    """Run what is due, and go on with what was interrupted or left remains. Returns how many are done now."""
    due = Erasure.objects.filter(state__in=_UNDER_WAY, due_at__lte=timezone.now()).order_by("due_at")
    return sum(run_erasure(erasure_id=erasure_id) for erasure_id in due.values_list("pk", flat=True)[:most])


def run_erasure(*, erasure_id: uuid.UUID) -> bool:
    """Run the steps of one erasure that are not done yet, then the sweep. Returns whether nothing is left. Only one run at a time works."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (_lock_number(erasure_id),))
        if not cursor.fetchone()[0]:
            return False
    try:
        return _run_steps(erasure_id)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", (_lock_number(erasure_id),))


def _run_steps(erasure_id: uuid.UUID) -> bool:
    erasure = Erasure.objects.get(pk=erasure_id)
    if erasure.state not in _UNDER_WAY:
        return erasure.state == ErasureState.DONE
    Erasure.objects.filter(pk=erasure_id).update(state=ErasureState.RUNNING, started_at=erasure.started_at or timezone.now())
    done = list(erasure.steps_done)
    for step in erasure_steps():
        if step.name in done:
            continue
        with transaction.atomic():
            step.erase(erasure.person_id)
            done.append(step.name)
            Erasure.objects.filter(pk=erasure_id).update(steps_done=done, updated_at=timezone.now())
    return _finish(erasure)


def _finish(erasure: Erasure) -> bool:
    remains = sweep(erasure.person_id)
    if remains:
        # What came in between is erased by the next run.
        logger.error("erasure left remains", erasure_id=str(erasure.pk), remains=remains)
        Erasure.objects.filter(pk=erasure.pk).update(remains=remains, steps_done=[])
        return False
    note = json.dumps({"person_id": str(erasure.person_id), "erased_at": timezone.now().isoformat()})
    name = f"{_JOURNAL}/{erasure.person_id}.json"
    if not private_storage().exists(name):
        private_storage().save(name, ContentFile(note.encode()))
    with transaction.atomic():
        now = timezone.now()
        User.objects.filter(pk=erasure.person_id, erased_at__isnull=True).update(erased_at=now)
        Erasure.objects.filter(pk=erasure.pk).update(state=ErasureState.DONE, done_at=now, remains={})
        publish(PersonErased(user_id=erasure.person_id))
    return True


def sweep(person_id: uuid.UUID) -> dict[str, int]:
    """Where something of a person is left, and how much. Empty means nowhere."""
    counts = {step.name: step.count(person_id) for step in erasure_steps()}
    return {name: count for name, count in counts.items() if count}


def replay_erasures() -> int:
    """Forget everybody again whom the journal names and a restored backup brought back. Returns how many were."""
    try:
        _, names = private_storage().listdir(_JOURNAL)
    except FileNotFoundError:
        return 0
    people = {uuid.UUID(name.removesuffix(".json")) for name in names}
    back = User.objects.filter(pk__in=people, erased_at__isnull=True).values_list("pk", flat=True)
    return sum(_erase_again(person_id) for person_id in back)


def _erase_again(person_id: uuid.UUID) -> bool:
    with transaction.atomic():
        User.objects.filter(pk=person_id).update(is_active=False)
        erasure, _ = Erasure.objects.get_or_create(
            person_id=person_id, state__in=_UNDER_WAY, defaults={"due_at": timezone.now(), "state": ErasureState.SCHEDULED}
        )
    return run_erasure(erasure_id=erasure.pk)


def _lock_number(erasure_id: uuid.UUID) -> int:
    # PostgreSQL takes a signed number of 64 bits.
    return (erasure_id.int & (2**63 - 1)) - 2**62
