"""What the video provider says about who was in a room."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from bookings.enums import JOINABLE_STATES, AttendanceSource, BookingState, EndingBasis
from bookings.models import Booking, Room
from bookings.services.attending import is_met, record_stay
from bookings.services.ending import begin, is_contested
from bookings.services.moving import locked_booking
from bookings.services.outcomes import reopen_on_arrival, update_outcome
from core.batches import each_alone

_JOINED, _LEFT = "participant.joined", "participant.left"


def hear_of_stay(*, event: Mapping[str, Any]) -> bool:
    """Take an event of Daily into account (docs.daily.co/reference/rest-api/webhooks/events). Returns whether it told something about
    somebody who was to be in that room; rooms of others, unknown people and broken events tell nothing."""
    payload = event.get("payload")
    if event.get("type") not in (_JOINED, _LEFT) or not isinstance(payload, dict):
        return False
    room = Room.objects.filter(name=_text(payload.get("room"), 64)).first()
    person_id = _uuid(payload.get("user_id"))
    joined_at = _instant(payload.get("joined_at"))
    if room is None or person_id is None or joined_at is None:
        return False
    seconds = payload.get("duration")
    left_at = None
    if event["type"] == _LEFT and isinstance(seconds, int | float) and 0 <= seconds < 86_400:
        left_at = joined_at + datetime.timedelta(seconds=seconds)
    concerned = Booking.objects.filter(Q(learner=person_id) | Q(session__mentor=person_id), session=room.session_id)
    if not concerned.exists():
        return False
    key = _text(payload.get("session_id"), 100)
    record_stay(
        session_id=room.session_id, person_id=person_id, source=AttendanceSource.PROVIDER, key=key, joined_at=joined_at, left_at=left_at
    )
    # The mentor of a group is the other side of every booking in it.
    undecided = concerned.filter(state__in=JOINABLE_STATES, final_at__isnull=True)
    each_alone(_follow, list(undecided.order_by("pk").values_list("pk", flat=True)))
    return True


def _follow(booking_id: uuid.UUID) -> None:
    """Apply what the record tells about one booking now."""
    with transaction.atomic():
        booking = locked_booking(booking_id)
        if not begin(booking):
            reopen_on_arrival(booking)
        # An event that comes late may also refute what the record was taken to prove.
        is_open = booking.state in (BookingState.CONFIRMED, BookingState.IN_SESSION) or booking.basis == EndingBasis.RECORD
        if is_open and booking.session.ends_at <= timezone.now() and is_met(booking) and not is_contested(booking):
            update_outcome(booking)


def _text(value: object, length: int) -> str:
    """So much of it as a column takes, and nothing that the database refuses."""
    return str(value or "").replace("\x00", "").encode(errors="ignore").decode()[:length]


def _uuid(value: object) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(value))
    except ValueError:
        return None


def _instant(value: object) -> datetime.datetime | None:
    """Seconds since 1970, of this century."""
    if not isinstance(value, int | float) or not 946_684_800 <= value < 4_102_444_800:
        return None
    return datetime.datetime.fromtimestamp(value, tz=datetime.UTC)
