"""The one place where a booking changes its state or its time: along the graph, with a row of history, under the locks of its people."""

from __future__ import annotations

import functools
import uuid

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from bookings.enums import LIVE_STATES, MOVES, WAITING_STATES, BookingState, Cause, ReminderKind, Side, WaitlistState
from bookings.errors import IllegalBookingMove, MayNotAnswer
from bookings.models import Booking, BookingMove, Reminder, WaitlistEntry
from core.sockets import wake
from mentors.services.keeping import lock_people


def locked_booking(booking_id: uuid.UUID) -> Booking:
    """The booking, with the time of its people: nobody else changes either until the open transaction ends. People are locked first, as
    everybody does who takes time, so that two callers never wait for each other."""
    rows = Booking.objects.select_related("session__mentor", "learner", "offer")
    concerned = rows.get(pk=booking_id)
    lock_people((concerned.session.mentor_id, concerned.learner_id))
    return rows.select_for_update(of=("self", "session")).get(pk=booking_id)


def side_of(booking: Booking, user: User) -> Side:
    """On whose side this person acts: mentor, learner, or, for their ward, guardian."""
    return Side.MENTOR if booking.session.mentor_id == user.pk else Side.LEARNER


def require_side(booking: Booking, user: User, side: Side) -> None:
    """Raises:
    MayNotAnswer: it is for the other side to do this.
    """
    if side_of(booking, user) != side:
        raise MayNotAnswer


def require_state(booking: Booking, *states: BookingState) -> None:
    """Raises:
    IllegalBookingMove: the booking is in none of these states, or its time to be answered is over.
    """
    if booking.state not in states or is_overdue(booking):
        raise IllegalBookingMove(state=booking.state)


def is_overdue(booking: Booking) -> bool:
    """It was not paid for or answered in time, and nobody has said so yet."""
    return booking.expires_at is not None and booking.expires_at <= timezone.now()


def is_offered(booking: Booking) -> bool:
    """It was offered from the waitlist, and waits to be taken."""
    return WaitlistEntry.objects.filter(booking=booking, state=WaitlistState.OFFERED).exists()


def record_start(booking: Booking, *, side: Side, actor: User | None, cause: Cause = Cause.BOOKED) -> None:
    """The first row of the history of a booking that was just made."""
    _record(booking, from_state="", side=side, cause=cause, actor=actor, note="")


def move(booking: Booking, to: BookingState, *, side: Side, cause: Cause, actor: User | None = None, note: str = "") -> None:
    """Move a locked booking, and save it.

    Raises:
        IllegalBookingMove: no such move leads from its state.
    """
    if to not in MOVES.get(BookingState(booking.state), ()):
        raise IllegalBookingMove(state=booking.state)
    before, booking.state = booking.state, to
    if to not in WAITING_STATES:
        booking.expires_at = booking.proposed_at = None
    if to not in LIVE_STATES:
        booking.ended_at = booking.ended_at or timezone.now()
    if to == BookingState.CONFIRMED:
        booking.confirmed_at = timezone.now()
    if before == BookingState.HELD:
        Reminder.objects.filter(booking=booking, kind=ReminderKind.PAYMENT).delete()
    if before == BookingState.HELD and to not in LIVE_STATES:
        WaitlistEntry.objects.filter(booking=booking, state=WaitlistState.OFFERED).update(state=WaitlistState.PASSED)
    _save_next(booking, before, side=side, cause=cause, actor=actor, note=note)


def record_new_time(booking: Booking, *, side: Side, cause: Cause, actor: User | None, note: str = "") -> None:
    """A locked booking has another time: save it, with a row of history."""
    _save_next(booking, booking.state, side=side, cause=cause, actor=actor, note=note)


def _save_next(booking: Booking, before: str, *, side: Side, cause: Cause, actor: User | None, note: str) -> None:
    booking.version += 1
    booking.save()
    _record(booking, from_state=before, side=side, cause=cause, actor=actor, note=note)


def _record(booking: Booking, *, from_state: str, side: Side, cause: Cause, actor: User | None, note: str) -> None:
    BookingMove.objects.create(
        booking=booking,
        version=booking.version,
        from_state=from_state,
        to_state=booking.state,
        moved_at=timezone.now(),
        starts_at=booking.session.starts_at,
        side=side,
        actor=actor,
        cause=cause,
        note=note,
    )
    people = (booking.learner_id, booking.session.mentor_id)
    transaction.on_commit(functools.partial(wake, [socket_group(person_id) for person_id in people]), robust=True)


def socket_group(person_id: uuid.UUID) -> str:
    """The sockets that show this person's sessions."""
    return f"bookings.{person_id}"
