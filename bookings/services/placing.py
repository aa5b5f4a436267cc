"""The time of a booking's people, as `mentors` keeps it: of a session for two both rows go together, of one for several each learner's for
itself."""

from __future__ import annotations

import datetime

from bookings.models import Booking
from mentors.services import gathering, occupying


def hold_until(booking: Booking, until: datetime.datetime) -> None:
    """Hold it up to another instant. Needs the lock of the booking.

    Raises:
        ClaimGone: the hold is over.
    """
    if booking.session.is_group:
        gathering.hold_seat(reference=booking.session_id, learner_id=booking.learner_id, held_until=until)
    else:
        occupying.prolong_claim(reference=booking.session_id, held_until=until)


def keep_place(booking: Booking) -> None:
    """It is held no more, but taken. Needs the lock of the booking.

    Raises:
        ClaimGone: the hold is over.
    """
    if booking.session.is_group:
        gathering.keep_seat(reference=booking.session_id, learner_id=booking.learner_id)
    else:
        occupying.confirm_claim(reference=booking.session_id)


def give_place_back(booking: Booking) -> None:
    """The time is free again. Needs the lock of the booking."""
    if booking.session.is_group:
        gathering.leave_seat(reference=booking.session_id, learner_id=booking.learner_id)
    else:
        occupying.release_claim(reference=booking.session_id)
