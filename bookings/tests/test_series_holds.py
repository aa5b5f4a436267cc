"""Sessions of a series that are not paid yet: held only as long as something of the series is paid, asked for in time, told about when they
lapse."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from bookings.models import Booking, Reminder
from bookings.services.cancelling import cancel_booking
from bookings.services.requesting import confirm_booking, decline_booking
from bookings.tests.invariants import check_always, check_settled
from bookings.tests.world import BookingWorld, utc
from conftest import Api
from mentors.models import OccupiedTime
from notifications.models import Notification

pytestmark = pytest.mark.django_db


def book(world: BookingWorld, number: int = 4, learner: User | None = None, **more: Any) -> list[Booking]:
    body = {"mentor_id": str(world.profile.pk), "scheduled_at": "2027-06-02T10:00:00Z", "duration_minutes": 60, "number": number} | more
    made = Api().sign_in(learner or world.learner).post("bookings/series", body)
    assert made.status_code == 201, made.json()
    return [Booking.objects.get(pk=row["id"]) for row in made.json()["bookings"]]


def states(rows: list[Booking]) -> list[str]:
    return [Booking.objects.get(pk=row.pk).state for row in rows]


def told(user: User, kind: str) -> int:
    return Notification.objects.filter(user=user, kind=f"bookings.{kind}").count()


def paid_first(world: BookingWorld, number: int = 4, **more: Any) -> list[Booking]:
    rows = book(world, number, **more)
    world.pay(rows[0])
    confirm_booking(booking_id=rows[0].pk, mentor=world.mentor)
    world.turn()
    return rows


def test_nothing_stays_held_unless_one_is_paid(world: BookingWorld) -> None:
    rows = book(world)
    assert {row.expires_at for row in rows} == {utc("2027-06-01 08:15")}
    world.clock.ahead(minutes=15)
    world.turn()
    assert set(states(rows)) == {"expired"}
    assert not OccupiedTime.objects.exists()
    causes = [row.history.last().cause for row in rows]  # type: ignore[union-attr]  # it has at least one
    assert causes == ["not_paid", "series_lapsed", "series_lapsed", "series_lapsed"]
    assert (told(world.learner, "payment-missed"), told(world.mentor, "payment-missed")) == (1, 0)
    check_always()
    check_settled()


def test_each_later_one_is_asked_for_and_told_of(world: BookingWorld) -> None:
    rows = paid_first(world)
    due = [Booking.objects.get(pk=row.pk).expires_at for row in rows[1:]]
    assert due == [utc("2027-06-02 10:00"), utc("2027-06-09 10:00"), utc("2027-06-16 10:00")]
    assert Reminder.objects.filter(booking=rows[2], kind="payment").count() == 2
    # Three days before, then one day before; a worker that looks twice asks once.
    for at, number in (("2027-06-06 09:59", 0), ("2027-06-06 10:00", 1), ("2027-06-08 10:00", 2)):
        world.clock.set(at)
        world.turn()
        world.turn()
        assert told(world.learner, "payment-due") == number, at
    world.clock.set("2027-06-09 10:00")
    world.turn()
    assert states(rows)[1:] == ["expired", "expired", "expired"]


def test_who_forgets_one_keeps_the_rest(world: BookingWorld) -> None:
    rows = paid_first(world)
    world.clock.set("2027-06-02 10:00")
    world.turn()
    assert states(rows)[1:] == ["expired", "held", "held"]
    assert (told(world.learner, "payment-missed"), told(world.mentor, "payment-missed")) == (1, 1)
    assert not OccupiedTime.objects.filter(reference=rows[1].session_id).exists()
    world.pay(rows[2])
    assert states(rows)[2] == "requested"
    assert not Reminder.objects.filter(booking=rows[2], kind="payment").exists()
    check_always()


@pytest.mark.parametrize("end", ["cancel", "decline"])
def test_what_kept_them_held_is_called_off(world: BookingWorld, end: str) -> None:
    """Whoever reserves the price of one and takes it back holds the others for a day; a mentor who declines gives as long to pay another."""
    rows = book(world)
    world.pay(rows[0])
    assert Booking.objects.get(pk=rows[3].pk).expires_at == utc("2027-06-16 10:00")
    if end == "cancel":
        cancel_booking(booking_id=rows[0].pk, user=world.learner)
    else:
        decline_booking(booking_id=rows[0].pk, mentor=world.mentor)
    world.turn()
    assert Booking.objects.get(pk=rows[3].pk).expires_at == utc("2027-06-02 08:00")
    asked = Notification.objects.filter(user=world.learner, kind="bookings.payment-due", data__booking=str(rows[1].pk))
    assert asked.count() == 1
    # Another one that is paid for keeps the rest held again.
    world.pay(Booking.objects.get(pk=rows[2].pk))
    assert Booking.objects.get(pk=rows[3].pk).expires_at == utc("2027-06-16 10:00")
    cancel_booking(booking_id=rows[2].pk, user=world.learner)
    world.clock.ahead(hours=24)
    world.turn()
    assert states(rows)[1:] == ["expired", "cancelled_by_learner", "expired"]
    check_always()


def test_unpaid_ones_move_with_the_series(world: BookingWorld) -> None:
    rows = paid_first(world)
    learner = Api().sign_in(world.learner)
    body = {"from_booking_id": str(rows[2].pk), "scheduled_at": "2027-06-17T11:00:00Z"}
    moved = learner.post(f"bookings/series/{rows[0].series_id}/reschedule", body)
    assert moved.status_code == 200, moved.json()
    third, fourth = moved.json()["bookings"][2:]
    assert (third["scheduled_at"], third["expires_at"]) == ("2027-06-17T11:00:00Z", "2027-06-10T11:00:00Z")
    assert (fourth["scheduled_at"], fourth["state"]) == ("2027-06-24T11:00:00Z", "held")
    # A hold that nothing backs stays where it is.
    single = world.book("2027-06-10 12:00")
    assert learner.post(f"bookings/{single.pk}/reschedule", {"scheduled_at": "2027-06-11T12:00:00Z"}).status_code == 409
    check_always()


def test_guardians_approve_and_pay_each_in_time(world: BookingWorld, ward: tuple[User, User], cleared: None) -> None:
    child, guardian = ward
    world.profile.is_open_to_minors = True
    world.profile.save()
    rows = book(world, learner=child)
    family = Api().sign_in(guardian)
    assert family.post(f"bookings/{rows[0].pk}/approve").status_code == 200
    world.pay(Booking.objects.get(pk=rows[0].pk))
    confirm_booking(booking_id=rows[0].pk, mentor=world.mentor)
    assert Booking.objects.get(pk=rows[3].pk).expires_at == utc("2027-06-16 10:00")
    before = Notification.objects.filter(user=guardian, kind="bookings.approval-needed").count()
    world.clock.set("2027-06-06 10:00")
    world.turn()
    assert Notification.objects.filter(user=guardian, kind="bookings.approval-needed").count() == before + 1
    # A yes long before the last moment to pay does not shorten the time for that.
    assert family.post(f"bookings/{rows[3].pk}/approve").json()["expires_at"] == "2027-06-16T10:00:00Z"
    check_always()


def test_short_notice_leaves_a_day_but_not_beyond_the_start(world: BookingWorld) -> None:
    rows = paid_first(world, starts=["2027-06-01T09:00:00Z", "2027-06-01T20:00:00Z", "2027-06-03T10:00:00Z"])
    due = [Booking.objects.get(pk=row.pk).expires_at for row in rows[1:]]
    assert due == [utc("2027-06-01 20:00"), utc("2027-06-02 08:00")]


def test_a_learner_hears_of_what_the_mentor_calls_off_before_it_is_paid(world: BookingWorld) -> None:
    rows = paid_first(world)
    cancel_booking(booking_id=rows[3].pk, user=world.mentor, note="I am away.")
    cancel_booking(booking_id=rows[2].pk, user=world.learner)
    world.turn()
    assert states(rows) == ["confirmed", "held", "cancelled_by_learner", "cancelled_by_mentor"]
    assert (told(world.learner, "booking-cancelled"), told(world.mentor, "booking-cancelled")) == (1, 0)
