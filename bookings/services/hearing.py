"""What the video provider says about who was in a room."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from bookings.enums import LIVE_STATES, AttendanceSource
from bookings.models import Booking, Room
from bookings.services.attending import record_stay
from bookings.services.ending import begin
from bookings.services.moving import locked_booking

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
    booking = _booking_of(room, person_id)
    if booking is None:
        return False
    with transaction.atomic():
        key = _text(payload.get("session_id"), 100)
        record_stay(
            session_id=room.session_id, person_id=person_id, source=AttendanceSource.PROVIDER, key=key, joined_at=joined_at, left_at=left_at
        )
        if booking.state in LIVE_STATES:
            begin(locked_booking(booking.pk))
    return True


def _booking_of(room: Room, person_id: uuid.UUID) -> Booking | None:
    """The booking of a learner in this room, or of its mentor any of them."""
    rows = Booking.objects.filter(session=room.session_id).select_related("session")
    return rows.filter(learner=person_id).first() or rows.filter(session__mentor=person_id).order_by("pk").first()


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
