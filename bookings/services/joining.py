"""Going into the room of a session."""

from __future__ import annotations

import dataclasses
import datetime
import uuid

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from bookings.enums import JOINABLE_STATES, AttendanceSource, RoomState, Side
from bookings.errors import RoomNotReady, TooEarly, TooLate
from bookings.models import Attendance, Booking, Room
from bookings.models.rooms import CLOSES_AFTER, OPENS_BEFORE
from bookings.providers.base import Guest, VideoAway
from bookings.providers.video import video_named
from bookings.services.attending import record_stay
from bookings.services.ending import begin
from bookings.services.moving import locked_booking, require_state, side_of
from bookings.services.removing import require_not_removed
from bookings.services.rooms import plan_of, ready_room
from core.wall_time import as_text


@dataclasses.dataclass(frozen=True)
class Entrance:
    """The way into the room, for one person. `token` is empty where the provider knows none."""

    meeting_url: str
    token: str
    opens_at: datetime.datetime
    closes_at: datetime.datetime
    provider: str
    is_audio_only: bool


def join_session(*, booking: Booking, user: User, is_audio_only: bool = False) -> Entrance:
    """The address of the room and a token for this person alone, while the room is open. It marks the session as begun, and proves nothing
    about who came.

    Raises:
        IllegalBookingMove: the session will not take place.
        RemovedFromSession: for this person it is.
        TooEarly, TooLate: with the instants at which the room opens and closes.
        RoomNotReady: try again.
    """
    _require_open(booking, user)
    side = side_of(booking, user)
    try:
        room = ready_room(booking.session)
    except Room.DoesNotExist as error:
        raise RoomNotReady from error
    if room.state != RoomState.OPEN:
        raise RoomNotReady
    guest = Guest(user.pk, user.full_name, is_owner=side == Side.MENTOR, is_audio_only=is_audio_only)
    try:
        token = video_named(room.provider).token_for(plan_of(room), guest)
    except VideoAway as error:
        raise RoomNotReady from error
    _record(booking, user)
    return Entrance(room.url, token, room.opens_at, room.closes_at, room.provider, is_audio_only)


def record_app_stay(*, booking: Booking, user: User, is_leaving: bool) -> None:
    """The person's app says that it came into the room, or left it: that person's own word, which proves nothing.

    Raises:
        IllegalBookingMove, RemovedFromSession, TooEarly, TooLate: as for going in.
    """
    _require_open(booking, user)
    now = timezone.now()
    with transaction.atomic():
        open_stay = Attendance.objects.filter(
            session=booking.session_id, person=user, source=AttendanceSource.APP, left_at__isnull=True
        ).first()
        if is_leaving:
            if open_stay is not None:
                record_stay(session_id=booking.session_id, person_id=user.pk, source=AttendanceSource.APP, key=open_stay.key, left_at=now)
        elif open_stay is None:
            key = str(uuid.uuid4())
            record_stay(session_id=booking.session_id, person_id=user.pk, source=AttendanceSource.APP, key=key, joined_at=now)
        begin(locked_booking(booking.pk))


def _record(booking: Booking, user: User) -> None:
    with transaction.atomic():
        record_stay(session_id=booking.session_id, person_id=user.pk, source=AttendanceSource.LINK, key="link", joined_at=timezone.now())
        begin(locked_booking(booking.pk))


def _require_open(booking: Booking, user: User) -> None:
    """Raises what keeps the door shut."""
    require_state(booking, *JOINABLE_STATES)
    require_not_removed(session=booking.session, person_id=user.pk)
    now = timezone.now()
    opens_at, closes_at = booking.session.starts_at - OPENS_BEFORE, booking.session.ends_at + CLOSES_AFTER
    if now < opens_at:
        raise TooEarly(opens_at=as_text(opens_at), closes_at=as_text(closes_at))
    if now >= closes_at:
        raise TooLate(opens_at=as_text(opens_at), closes_at=as_text(closes_at))
