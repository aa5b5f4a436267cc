"""People who leave, or part: what they had ahead is called off, on the side of whoever left."""

from __future__ import annotations

import uuid

from django.db.models import Q

from bookings.enums import AHEAD_STATES, Cause, Side, WaitlistState
from bookings.models import Booking, WaitlistEntry
from bookings.services.cancelling import call_off


def leave(*, person_id: uuid.UUID) -> None:
    """Somebody was suspended, or is being erased. Learners of a mentor who leaves get all back; a learner who leaves gets what the policy
    says."""
    WaitlistEntry.objects.waiting().filter(Q(learner=person_id) | Q(mentor=person_id)).update(state=WaitlistState.LEFT)
    for booking_id in _ahead(learner=person_id):
        call_off(booking_id=booking_id, side=Side.LEARNER, cause=Cause.LEFT)
    for booking_id in _ahead(session__mentor=person_id):
        call_off(booking_id=booking_id, side=Side.MENTOR, cause=Cause.LEFT)


def part(*, blocker_id: uuid.UUID, blocked_id: uuid.UUID) -> None:
    """One blocked the other, for whatever reason: they do not meet, and nobody pays for that."""
    for mentor_id, learner_id in ((blocker_id, blocked_id), (blocked_id, blocker_id)):
        WaitlistEntry.objects.waiting().filter(mentor=mentor_id, learner=learner_id).update(state=WaitlistState.LEFT)
        for booking_id in _ahead(session__mentor=mentor_id, learner=learner_id):
            call_off(booking_id=booking_id, side=Side.PLATFORM, cause=Cause.APART)


def bookings_ahead_of(person_id: uuid.UUID) -> int:
    """How many have not begun, on either side."""
    return len(_ahead(learner=person_id)) + len(_ahead(session__mentor=person_id))


def _ahead(**conditions: uuid.UUID) -> list[uuid.UUID]:
    return list(Booking.objects.filter(state__in=AHEAD_STATES, **conditions).order_by("pk").values_list("pk", flat=True))
