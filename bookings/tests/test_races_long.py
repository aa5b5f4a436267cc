"""The races at length: 200 people for one slot, fifty times; every pair of acts, fifty times."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

import pytest

from bookings.models import Booking, Strike
from bookings.services import groups
from bookings.tests.invariants import check_always, overlaps
from bookings.tests.races import at_once
from bookings.tests.test_races import TestPairs as Pairs
from bookings.tests.test_races import people
from bookings.tests.world import BookingWorld, utc
from core.errors import DomainError
from mentors.enums import MentorState
from mentors.models import MentorProfile, OccupiedTime, Offer
from mentors.services.keeping import keep_all_hours

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]
ROUNDS = 50


def test_two_hundred_people_for_one_slot(world: BookingWorld, make_user: Any) -> None:
    """Exactly one booking each time; everybody else is told so with alternatives."""
    MentorProfile.objects.update(capacity=1_000)
    learners = people(make_user, 200)
    taken: list[float] = []
    lock = threading.Lock()
    for number in range(ROUNDS):
        at = f"2027-06-{2 + number // 2:02} {10 + number % 2:02}:00"

        def timed(learner: Any, at: str = at) -> None:
            begun = time.monotonic()
            try:
                world.book(at, learner=learner)
            except DomainError as error:
                assert len(error.data["alternatives"]) == 3
                raise
            finally:
                with lock:
                    taken.append(time.monotonic() - begun)

        answers = at_once([lambda learner=learner: timed(learner) for learner in learners])
        assert answers == {"done": 1, "slot_unavailable": 199}, (number, answers)
        # Whoever won has it expire, so that nobody reaches the limit of holds.
        Booking.objects.filter(state="held").update(expires_at=world.clock.now())
        OccupiedTime.objects.filter(source="hold").update(held_until=world.clock.now())
        world.turn()
    assert overlaps() == 0
    taken.sort()
    print(
        f"{ROUNDS} rounds of 200: one each; half within {taken[len(taken) // 2]:.2f} s, 99 of 100 within {taken[-len(taken) // 100]:.2f} s"
    )


def test_two_hundred_people_for_twelve_seats(world: BookingWorld, make_user: Any) -> None:
    Offer.objects.create(
        profile=world.profile, kind="group", title="Together", duration_minutes=60, price_amount=0, price_currency="EUR", group_size=12
    )
    learners = people(make_user, 200)
    offer = Offer.objects.get(kind="group")
    for number in range(ROUNDS):
        at = utc(f"2027-06-{2 + number // 2:02} {10 + number % 2:02}:00")
        session = groups.announce_session(profile=world.profile, offer_id=offer.pk, starts_at=at)
        calls = [lambda learner=learner, key=session.pk: groups.book_seat(learner=learner, session_id=key) for learner in learners]
        assert at_once(calls) == {"done": 12, "session_full": 188}, number
        assert sorted(session.bookings.values_list("seat", flat=True)) == list(range(1, 13))
    check_always()
    print(f"{ROUNDS} rounds of 200 for a group of twelve: twelve each")


class TestEveryPair:
    """T2, fifty rounds."""

    acts = Pairs.acts

    @pytest.mark.parametrize("first", range(8))
    def test_each_pair(self, acts: Any, world: BookingWorld, make_user: Any, make_mentor: Any, first: int) -> None:
        answers: Counter[str] = Counter()
        for number in range(ROUNDS * (8 - first)):
            second = first + number % (8 - first)
            world.clock.ahead(days=1)
            keep_all_hours()
            # The mentor answers few of these requests and comes to no session, and would be paused for either.
            Strike.objects.all().delete()
            MentorProfile.objects.update(state=MentorState.LIVE, paused_because="", resumed_at=world.clock.now())
            prepared = acts()
            names = list(prepared)
            answers.update(at_once([prepared[names[first]], prepared[names[second]]]))
            assert overlaps() == 0
        check_always()
        print(f"pairs of {first}: {dict(answers)}")
