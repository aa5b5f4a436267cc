"""People who leave, or part: what they had ahead is called off, on the side of whoever left.

Everybody concerned is locked at once and first: two who leave never wait for each other, and who was let in before and waits for the same
locks has booked by then, so that this is called off, too.
"""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from bookings.enums import AHEAD_STATES, CONCLUDED_STATES, BookingState, Cause, Side, WaitlistState
from bookings.models import Booking, Session, WaitlistEntry
from bookings.models.rooms import CLOSES_AFTER
from bookings.services.cancelling import call_off
from bookings.services.groups import cancel_session, groups_ahead
from bookings.services.removing import remove
from mentors.services.keeping import lock_people


def leave(*, person_id: uuid.UUID) -> None:
    """Somebody was suspended, or is being erased. Learners of a mentor who leaves get all back; a learner who leaves gets what the policy
    says. What is going on is left to who was there, but without them."""
    with transaction.atomic():
        lock_people((person_id, *_met_by(person_id)))
        WaitlistEntry.objects.waiting().filter(Q(learner=person_id) | Q(mentor=person_id)).update(state=WaitlistState.LEFT)
        for booking_id in _keys(_ahead(learner=person_id)):
            call_off(booking_id=booking_id, side=Side.LEARNER, cause=Cause.LEFT)
        for session in groups_ahead().filter(mentor=person_id).order_by("pk"):
            cancel_session(session=session, cause=Cause.LEFT)
        for booking_id in _keys(_ahead(session__mentor=person_id)):
            call_off(booking_id=booking_id, side=Side.MENTOR, cause=Cause.LEFT)
        for session in _running().filter(Q(mentor=person_id) | Q(bookings__learner=person_id)):
            remove(session=session, person_id=person_id)


def part(*, blocker_id: uuid.UUID, blocked_id: uuid.UUID) -> None:
    """One blocked the other, for whatever reason: they do not meet, and nobody pays for that. From a session that is going on
    the blocked one is taken out; from one for several the learner."""
    with transaction.atomic():
        lock_people((blocker_id, blocked_id))
        for mentor_id, learner_id in ((blocker_id, blocked_id), (blocked_id, blocker_id)):
            WaitlistEntry.objects.waiting().filter(mentor=mentor_id, learner=learner_id).update(state=WaitlistState.LEFT)
            for booking_id in _keys(_ahead(session__mentor=mentor_id, learner=learner_id)):
                call_off(booking_id=booking_id, side=Side.PLATFORM, cause=Cause.APART)
            for session in _running().filter(mentor=mentor_id, bookings__learner=learner_id):
                remove(session=session, person_id=learner_id if session.is_group else blocked_id)


def bookings_ahead_of(person_id: uuid.UUID) -> int:
    """How many have not begun, on either side, and sessions for several that this person has announced."""
    return _ahead(learner=person_id).count() + _ahead(session__mentor=person_id).count() + groups_ahead().filter(mentor=person_id).count()


def _running() -> QuerySet[Session]:
    """Sessions that have begun and whose room may still be open, however somebody already says that they went."""
    begun = (BookingState.IN_SESSION, *CONCLUDED_STATES)
    return Session.objects.filter(bookings__state__in=begun, ends_at__gt=timezone.now() - CLOSES_AFTER).distinct()


def _met_by(person_id: uuid.UUID) -> set[uuid.UUID]:
    pairs = (_ahead(learner=person_id) | _ahead(session__mentor=person_id)).values_list("learner_id", "session__mentor_id")
    return {person for pair in pairs for person in pair}


def _ahead(**conditions: uuid.UUID) -> QuerySet[Booking]:
    """What is over is undone neither by a block nor by leaving: how it went is decided as always."""
    return Booking.objects.filter(state__in=AHEAD_STATES, session__ends_at__gt=timezone.now(), **conditions)


def _keys(bookings: QuerySet[Booking]) -> list[uuid.UUID]:
    return list(bookings.order_by("pk").values_list("pk", flat=True))
