"""What guardians are told of the sessions of those they answer for."""

from __future__ import annotations

import datetime

import pytest

from accounts.models import User
from bookings.enums import AppealState, Outcome, Side
from bookings.models import Appeal, Booking, Reminder, Statement
from bookings.services import appealing, approving, ending, requesting
from bookings.tests.test_api import told
from bookings.tests.world import BookingWorld, utc

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cleared")]


def requested(world: BookingWorld, ward: User, guardian: User) -> Booking:
    booking = world.book(learner=ward)
    approving.approve_booking(booking_id=booking.pk, guardian=guardian)
    booking.refresh_from_db()
    return world.pay(booking)


def confirmed(world: BookingWorld, ward: User, guardian: User) -> Booking:
    booking = requested(world, ward, guardian)
    requesting.confirm_booking(booking_id=booking.pk, mentor=world.mentor)
    world.turn()
    return booking


def test_of_another_time_that_the_mentor_proposes(world: BookingWorld, ward: tuple[User, User]) -> None:
    booking = requested(world, *ward)
    requesting.counter_offer(booking_id=booking.pk, mentor=world.mentor, starts_at=utc("2027-06-06 10:00"))
    world.turn()
    assert [told(person)[-1] for person in ward] == ["bookings.counter-offered"] * 2


def test_of_what_the_mentor_contests_and_what_staff_decide(world: BookingWorld, ward: tuple[User, User], staff: User) -> None:
    booking = confirmed(world, *ward)
    world.clock.set("2027-06-05 11:00")
    Statement.objects.create(booking=booking, side=Side.LEARNER, says=Outcome.MENTOR_ABSENT, person=ward[0], said_at=world.clock.now())
    ending.complete_booking(booking_id=booking.pk, user=world.mentor)
    world.turn()
    assert ["bookings.appeal-answer" in told(person) for person in ward] == [True, True]
    appealing.decide_appeal(row=Appeal.objects.get(), staff=staff, state=AppealState.HELD, note="")
    world.turn()
    assert [told(person)[-1] for person in ward] == ["bookings.appeal-decided"] * 2


def test_that_a_child_without_a_mailbox_has_a_session_soon(world: BookingWorld, ward: tuple[User, User]) -> None:
    child, guardian = ward
    child.birth_date, child.email = world.clock.now().date() - datetime.timedelta(days=9 * 366), "a@ward.invalid"
    child.set_unusable_password()
    child.save()
    confirmed(world, child, guardian)
    reminded = Reminder.objects.filter(minutes_before=60).values_list("person", flat=True)
    assert set(reminded) == {child.pk, guardian.pk, world.mentor.pk}
    world.clock.set("2027-06-05 09:00")
    world.turn()
    assert told(guardian)[-1] == "bookings.session-soon"
