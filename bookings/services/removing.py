"""People who may not come into a room any more. A token that they took before would still let them in, so the provider is told.

The row comes first; the provider is asked outside of all locks, and again until it knows.
"""

from __future__ import annotations

import datetime
import uuid

from django.db import transaction
from django.utils import timezone

from bookings.enums import RoomState
from bookings.errors import RemovedFromSession
from bookings.models import Removal, Session
from bookings.models.rooms import CLOSES_AFTER, OPENS_BEFORE
from bookings.providers.base import VideoAway
from bookings.providers.video import video_named
from core.batches import each_alone
from core.bell import ring_unless_rung

LOOK = "bookings.tasks.look_after_removals"
_AGAIN = datetime.timedelta(seconds=30)
_BATCH = 100


def remove(*, session: Session, person_id: uuid.UUID) -> None:
    """Let somebody come into the room of a session no more. Before it opens there is nothing to do: nobody has a token. Needs the lock of
    this person."""
    now = timezone.now()
    if session.starts_at - OPENS_BEFORE <= now < session.ends_at + CLOSES_AFTER:
        Removal.objects.update_or_create(session=session, person_id=person_id, defaults={"due_at": now})
        transaction.on_commit(lambda: ring_unless_rung(LOOK))


def require_not_removed(*, session: Session, person_id: uuid.UUID) -> None:
    """Raises:
    RemovedFromSession: they may not come in.
    """
    if Removal.objects.filter(session=session, person=person_id).exists():
        raise RemovedFromSession


def tell_provider() -> int:
    """Tell it of those who may not come in. Returns how many were looked at."""
    due = Removal.objects.filter(due_at__lte=timezone.now()).order_by("due_at")
    return len(each_alone(_tell, list(due.values_list("pk", flat=True)[:_BATCH])))


def _tell(removal_id: uuid.UUID) -> None:
    removal = Removal.objects.select_related("session__room").get(pk=removal_id)
    room = getattr(removal.session, "room", None)
    due_at = None
    # A room that is not made yet is one that they can come into later.
    if room is not None and room.state != RoomState.CLOSED and room.closes_at > timezone.now():
        due_at = timezone.now() + _AGAIN
        if room.state == RoomState.OPEN:
            try:
                video_named(room.provider).shut_out(room.name, removal.person_id)
                due_at = None
            except VideoAway:
                pass
    Removal.objects.filter(pk=removal.pk, due_at=removal.due_at).update(due_at=due_at, updated_at=timezone.now())
