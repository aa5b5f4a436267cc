"""The room of a session: a row when the session is confirmed, made shortly before, made again if it was lost, deleted afterwards.

The provider is asked outside of the locks of people: it may take seconds. The name is ours, so asking twice makes one room.
"""

from __future__ import annotations

import datetime
import secrets
import uuid

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from bookings.enums import PLACED_STATES, RoomState
from bookings.events import RoomFailed
from bookings.models import Booking, Removal, Room, Session
from bookings.models.rooms import CLOSES_AFTER, OPENS_BEFORE
from bookings.providers.base import RoomPlan, VideoAway
from bookings.providers.video import FALLBACK, video, video_named
from core.batches import each_alone
from core.events import publish

logger = structlog.get_logger(__name__)

_MADE_BEFORE = datetime.timedelta(minutes=30)
_DELETED_AFTER = datetime.timedelta(minutes=10)
_AGAIN = datetime.timedelta(minutes=2)
_MOST_ATTEMPTS = 5
_BATCH = 100


def plan_room(session: Session) -> None:
    """A room for this time; one that was planned or made for another time follows. Needs the lock of the session's people."""
    opens_at = session.starts_at - OPENS_BEFORE
    times = {
        "opens_at": opens_at,
        "closes_at": session.ends_at + CLOSES_AFTER,
        "due_at": opens_at - _MADE_BEFORE,
        "attempts": 0,
        "last_error": "",
        "state": RoomState.PLANNED,
    }
    room, is_new = Room.objects.select_for_update().get_or_create(session=session, defaults={**times, "name": _new_name()})
    if not is_new:
        # A new name: whoever had the address of the old room does not have that of the new one.
        if room.state == RoomState.OPEN:
            times["name"] = _new_name()
        Room.objects.filter(pk=room.pk).update(**times, updated_at=timezone.now())


def close_room(session: Session) -> None:
    """Nobody meets: the room goes as soon as can be. Needs the lock of the session's people."""
    now = timezone.now()
    Room.objects.filter(session=session).exclude(state=RoomState.CLOSED).update(due_at=now, updated_at=now)


def look_after_rooms() -> int:
    """Make the rooms that are needed soon, and delete those that are over. Returns how many were looked at."""
    due = list(
        Room.objects.exclude(state=RoomState.CLOSED)
        .filter(due_at__lte=timezone.now())
        .order_by("due_at")
        .values_list("pk", flat=True)[:_BATCH]
    )
    return len(each_alone(lambda room_id: look_after_room(room_id=room_id), due))


def look_after_room(*, room_id: uuid.UUID) -> Room:
    """What is due for one room. Two at once ask the provider for the same."""
    room = Room.objects.select_related("session").get(pk=room_id)
    if room.closes_at <= timezone.now() or not _is_wanted(room):
        return _delete(room)
    return room if room.state == RoomState.OPEN else _make(room)


def ready_room(session: Session) -> Room:
    """The room of a session whose time has come: made now if it is not there yet, elsewhere if its provider is away."""
    room = Room.objects.select_related("session").get(session=session)
    if room.state == RoomState.OPEN and not _is_lost(room):
        return room
    if room.state == RoomState.OPEN:
        Room.objects.filter(pk=room.pk, name=room.name).update(state=RoomState.PLANNED)
    room = _make(room)
    return room if room.state == RoomState.OPEN else _make_elsewhere(room)


def plan_of(room: Room) -> RoomPlan:
    return RoomPlan(room.name, room.opens_at, room.closes_at, room.session.seats)


def _make(room: Room) -> Room:
    engine = video()
    Room.objects.filter(pk=room.pk).update(attempts=F("attempts") + 1, due_at=timezone.now() + _AGAIN)
    try:
        url = engine.make_room(plan_of(room))
    except VideoAway as error:
        logger.warning("room not made", room=str(room.pk), attempts=room.attempts + 1)
        return _keep_failure(room, str(error))
    return _keep(room, engine.name, url)


def _make_elsewhere(room: Room) -> Room:
    """The other provider needs nobody's answer."""
    with transaction.atomic():
        publish(RoomFailed(room.session_id))
        return _keep(room, FALLBACK.name, FALLBACK.make_room(plan_of(room)))


def _keep(room: Room, provider: str, url: str) -> Room:
    """Of two who made it, or of a session that was moved meanwhile, the row tells which stands."""
    changes = {"provider": provider, "url": url, "state": RoomState.OPEN, "due_at": room.closes_at + _DELETED_AFTER, "last_error": ""}
    open_one = Room.objects.filter(pk=room.pk, name=room.name).exclude(state__in=(RoomState.OPEN, RoomState.CLOSED))
    if open_one.update(**changes, updated_at=timezone.now()):
        # It may be a new one, which knows of nobody who may not come in.
        Removal.objects.filter(session=room.session_id).update(due_at=timezone.now(), updated_at=timezone.now())
    return Room.objects.select_related("session").get(pk=room.pk)


def _keep_failure(room: Room, error: str) -> Room:
    with transaction.atomic():
        locked = Room.objects.select_for_update(of=("self",)).select_related("session").get(pk=room.pk)
        if locked.state != RoomState.OPEN:
            locked.last_error = error[:300]
            if locked.attempts >= _MOST_ATTEMPTS and locked.state != RoomState.FAILED:
                locked.state = RoomState.FAILED
                publish(RoomFailed(locked.session_id))
            locked.save()
    return locked


def _delete(room: Room) -> Room:
    try:
        if room.url:
            video_named(room.provider).delete_room(room.name)
    except VideoAway:
        Room.objects.filter(pk=room.pk).update(due_at=timezone.now() + _AGAIN)
        return room
    Room.objects.filter(pk=room.pk, name=room.name).update(state=RoomState.CLOSED, updated_at=timezone.now())
    room.state = RoomState.CLOSED
    return room


def _is_lost(room: Room) -> bool:
    """Somebody deleted it in the provider's own pages. A provider that does not answer has lost nothing."""
    try:
        return not video_named(room.provider).has_room(room.name)
    except VideoAway:
        return False


def _is_wanted(room: Room) -> bool:
    return Booking.objects.filter(session=room.session_id, state__in=PLACED_STATES).exists()


def _new_name() -> str:
    return f"soosh-{secrets.token_hex(16)}"
