"""Another time for the same booking."""

from __future__ import annotations

import datetime
import uuid

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from bookings.enums import BookingState, Cause, Side, StrikeKind
from bookings.errors import IllegalBookingMove, MovedTooNear, NothingChanged, TooManyMoves
from bookings.events import BookingMoved
from bookings.models import Booking
from bookings.services.limits import require_movable_to
from bookings.services.moving import locked_booking, record_new_time, require_state, side_of
from bookings.services.placing import hold_until, move_session
from bookings.services.refunds import FREE_FOR, apply_move
from bookings.services.reminding import plan_reminders
from bookings.services.requesting import answer_due
from bookings.services.series_holds import hold_unpaid, is_held_in_series, payment_due_at
from bookings.services.strikes import LATE, give_strike
from core.events import publish
from core.wall_time import as_text

MOST_MOVES = 2


def reschedule_booking(*, booking_id: uuid.UUID, user: User, starts_at: datetime.datetime, note: str = "") -> Booking:
    """Put it to another time that can be booked; it may overlap the present one. The refund deadlines count from the later of the two
    starts; what the learner had lost already when they moved it stays lost, and after a mentor's move the learner may cancel for a full
    refund for a day.

    Raises:
        IllegalBookingMove: it is neither requested nor confirmed, or has begun.
        MayNotAnswer: somebody is asked for it, and the mentor would move it: they propose another time instead.
        TooManyMoves: this side has moved it twice.
        MovedTooNear: the mentor would move it to an earlier time that is less than a day away.
        TooManyInAWeek: the learner gathers in one week what costs nothing or is not paid for.
        SlotUnavailable: the new time cannot be had. The present one stays.
    """
    with transaction.atomic():
        booking = locked_booking(booking_id)
        side = side_of(booking, user)
        before = booking.session.starts_at
        _require_movable(booking, side, starts_at)
        move_session(booking.session, starts_at=starts_at)
        apply_move(booking, side, at=timezone.now())
        _count(booking, side)
        booking.proposed_at = None
        if booking.state == BookingState.REQUESTED:
            booking.expires_at = answer_due(booking)
            hold_until(booking, booking.expires_at)
        elif booking.state == BookingState.HELD:
            hold_unpaid(booking, payment_due_at(booking))
        record_new_time(booking, side=side, cause=Cause.MOVED, actor=user, note=note)
        if booking.state == BookingState.CONFIRMED:
            plan_reminders(booking)
            if before - timezone.now() < LATE:
                give_strike(person=user if side == Side.MENTOR else booking.learner, booking=booking, kind=StrikeKind.LATE_MOVE)
        publish(BookingMoved(booking.pk, booking.version))
    return booking


def _require_movable(booking: Booking, side: Side, starts_at: datetime.datetime) -> None:
    # A mentor who is asked proposes another time: the learner decides.
    states = (BookingState.CONFIRMED,) if side == Side.MENTOR else (BookingState.REQUESTED, BookingState.CONFIRMED)
    # Of a series that is under way the unpaid sessions move like the others.
    require_state(booking, *states, *((BookingState.HELD,) if is_held_in_series(booking) else ()))
    if booking.session.is_group or booking.session.starts_at <= timezone.now():
        raise IllegalBookingMove(state=booking.state)
    if starts_at == booking.session.starts_at:
        raise NothingChanged
    if (booking.moves_by_mentor if side == Side.MENTOR else booking.moves_by_learner) >= MOST_MOVES:
        raise TooManyMoves
    if side == Side.LEARNER:
        require_movable_to(booking, starts_at)
    else:
        _require_time_to_see_it(booking, starts_at)


def _require_time_to_see_it(booking: Booking, starts_at: datetime.datetime) -> None:
    """A learner who is asleep does not miss a session that the mentor has just moved to the next hour."""
    earliest = min(booking.session.starts_at, timezone.now() + FREE_FOR)
    if starts_at < earliest:
        raise MovedTooNear(earliest=as_text(earliest))


def _count(booking: Booking, side: Side) -> None:
    if side == Side.MENTOR:
        booking.moves_by_mentor += 1
    else:
        booking.moves_by_learner += 1
