"""Small questions with a yes or a no. Services ask them, and the API says what somebody may do with a booking."""

from __future__ import annotations

from django.utils import timezone

from accounts.models import User
from accounts.policies import is_minor
from bookings.enums import (
    AHEAD_STATES,
    CONCLUDED_STATES,
    JOINABLE_STATES,
    STATE_OF_OUTCOME,
    AppealState,
    BookingState,
    Outcome,
    Side,
)
from bookings.models import Appeal, Booking, Statement
from bookings.models.rooms import CLOSES_AFTER


def is_mentor_of(user: User, booking: Booking) -> bool:
    return booking.session.mentor_id == user.pk


def is_learner_of(user: User, booking: Booking) -> bool:
    return booking.learner_id == user.pk


def can_answer(user: User, booking: Booking) -> bool:
    """The mentor who is asked."""
    return is_mentor_of(user, booking) and booking.state == BookingState.REQUESTED


def can_cancel(user: User, booking: Booking) -> bool:
    """Either side, before it begins."""
    return booking.state in AHEAD_STATES and booking.session.ends_at > timezone.now()


def awaits_learner(booking: Booking) -> bool:
    """It was offered from the waitlist, and nobody has taken it: whatever else is held has a payment, or waits for a guardian."""
    return booking.state == BookingState.HELD and booking.payment_id is None and not is_minor(booking.learner)


def can_reschedule(user: User, booking: Booking) -> bool:
    """Either side, once it is confirmed; a learner while it is requested, too."""
    states = (BookingState.CONFIRMED,) if is_mentor_of(user, booking) else (BookingState.REQUESTED, BookingState.CONFIRMED)
    return booking.state in states and not booking.session.is_group


def can_join(user: User, booking: Booking) -> bool:
    """The two whose session it is: a guardian may book for a ward, and stays out of the room."""
    return is_mentor_of(user, booking) or is_learner_of(user, booking)


def can_enter(user: User, booking: Booking) -> bool:
    """Both people of the session, until the room closes, whatever was stated about it."""
    closes_at = booking.session.ends_at + CLOSES_AFTER
    is_ahead = booking.state in (BookingState.CONFIRMED, BookingState.IN_SESSION)
    return can_join(user, booking) and (is_ahead or (booking.state in JOINABLE_STATES and timezone.now() < closes_at))


def can_say_it_took_place(user: User, booking: Booking) -> bool:
    """A side that has made no statement, while the ending is open or agreeing makes it final."""
    statement, is_open = _statement_of(user, booking), booking.state in (BookingState.CONFIRMED, BookingState.IN_SESSION)
    if _open_appeals(booking) or not (is_open or (booking.state == BookingState.COMPLETED and booking.final_at is None)):
        return False
    # A claim that the other side was absent can be taken back.
    is_claim = statement is not None and STATE_OF_OUTCOME[Outcome(statement.says)] not in (
        BookingState.COMPLETED,
        _OWN_ABSENCE[_side_of(user, booking)],
    )
    return statement is None or (is_open and is_claim)


def can_report_no_show(user: User, booking: Booking) -> bool:
    """A side that has made no statement, while the ending is open."""
    is_open = booking.state in (BookingState.CONFIRMED, BookingState.IN_SESSION)
    return is_open and _statement_of(user, booking) is None and not _open_appeals(booking)


def can_appeal(user: User, booking: Booking) -> bool:
    """A side that has not agreed to the ending, until it is final; once one side contests it, also the other."""
    side = _side_of(user, booking)
    own = next((row for row in booking.appeals.all() if row.side == side), None)
    if own is not None:
        return own.state == AppealState.OPEN and not own.text
    if _open_appeals(booking):
        return True
    if booking.final_at is not None or booking.contest_until is None or booking.contest_until <= timezone.now():
        return False
    statement = _statement_of(user, booking)
    if booking.state in CONCLUDED_STATES:
        return statement is None or STATE_OF_OUTCOME[Outcome(statement.says)] != booking.state
    is_open = booking.state in (BookingState.CONFIRMED, BookingState.IN_SESSION)
    return is_open and statement is None and bool(booking.statements.all())


def can_add_evidence(user: User, booking: Booking) -> bool:
    """A side that has given its account, until staff decide."""
    side = _side_of(user, booking)
    return any(row.side == side for row in _open_appeals(booking))


def becomes(booking: Booking) -> BookingState | None:
    """What its session will count as if nobody contests it and the record shows nothing else."""
    if booking.state in CONCLUDED_STATES:
        return BookingState(booking.state)
    statements = list(booking.statements.all())
    is_open = booking.state in (BookingState.CONFIRMED, BookingState.IN_SESSION)
    return STATE_OF_OUTCOME[Outcome(statements[0].says)] if is_open and len(statements) == 1 else None


_OWN_ABSENCE = {Side.LEARNER: BookingState.NO_SHOW_BY_LEARNER, Side.MENTOR: BookingState.NO_SHOW_BY_MENTOR}


def _side_of(user: User, booking: Booking) -> Side:
    return Side.MENTOR if is_mentor_of(user, booking) else Side.LEARNER


def _statement_of(user: User, booking: Booking) -> Statement | None:
    side = _side_of(user, booking)
    return next((row for row in booking.statements.all() if row.side == side), None)


def _open_appeals(booking: Booking) -> list[Appeal]:
    return [row for row in booking.appeals.all() if row.state == AppealState.OPEN]


def moves_open_to(user: User, booking: Booking) -> list[str]:
    """The calls that this person can make now, by the names of their paths. Those that hang on the clock or on who was in the room are
    decided when they are made."""
    is_learner = not is_mentor_of(user, booking)
    found = {
        "confirm": can_answer(user, booking),
        "decline": can_answer(user, booking),
        "counter": can_answer(user, booking),
        "accept-counter": is_learner and booking.state == BookingState.REQUESTED and booking.proposed_at is not None,
        "approve": user.pk not in (booking.learner_id, booking.session.mentor_id) and booking.state == BookingState.HELD,
        "take": booking.learner_id == user.pk and awaits_learner(booking),
        "cancel": can_cancel(user, booking),
        "reschedule": can_reschedule(user, booking),
        "join": can_enter(user, booking),
        "complete": can_say_it_took_place(user, booking),
        "no-show": can_report_no_show(user, booking),
        "appeal": can_appeal(user, booking),
        "appeal/evidence": can_add_evidence(user, booking),
    }
    return [name for name, is_open in found.items() if is_open]
