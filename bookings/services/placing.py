"""The time of a booking's people, as `mentors` keeps it, and that of its session and room, which always say the same. Of a session for two
both rows go together, of one for several each learner's for itself."""

from __future__ import annotations

import datetime

from django.utils import timezone

from bookings.models import Booking, Session, WaitlistEntry
from bookings.services.rooms import plan_room
from mentors.services import gathering, occupying

# So long what is given back is kept for those who wait; the worker that offers it to them takes a second.
KEPT_FOR = datetime.timedelta(minutes=2)


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
    """The time is free again: for a moment for those alone who wait for it, so that nobody is quicker than they are. Needs the lock of
    the booking."""
    session = booking.session
    if session.is_group:
        gathering.leave_seat(reference=session.pk, learner_id=booking.learner_id)
        if WaitlistEntry.objects.waiting().filter(session=session).exists():
            session.kept_until = timezone.now() + KEPT_FOR
            session.save()
    else:
        occupying.release_claim(reference=session.pk)
        _keep_for_waiting(session, session.starts_at, session.ends_at)


def move_session(session: Session, *, starts_at: datetime.datetime) -> None:
    """Put a session to another time: the new one is taken before the present one is given back, and where it cannot be had nothing
    changes. Needs the lock of its people.

    Raises:
        SlotUnavailable: with the nearest times.
        ClaimGone: the time is held no more.
    """
    before = session.starts_at, session.ends_at
    occupying.move_claim(reference=session.pk, starts_at=starts_at, duration_minutes=session.duration_minutes)
    _keep_for_waiting(session, *before)
    session.starts_at = starts_at
    session.ends_at = starts_at + datetime.timedelta(minutes=session.duration_minutes)
    session.sequence += 1
    session.save()
    if hasattr(session, "room"):
        plan_room(session)


def _keep_for_waiting(session: Session, starts_at: datetime.datetime, ends_at: datetime.datetime) -> None:
    if WaitlistEntry.objects.waiting_for_time(session.mentor_id, starts_at, ends_at).exists():
        occupying.keep_for_waiting(mentor_id=session.mentor_id, starts_at=starts_at, ends_at=ends_at, held_until=timezone.now() + KEPT_FOR)
