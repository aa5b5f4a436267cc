"""How much of mentors' time one person can take without paying, by every way of taking it."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.utils import timezone

from bookings.models import Booking, BookingTerms
from bookings.services import cancelling, expiring, waiting
from bookings.services.limits import MOST_UNPAID_A_WEEK, MOST_UNPAID_AHEAD, MOST_UNPAID_WITH_MENTOR
from bookings.tests.invariants import check_always
from bookings.tests.test_series_holds import book as book_series
from bookings.tests.test_series_holds import paid_first
from bookings.tests.world import BookingWorld
from conftest import Api, at_once
from core.wall_time import as_text
from mentors.services.schedules import Availability, set_availability
from mentors.tests.conftest import weekly

pytestmark = pytest.mark.django_db


@pytest.fixture
def open_year(world: BookingWorld) -> BookingWorld:
    """The mentor can be booked a year ahead."""
    set_availability(
        profile=world.profile, availability=Availability("UTC", weekly("00:00-24:00"), (), (), {"horizon_days": 365, "notice_minutes": 0})
    )
    return world


def ask(api: Api, world: BookingWorld, at: str = "2027-06-02T10:00:00Z", number: int | None = None, **more: Any) -> Any:
    body = {"mentor_id": str(world.profile.pk), "scheduled_at": at, "duration_minutes": 60} | more
    return api.post("bookings/series", body | {"number": number}) if number else api.post("bookings", body)


def free_and_instant(world: BookingWorld) -> None:
    world.profile.offers.update(price_amount=0)
    BookingTerms.objects.create(mentor=world.mentor, is_instant=True)


def daily(number: int, *, hour: int, step: int = 1) -> list[str]:
    first = datetime.datetime(2027, 6, 2, hour, tzinfo=datetime.UTC)
    return [as_text(first + datetime.timedelta(days=step * count)) for count in range(number)]


class TestSeries:
    def test_a_year_of_a_mentor_is_not_held_for_nothing(self, open_year: BookingWorld) -> None:
        api = Api().sign_in(open_year.learner)
        assert ask(api, open_year, number=50).status_code == 400
        assert ask(api, open_year, number=26).status_code == 201
        codes = {ask(api, open_year, f"2027-06-02T{hour}:00:00Z", number=26).json()["code"] for hour in range(11, 17)}
        assert codes == {"too_many_unpaid_ahead"}
        assert Booking.objects.filter(state="held").count() == 26
        open_year.clock.ahead(minutes=15)
        open_year.turn()
        assert not Booking.objects.filter(state="held").exists()

    def test_an_honest_half_year_of_weeks_and_some_single_sessions(self, open_year: BookingWorld) -> None:
        rows = paid_first(open_year, 26)
        assert {row.state for row in Booking.objects.exclude(pk=rows[0].pk)} == {"held"}
        # What a series holds does not count as holds that are being paid for.
        for hour in (12, 13, 14):
            assert open_year.book(f"2027-06-02 {hour}:00").state == "held"
        assert ask(Api().sign_in(open_year.learner), open_year, "2027-06-02T15:00:00Z").json()["code"] == "too_many_holds"

    def test_a_series_of_which_nothing_is_paid_is_one_hold(self, open_year: BookingWorld) -> None:
        for hour in (10, 11, 12):
            book_series(open_year, 4, scheduled_at=f"2027-06-02T{hour}:00:00Z")
        api = Api().sign_in(open_year.learner)
        assert ask(api, open_year, "2027-06-02T13:00:00Z").json()["code"] == "too_many_holds"
        assert ask(api, open_year, "2027-06-02T13:00:00Z", number=2).json()["code"] == "too_many_holds"

    def test_no_week_is_filled_with_chosen_times(self, open_year: BookingWorld) -> None:
        api = Api().sign_in(open_year.learner)
        hours = [f"2027-06-03T{hour:02}:00:00Z" for hour in range(8, 8 + MOST_UNPAID_A_WEEK + 1)]
        refused = ask(api, open_year, hours[0], number=6, starts=hours)
        assert (refused.json()["code"], refused.json()["most"]) == ("too_many_in_a_week", MOST_UNPAID_A_WEEK)
        assert ask(api, open_year, hours[0], number=5, starts=hours[:-1]).status_code == 201
        assert ask(api, open_year, hours[-1]).json()["code"] == "too_many_in_a_week"
        # Far from that week there is room.
        assert ask(api, open_year, "2027-06-20T10:00:00Z").status_code == 201

    def test_who_pays_the_first_and_never_the_rest(self, open_year: BookingWorld) -> None:
        """Two lapses release a series; five within two months keep from booking what costs something."""
        api = Api().sign_in(open_year.learner)
        for hour in (10, 11, 12):
            day = open_year.clock.now() + datetime.timedelta(days=1)
            at = as_text(day.replace(hour=hour))
            rows = paid_first(open_year, 8, scheduled_at=at)
            open_year.clock.ahead(days=10)
            open_year.turn()
            assert not Booking.objects.filter(series=rows[0].series_id, state="held").exists()
        assert ask(api, open_year, as_text(open_year.clock.now() + datetime.timedelta(days=2))).json()["code"] == "too_many_unpaid"
        open_year.clock.ahead(days=61)
        assert ask(api, open_year, as_text(open_year.clock.now() + datetime.timedelta(days=2))).status_code == 201

    def test_who_fails_to_pay_a_series_once_may_try_again(self, open_year: BookingWorld) -> None:
        book_series(open_year, 12)
        open_year.clock.ahead(minutes=15)
        expiring.expire_bookings()
        book_series(open_year, 12)

    def test_holds_that_are_given_back_again_and_again(self, open_year: BookingWorld) -> None:
        api = Api().sign_in(open_year.learner)
        for count in range(10):
            if count % 2:
                cancelling.cancel_booking(booking_id=open_year.book().pk, user=open_year.learner)
            else:
                rows = book_series(open_year, 3)
                api.post(f"bookings/series/{rows[0].series_id}/cancel")
        assert ask(api, open_year).json()["code"] == "too_many_unpaid"
        open_year.clock.ahead(hours=25)
        assert ask(api, open_year, "2027-06-03T10:00:00Z").status_code == 201


class TestFree:
    def test_a_mentor_who_costs_nothing_is_not_taken_whole(self, open_year: BookingWorld) -> None:
        free_and_instant(open_year)
        api = Api().sign_in(open_year.learner)
        assert ask(api, open_year, number=26).status_code == 201
        assert ask(api, open_year, "2027-06-02T12:00:00Z", number=26).json()["code"] == "too_many_unpaid_ahead"
        singles = [ask(api, open_year, f"2027-06-02T{hour}:00:00Z").status_code for hour in range(11, 18)]
        assert singles == [201] * 4 + [409] * 3
        assert Booking.objects.filter(state="confirmed").count() == MOST_UNPAID_WITH_MENTOR
        # What took place counts no more.
        open_year.clock.set("2027-06-04 00:00")
        assert ask(api, open_year, "2027-06-12T12:00:00Z").status_code == 201

    def test_nor_is_one_week_filled_by_moves(self, open_year: BookingWorld) -> None:
        free_and_instant(open_year)
        api = Api().sign_in(open_year.learner)
        rows = ask(api, open_year, number=8).json()["bookings"]
        answers = [
            api.post(f"bookings/{row['id']}/reschedule", {"scheduled_at": f"2027-06-02T{hour}:00:00Z"}).json()
            for hour, row in zip(range(11, 17), rows[1:], strict=False)
        ]
        assert [row.get("code") for row in answers] == [None] * 4 + ["too_many_in_a_week"] * 2

    def test_not_a_few_of_each_of_many_mentors_either(self, open_year: BookingWorld, make_mentor: Any) -> None:
        api = Api().sign_in(open_year.learner)
        free_and_instant(open_year)
        taken = 0
        for hour in (8, 10, 12):
            profile = make_mentor(horizon_days=365)
            profile.offers.update(price_amount=0)
            BookingTerms.objects.create(mentor=profile.user, is_instant=True)
            body = {"mentor_id": str(profile.pk), "scheduled_at": f"2027-06-02T{hour:02}:00:00Z", "duration_minutes": 60, "number": 25}
            taken += 25 * (api.post("bookings/series", body).status_code == 201)
        assert taken == 50 <= MOST_UNPAID_AHEAD
        assert ask(api, open_year, "2027-06-02T14:00:00Z", number=11).json()["code"] == "too_many_unpaid_ahead"
        assert ask(api, open_year, "2027-06-02T14:00:00Z", number=10).status_code == 201

    def test_a_series_of_requests_is_one_request(self, open_year: BookingWorld) -> None:
        open_year.profile.offers.update(price_amount=0)
        api = Api().sign_in(open_year.learner)
        for week in range(5):
            at = as_text(datetime.datetime(2027, 6, 2 + week * 5, 10, tzinfo=datetime.UTC))
            assert ask(api, open_year, at, number=2, every_weeks=8).status_code == 201
        assert ask(api, open_year, "2027-12-02T10:00:00Z").json()["code"] == "too_many_open_requests"


def test_what_is_offered_counts_once_it_is_taken(world: BookingWorld) -> None:
    """Whoever waits in many lines is offered no more than they could hold, and takes no more than that."""
    held = [world.book(f"2027-06-05 {hour}:00") for hour in (10, 12)]
    other = world.confirmed("2027-06-06 10:00", learner=world.other())
    noon, evening = (datetime.datetime(2027, 6, 6, hour, tzinfo=datetime.UTC) for hour in (10, 11))
    offer = world.profile.offers.get()
    waiting.wait_for_time(learner=world.learner, mentor_id=world.profile.pk, offer_id=offer.pk, opens_at=noon, closes_at=evening)
    cancelling.cancel_booking(booking_id=other.pk, user=other.learner)
    world.turn()
    offered = Booking.objects.get(learner=world.learner, session__starts_at=noon)
    held.append(world.book("2027-06-05 14:00"))
    api = Api().sign_in(world.learner)
    assert api.post(f"bookings/{offered.pk}/take").json()["code"] == "too_many_holds"
    cancelling.cancel_booking(booking_id=held[0].pk, user=world.learner)
    assert api.post(f"bookings/{offered.pk}/take").status_code == 200
    check_always()


@pytest.mark.django_db(transaction=True)
def test_many_requests_at_once_hold_no_more(open_year: BookingWorld) -> None:
    free_and_instant(open_year)
    hours = iter(range(8, 16))

    def call() -> int:
        api = Api().sign_in(open_year.learner)
        status: int = ask(api, open_year, f"2027-06-02T{next(hours):02}:00:00Z", number=13).status_code
        return status

    codes = at_once(6, call)
    assert sorted(codes) == [201, 201, 409, 409, 409, 409]
    assert Booking.objects.filter(session__starts_at__gt=timezone.now()).count() == 26
