"""Small questions with a yes or a no. Services ask them, and the API says what somebody may do with a booking."""

from __future__ import annotations

from accounts.models import User
from accounts.policies import is_minor
from bookings.enums import AHEAD_STATES, NO_SHOWS, BookingState
from bookings.models import Booking


def is_mentor_of(user: User, booking: Booking) -> bool:
    return booking.session.mentor_id == user.pk


def is_learner_of(user: User, booking: Booking) -> bool:
    return booking.learner_id == user.pk


def can_answer(user: User, booking: Booking) -> bool:
    """The mentor who is asked."""
    return is_mentor_of(user, booking) and booking.state == BookingState.REQUESTED


def can_cancel(user: User, booking: Booking) -> bool:
    """Either side, before it begins."""
    return booking.state in AHEAD_STATES


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


def can_appeal(user: User, booking: Booking) -> bool:
    """Who is said not to have come, until the money is divided."""
    if booking.state not in NO_SHOWS or booking.settled_at is not None:
        return False
    missed = {
        BookingState.NO_SHOW_BY_LEARNER: (booking.learner_id,),
        BookingState.NO_SHOW_BY_MENTOR: (booking.session.mentor_id,),
        BookingState.NO_SHOW_BY_BOTH: (booking.learner_id, booking.session.mentor_id),
    }
    return user.pk in missed[BookingState(booking.state)]


def moves_open_to(user: User, booking: Booking) -> list[str]:
    """The calls that this person can make now, by the names of their paths. Those that hang on the clock or on who was in the room are
    decided when they are made."""
    held = booking.state in (BookingState.CONFIRMED, BookingState.IN_SESSION)
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
        "join": held and can_join(user, booking),
        "complete": held,
        "no-show": held,
        "appeal": can_appeal(user, booking),
    }
    return [name for name, is_open in found.items() if is_open]
