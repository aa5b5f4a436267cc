"""Many at once: one gets it, everybody else is told so and what else there is. The locks and the constraint are each tried without the other,
and the test is tried without both, so that it is known to see."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from bookings.enums import BookingState
from bookings.models import Booking
from bookings.services import cancelling, expiring, leaving, requesting, rescheduling
from bookings.services.booking import book_session
from bookings.services.series import book_series
from bookings.tests.invariants import check_always, overlaps
from bookings.tests.races import at_once, shuffled, without_constraint, without_locks
from bookings.tests.world import BookingWorld
from conftest import Api, wait_for_locks
from mentors.models import OccupiedTime
from mentors.services.keeping import lock_people
from mentors.services.occupying import block_time

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 12


def people(make_user: Callable[..., User], number: int = PEOPLE) -> list[User]:
    return [make_user() for _ in range(number)]


def attempts(world: BookingWorld, learners: list[User], at: str = "2027-06-05 10:00") -> list[Callable[[], Any]]:
    return [lambda learner=learner: world.book(at, learner=learner) for learner in learners]


def test_one_slot(world: BookingWorld, make_user: Any) -> None:
    learners = people(make_user)
    for day in (5, 6, 7):
        answers = at_once(attempts(world, learners, f"2027-06-{day:02} 10:00"))
        assert answers == {"done": 1, "slot_unavailable": PEOPLE - 1}
    check_always()
    assert OccupiedTime.objects.count() == 6


def test_the_constraint_alone_is_enough(world: BookingWorld, make_user: Any) -> None:
    learners = people(make_user)
    with without_locks():
        for day in (5, 6, 7):
            answers = at_once(attempts(world, learners, f"2027-06-{day:02} 10:00"))
            assert answers["done"] <= 1 and set(answers) <= {"done", "slot_unavailable"}
    assert overlaps() == 0


def test_without_both_it_would_be_seen(world: BookingWorld, make_user: Any) -> None:
    """Else this file proves nothing."""
    learners = people(make_user)
    with without_constraint(), without_locks():
        for day in range(5, 25):
            at_once(attempts(world, learners, f"2027-06-{day:02} 10:00"))
            if overlaps():
                break
        assert overlaps() > 0


def test_over_http_with_alternatives(world: BookingWorld, make_user: Any) -> None:
    apis = [Api().sign_in(user) for user in people(make_user, 6)]
    body = {"mentor_id": str(world.profile.pk), "scheduled_at": "2027-06-05T10:00:00Z", "duration_minutes": 60}
    answers: list[Any] = []
    at_once([lambda api=api: answers.append(api.post("bookings", body)) for api in apis])
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert refused["code"] == "slot_unavailable"
    assert refused["alternatives"] == ["2027-06-05T08:30:00Z", "2027-06-05T09:00:00Z", "2027-06-05T11:00:00Z"]
    assert overlaps() == 0


def test_a_learner_is_in_one_place(world: BookingWorld, make_mentor: Any, make_user: Any) -> None:
    others = [make_mentor(user=make_user()) for _ in range(4)]

    def attempt(profile: Any) -> Booking:
        start = datetime.datetime(2027, 6, 5, 10, tzinfo=datetime.UTC)
        return book_session(learner=world.learner, mentor_id=profile.pk, starts_at=start, duration_minutes=60)

    answers = at_once([lambda profile=profile: attempt(profile) for profile in (world.profile, *others)])
    assert answers == {"done": 1, "slot_unavailable": 4}


def test_who_parts_while_the_other_books_does_not_meet_them(world: BookingWorld) -> None:
    """Though the booking had looked already, and waited for the lock as the block was made."""
    with ThreadPoolExecutor(2) as pool:

        def apart(call: Callable[[], Any]) -> Future[Any]:
            return pool.submit(lambda: (call(), connection.close())[0])

        with transaction.atomic():
            lock_people([world.mentor.pk])
            booked = apart(world.book)
            wait_for_locks(1)
            parted = apart(lambda: leaving.part(blocker_id=world.mentor.pk, blocked_id=world.learner.pk))
            wait_for_locks(2)
        parted.result(timeout=20)
    assert Booking.objects.get(pk=booked.result().pk).state == BookingState.CANCELLED_BY_PLATFORM
    assert not OccupiedTime.objects.exists()


def test_two_who_leave_at_once_do_not_wait_for_each_other(world: BookingWorld, make_mentor: Any, make_user: Any) -> None:
    """Each has met the other, in both roles, and somebody else."""
    other = make_mentor(user=make_user())
    for round_ in range(10):
        day = f"2027-06-{5 + round_:02}"
        for profile, learner, hour in (
            (world.profile, other.user, 8),
            (other, world.mentor, 12),
            (world.profile, world.learner, 16),
            (other, world.learner, 20),
        ):
            start = datetime.datetime.fromisoformat(f"{day}T{hour:02}:00:00Z")
            book_session(learner=learner, mentor_id=profile.pk, starts_at=start, duration_minutes=60)
        people_leaving = shuffled([world.mentor.pk, other.user_id, world.learner.pk], round_)
        assert at_once([lambda person=person: leaving.leave(person_id=person) for person in people_leaving]) == {"done": 3}
        assert not OccupiedTime.objects.exists()
        check_always()


class TestPairs:
    """T2: whatever two do at the same moment, nobody is booked twice and every booking stands where its history says."""

    @pytest.fixture
    def acts(self, world: BookingWorld, make_user: Any) -> Callable[[], dict[str, Callable[[], Any]]]:
        """What can be done around one hour, each prepared so that it could go well."""

        last = [world.clock.now().date()]

        def prepare() -> dict[str, Callable[[], Any]]:
            last[0] = max(last[0], world.clock.now().date()) + datetime.timedelta(days=1)
            at = last[0].isoformat()
            one, two, three, four = people(make_user, 4)
            requested = world.requested(f"{at} 10:00", learner=one)
            moving = world.confirmed(f"{at} 14:00", learner=two)
            overdue = world.requested(f"{at} 12:00", learner=three)
            Booking.objects.filter(pk=overdue.pk).update(expires_at=world.clock.now())
            OccupiedTime.objects.filter(reference=overdue.session_id).update(held_until=world.clock.now())
            start = moving.session.starts_at.replace(hour=12)
            return {
                "create": lambda: world.book(f"{at} 12:00", learner=one),
                "create over": lambda: world.book(f"{at} 11:30", learner=two),
                "create series": lambda: book_series(
                    learner=four,
                    mentor_id=world.profile.pk,
                    first_at=start,
                    starts=[start, start.replace(hour=20)],
                    duration_minutes=60,
                    number=2,
                ),
                "confirm": lambda: requesting.confirm_booking(booking_id=requested.pk, mentor=world.mentor),
                "reschedule": lambda: rescheduling.reschedule_booking(booking_id=moving.pk, user=two, starts_at=start),
                "expire": expiring.expire_bookings,
                "mentor block": lambda: block_time(person=world.mentor, starts_at=start, ends_at=start + datetime.timedelta(hours=1)),
                "cancel": lambda: cancelling.cancel_booking(booking_id=requested.pk, user=one),
            }

        return prepare

    @pytest.mark.parametrize("first", range(8))
    def test_each_pair(self, acts: Any, world: BookingWorld, first: int) -> None:
        prepared = acts()
        names = list(prepared)
        for second in names[first:]:
            prepared = prepared if second == names[first] else acts()
            at_once([prepared[names[first]], prepared[second]])
            check_always()
            world.turn()
            check_always()
        assert timezone.now() == world.clock.now()
