from __future__ import annotations

import datetime
import itertools
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bookings.enums import BookingState
from bookings.models import Booking, BookingTerms, Series
from bookings.services.series import occurrences
from bookings.tests.invariants import check_always, check_settled
from bookings.tests.world import BookingWorld, utc
from conftest import Api
from mentors.services.keeping import keep_all_hours
from mentors.services.occupying import block_time
from mentors.services.schedules import Availability, set_availability
from mentors.tests.conftest import weekly
from payments.models import Payment
from payments.services.paying import start_payment

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(world: BookingWorld) -> Api:
    world.profile.offers.update(price_amount=0)
    return Api().sign_in(world.learner)


def body(world: BookingWorld, **more: Any) -> dict[str, Any]:
    return {"mentor_id": str(world.profile.pk), "scheduled_at": "2027-06-02T10:00:00Z", "duration_minutes": 60, "number": 4} | more


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago"])
def test_a_year_of_weeks_keeps_its_wall_time(world: BookingWorld, api: Api, zone: str) -> None:
    """Across both changes of clocks. Each is offered, booked, in the table of occupied time, in the calendar file, at the same local time."""
    rules = Availability(zone, weekly("15:00-18:00"), (), (), {"notice_minutes": 0, "horizon_days": 365})
    set_availability(profile=world.profile, availability=rules)
    here = ZoneInfo(zone)
    first = datetime.datetime(2027, 6, 3, 16, tzinfo=here).astimezone(datetime.UTC)
    answer = api.post("bookings/series", body(world, scheduled_at=first.isoformat(), number=26, every_weeks=2))
    assert answer.status_code == 201, answer.json()
    starts = [row.session.starts_at for row in Booking.objects.select_related("session").order_by("session__starts_at")]
    assert len(starts) == 26
    shown = {start.astimezone(here).strftime("%A %H:%M") for start in starts}
    assert shown == {"Thursday 16:00"}
    offsets = {start.astimezone(here).utcoffset() for start in starts}
    assert len(offsets) == 2, "a year has two of them"
    gaps = {later - earlier for earlier, later in itertools.pairwise(starts)}
    jump = datetime.timedelta(minutes=30 if zone == "Australia/Lord_Howe" else 60)
    fortnight = datetime.timedelta(days=14)
    assert gaps == {fortnight, fortnight - jump, fortnight + jump}
    check_always()


def test_nothing_is_written_before_all_were_looked_at(world: BookingWorld, api: Api) -> None:
    block_time(person=world.mentor, starts_at=utc("2027-06-16 10:00"), ends_at=utc("2027-06-16 11:00"))
    answer = api.post("bookings/series", body(world))
    assert (answer.status_code, answer.json()["code"]) == (409, "series_unavailable")
    (bad,) = answer.json()["occurrences"]
    assert (bad["start"], bad["reasons"]) == ("2027-06-16T10:00:00Z", ["taken"])
    assert bad["alternatives"] == ["2027-06-16T08:30:00Z", "2027-06-16T09:00:00Z", "2027-06-16T11:00:00Z"]
    assert not Booking.objects.exists() and not Series.objects.exists()
    # As chosen: another time for one, and the last one left out.
    chosen = ["2027-06-02T10:00:00Z", "2027-06-09T10:00:00Z", bad["alternatives"][2]]
    made = api.post("bookings/series", body(world, starts=chosen)).json()
    assert [row["scheduled_at"] for row in made["bookings"]] == chosen


def test_a_limit_that_only_all_of_them_reach(world: BookingWorld, api: Api) -> None:
    rules = Availability("UTC", weekly("08:00-18:00"), (), (), {"notice_minutes": 0, "horizon_days": 60, "most_per_month": 2})
    set_availability(profile=world.profile, availability=rules)
    answer = api.post("bookings/series", body(world))
    assert answer.json()["code"] == "series_unavailable"
    assert answer.json()["occurrences"][0]["reasons"] == ["limit_reached"]
    assert not Booking.objects.exists()


def test_one_from_one_on_or_all(world: BookingWorld, api: Api) -> None:
    mentor = Api().sign_in(world.mentor)
    made = api.post("bookings/series", body(world)).json()
    key, ids = made["id"], [row["id"] for row in made["bookings"]]
    assert mentor.post(f"bookings/series/{key}/confirm").json()["bookings"][3]["state"] == "confirmed"
    # One.
    assert api.post(f"bookings/{ids[0]}/reschedule", {"scheduled_at": "2027-06-02T12:00:00Z"}).status_code == 200
    # From the third on, a day and an hour later.
    moved = api.post(f"bookings/series/{key}/reschedule", {"from_booking_id": ids[2], "scheduled_at": "2027-06-17T11:00:00Z"}).json()
    starts = {row["id"]: row["scheduled_at"] for row in moved["bookings"]}
    assert [starts[each] for each in ids] == [
        "2027-06-02T12:00:00Z",
        "2027-06-09T10:00:00Z",
        "2027-06-17T11:00:00Z",
        "2027-06-24T11:00:00Z",
    ]
    # If one cannot move none does.
    block_time(person=world.mentor, starts_at=utc("2027-06-19 10:00"), ends_at=utc("2027-06-19 11:00"))
    refused = api.post(f"bookings/series/{key}/reschedule", {"from_booking_id": ids[1], "scheduled_at": "2027-06-11T09:00:00Z"}).json()
    assert (refused["code"], refused["occurrences"][0]["start"]) == ("series_unavailable", "2027-06-19T10:00:00Z")
    assert Booking.objects.get(pk=ids[3]).session.starts_at == utc("2027-06-24 11:00")
    # A week earlier each: the fourth takes the time that the third gives back.
    again = api.post(f"bookings/series/{key}/reschedule", {"from_booking_id": ids[2], "scheduled_at": "2027-06-10T11:00:00Z"})
    assert again.status_code == 200, again.json()
    assert Booking.objects.get(pk=ids[3]).session.starts_at == utc("2027-06-17 11:00")
    check_always()
    # The rest, then all.
    assert api.post(f"bookings/series/{key}/cancel", {"from_booking_id": ids[3]}).status_code == 200
    assert Booking.objects.filter(state="confirmed").count() == 3
    api.post(f"bookings/series/{key}/cancel", {"note": "I move away."})
    assert Booking.objects.filter(state="cancelled_by_learner").count() == 4
    assert api.post(f"bookings/series/{key}/cancel").json()["code"] == "no_such_series"
    check_always()


class TestPaidTogether:
    @pytest.fixture
    def learner(self, world: BookingWorld) -> Api:
        """Of a mentor who asks for 15 % less."""
        world.profile.offers.update(price_amount=4_999, price_currency="EUR")
        BookingTerms.objects.create(mentor=world.mentor, policy="flexible", package_percent=15)
        return Api().sign_in(world.learner)

    def book(self, world: BookingWorld, learner: Api, **more: Any) -> list[Booking]:
        made = learner.post("bookings/series", body(world, is_paid_together=True, number=3, **more))
        assert made.status_code == 201, made.json()
        keys = [row["id"] for row in made.json()["bookings"]]
        assert {row["payment_id"] for row in made.json()["bookings"]} == {made.json()["payment_id"]}
        return [Booking.objects.get(pk=key) for key in keys]

    def paid(self, world: BookingWorld, learner: Api) -> list[Booking]:
        bookings = self.book(world, learner)
        begun = learner.post("payments/create-intent", {"booking_id": str(bookings[0].series_id)})
        assert (begun.status_code, begun.json()["amount"]) == (201, {"amount": 3 * 4_249, "currency": "EUR"}), begun.json()
        world.pay(bookings[0])
        return [Booking.objects.get(pk=booking.pk) for booking in bookings]

    def test_one_payment_and_each_its_part(self, world: BookingWorld, learner: Api) -> None:
        """Taken at once; one is declined, one called off in time for half, one takes place; then the mentor has the rest of it."""
        first, second, third = self.paid(world, learner)
        payment = Payment.objects.get()
        assert (payment.state, payment.captured_amount, payment.description) == ("captured", 12_747, "3 sessions: Talk, 60 minutes each")
        assert {row.state for row in (first, second, third)} == {"requested"}
        mentor = Api().sign_in(world.mentor)
        assert mentor.post(f"bookings/{first.pk}/decline", {}).status_code == 200
        for row in (second, third):
            assert mentor.post(f"bookings/{row.pk}/confirm").status_code == 200
        world.turn()
        payment.refresh_from_db()
        assert (payment.returned_amount, payment.earned_at) == (4_249, None)
        world.clock.set("2027-06-09 00:00")
        quote = learner.get(f"bookings/{second.pk}/cancellation-quote").json()["refund"]
        assert quote == {"amount": 2_124, "currency": "EUR"}
        assert learner.post(f"bookings/{second.pk}/cancel", {"expected_refund": quote}).status_code == 200
        world.turn()
        payment.refresh_from_db()
        assert (payment.returned_amount, payment.earned_at) == (4_249 + 2_124, None)
        check_always()
        world.attended(third, world.learner, world.mentor)
        world.clock.set("2027-06-17 12:00")
        world.turn()
        world.clock.ahead(hours=25)
        world.turn()
        payment.refresh_from_db()
        assert (payment.returned_amount, payment.earned_at) == (6_373, utc("2027-06-17 12:00"))
        check_always()
        check_settled()

    def test_the_last_one_called_off_ends_it(self, world: BookingWorld, learner: Api) -> None:
        """What is kept of the others is earned, even if nothing is kept of the last."""
        first, *_ = self.paid(world, learner)
        mentor = Api().sign_in(world.mentor)
        assert mentor.post(f"bookings/series/{first.series_id}/confirm").status_code == 200
        world.turn()
        world.attended(first, world.learner, world.mentor)
        world.clock.set("2027-06-03 12:00")
        world.turn()
        world.clock.ahead(hours=25)
        world.turn()
        assert Booking.objects.get(pk=first.pk).settled_at is not None
        assert Payment.objects.get().earned_at is None
        assert mentor.post(f"bookings/series/{first.series_id}/cancel", {}).status_code == 200
        world.turn()
        payment = Payment.objects.get()
        assert (payment.returned_amount, payment.earned_at is not None) == (2 * 4_249, True)
        check_always()
        check_settled()

    def test_unpaid_ends_together(self, world: BookingWorld, learner: Api) -> None:
        one = self.book(world, learner)[1]
        assert learner.post(f"bookings/{one.pk}/cancel", {}).status_code == 200
        assert set(Booking.objects.values_list("state", flat=True)) == {"cancelled_by_learner"}
        world.turn()
        key = self.book(world, learner)[0].series_id
        assert learner.post(f"bookings/series/{key}/cancel", {}).status_code == 200
        rows = self.book(world, learner)
        world.clock.ahead(minutes=16)
        world.turn()
        assert set(Booking.objects.filter(series=rows[0].series_id).values_list("state", flat=True)) == {"expired"}
        assert set(Payment.objects.values_list("state", flat=True)) == {"cancelled"}
        check_always()
        check_settled()

    def test_paid_too_late(self, world: BookingWorld, learner: Api) -> None:
        """The payer's bank says yes when the hold is over: all comes back."""
        rows = self.book(world, learner)
        start_payment(payment_id=rows[0].payment_id)
        world.confirm(rows[0].payment, "pm_card_visa")
        world.clock.ahead(minutes=16)
        world.turn()
        payment = Payment.objects.get()
        assert payment.returned_amount == payment.captured_amount
        assert set(Booking.objects.values_list("state", flat=True)) == {"expired"}
        check_settled()

    def test_a_card_that_is_declined(self, world: BookingWorld, learner: Api) -> None:
        rows = self.book(world, learner)
        world.pay(rows[0], "pm_card_chargeDeclined")
        assert set(Booking.objects.values_list("state", flat=True)) == {"held"}
        world.confirm(rows[0].payment, "pm_card_visa")
        world.turn()
        assert set(Booking.objects.values_list("state", flat=True)) == {"requested"}
        check_always()

    def test_instant(self, world: BookingWorld, learner: Api) -> None:
        BookingTerms.objects.update(is_instant=True)
        assert {row.state for row in self.paid(world, learner)} == {"confirmed"}
        check_always()

    def test_what_cannot_be_paid_for_together(self, world: BookingWorld, learner: Api) -> None:
        ward, _ = world.ward()
        world.profile.schedule.horizon_days = 300
        world.profile.schedule.save()
        keep_all_hours()
        for who, more in ((learner, {"number": 11}), (learner, {"number": 5, "every_weeks": 4}), (Api().sign_in(ward), {})):
            answer = who.post("bookings/series", body(world, is_paid_together=True, **more))
            assert answer.json()["code"] in ("cannot_pay_together", "mentor_not_bookable"), answer.json()
        world.profile.offers.update(price_amount=0)
        assert learner.post("bookings/series", body(world, is_paid_together=True)).json()["code"] == "cannot_pay_together"
        assert not Booking.objects.exists() and not Series.objects.exists() and not Payment.objects.exists()


@pytest.mark.parametrize(
    "more",
    [
        {"number": 53},
        {"number": 1},
        {"every_weeks": 9},
        {"starts": []},
        {"starts": ["2027-06-02T10:00:00Z"] * 53},
        {"starts": ["2027-06-02T10:00:00Z", "9999-06-02T10:00:00Z"]},
        {"starts": ["2027-06-02T10:00:00Z", "2027-06-02T10:00:00Z"]},
    ],
)
def test_bad_input(world: BookingWorld, api: Api, more: dict[str, Any]) -> None:
    answer = api.post("bookings/series", body(world, **more))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input"), answer.json()
    assert not Booking.objects.exists()


def test_only_its_people(world: BookingWorld, api: Api) -> None:
    key = api.post("bookings/series", body(world)).json()["id"]
    stranger = Api().sign_in(world.other())
    for path in ("", "/confirm", "/decline", "/cancel", "/reschedule"):
        call = stranger.get if not path else stranger.post
        given = {} if path != "/reschedule" else {"from_booking_id": key, "scheduled_at": "2027-06-17T11:00:00Z"}
        assert (call(f"bookings/series/{key}{path}") if not path else call(f"bookings/series/{key}{path}", given)).status_code == 404
    assert api.post(f"bookings/series/{key}/confirm").status_code == 403
    mentor = Api().sign_in(world.mentor)
    assert mentor.post(f"bookings/series/{key}/decline").json()["bookings"][0]["state"] == "declined"
    assert Booking.objects.filter(state=BookingState.DECLINED).count() == 4


def test_a_time_that_the_clock_leaves_out() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime.datetime(2027, 3, 21, 2, 30, tzinfo=berlin).astimezone(datetime.UTC)
    found = occurrences(first, berlin, number=3, every_weeks=1)
    assert [each.astimezone(berlin).strftime("%d %H:%M") for each in found] == ["21 02:30", "28 03:00", "04 02:30"]
