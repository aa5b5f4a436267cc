"""Another time for the same booking."""

from __future__ import annotations

import datetime
import uuid

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from bookings.enums import BookingState, Cause, Side, StrikeKind
from bookings.errors import IllegalBookingMove, NothingChanged, TooManyMoves
from bookings.events import BookingMoved
from bookings.models import Booking
from bookings.services.moving import locked_booking, record_new_time, require_state, side_of
from bookings.services.placing import hold_until, move_session
from bookings.services.reminding import plan_reminders
from bookings.services.requesting import answer_due
from bookings.services.strikes import give_strike
from core.events import publish

MOST_MOVES = 2
# After a mentor moved it, a learner may step back for so long and gets all back.
FREE_FOR = datetime.timedelta(hours=24)
# Whoever puts a session off later than so long before it leaves the other one with a hole in their day.
_LATE = datetime.timedelta(hours=12)


def reschedule_booking(*, booking_id: uuid.UUID, user: User, starts_at: datetime.datetime, note: str = "") -> Booking:
    """Put it to another time that can be booked; it may overlap the present one. Whoever moves it gains nothing by that: for the policy a
    learner's move counts from the earlier of the two starts, a mentor's from the later one, and after a mentor's the learner may step
    back for a day.

    Raises:
        IllegalBookingMove: it is neither requested nor confirmed, or has begun.
        MayNotAnswer: somebody is asked for it, and the mentor would move it: they propose another time instead.
        TooManyMoves: this side has moved it twice.
        SlotUnavailable: the new time cannot be had. The present one stays.
    """
    with transaction.atomic():
        booking = locked_booking(booking_id)
        side = side_of(booking, user)
        before = booking.session.starts_at
        _require_movable(booking, side, starts_at)
        move_session(booking.session, starts_at=starts_at)
        _count(booking, side, before)
        booking.proposed_at = None
        if booking.state == BookingState.REQUESTED:
            booking.expires_at = answer_due(booking)
            hold_until(booking, booking.expires_at)
        record_new_time(booking, side=side, cause=Cause.MOVED, actor=user, note=note)
        if booking.state == BookingState.CONFIRMED:
            plan_reminders(booking)
            if before - timezone.now() < _LATE:
                give_strike(person=user if side == Side.MENTOR else booking.learner, booking=booking, kind=StrikeKind.LATE_MOVE)
        publish(BookingMoved(booking.pk, booking.version))
    return booking


def _require_movable(booking: Booking, side: Side, starts_at: datetime.datetime) -> None:
    # A mentor who is asked proposes another time: the learner decides.
    states = (BookingState.CONFIRMED,) if side == Side.MENTOR else (BookingState.REQUESTED, BookingState.CONFIRMED)
    require_state(booking, *states)
    if booking.session.is_group or booking.session.starts_at <= timezone.now():
        raise IllegalBookingMove(state=booking.state)
    if starts_at == booking.session.starts_at:
        raise NothingChanged
    if (booking.moves_by_mentor if side == Side.MENTOR else booking.moves_by_learner) >= MOST_MOVES:
        raise TooManyMoves


def _count(booking: Booking, side: Side, before: datetime.datetime) -> None:
    after = booking.session.starts_at
    if side == Side.MENTOR:
        booking.moves_by_mentor += 1
        booking.counted_from = max(booking.counted_from, after)
        booking.free_until = min(timezone.now() + FREE_FOR, after)
    else:
        booking.moves_by_learner += 1
        booking.counted_from = min(booking.counted_from, before, after)
