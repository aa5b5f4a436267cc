"""From the click to the last cent, the straight way and the ways out."""

from __future__ import annotations

import datetime

import pytest

from bookings import tasks
from bookings.enums import BookingState
from bookings.errors import IllegalBookingMove
from bookings.models import Booking, BookingTerms
from bookings.services import cancelling, ending, expiring, requesting, rescheduling
from bookings.tests.world import BookingWorld, utc
from core.money import Money
from mentors.errors import SlotUnavailable
from mentors.models import OccupiedTime, Review
from payments.enums import PaymentState

pytestmark = pytest.mark.django_db


def test_held_paid_requested_confirmed_completed(world: BookingWorld) -> None:
    booking = world.book()
    assert booking.state == BookingState.HELD
    assert booking.expires_at == world.clock.now() + datetime.timedelta(minutes=15)
    assert booking.payment.money == Money(4500, "EUR")
    world.pay(booking)
    assert booking.state == BookingState.REQUESTED
    assert booking.expires_at == world.clock.now() + datetime.timedelta(hours=24)
    requesting.confirm_booking(booking_id=booking.pk, mentor=world.mentor)
    world.turn()
    booking.refresh_from_db()
    assert booking.state == BookingState.CONFIRMED
    assert booking.payment.state == PaymentState.CAPTURED
    world.clock.set("2027-06-05 11:35")
    world.attended(booking, world.learner, world.mentor)
    world.turn()
    booking.refresh_from_db()
    assert (booking.state, booking.refund_amount) == (BookingState.COMPLETED, 0)
    assert (booking.settled_at, Review.objects.count()) == (None, 0), "it can still be contested"
    world.clock.ahead(hours=24)
    world.turn()
    booking.refresh_from_db()
    assert booking.settled_at is not None
    booking.payment.refresh_from_db()
    assert booking.payment.earned_at is not None
    assert Review.objects.filter(reference=booking.pk).count() == 2
    assert [move.to_state for move in booking.history.all()] == ["held", "requested", "confirmed", "completed"]


def test_a_free_session_goes_to_the_mentor_at_once(world: BookingWorld) -> None:
    world.profile.offers.update(price_amount=0)
    assert world.book().state == BookingState.REQUESTED


def test_instant_booking_needs_no_answer(world: BookingWorld) -> None:
    BookingTerms.objects.create(mentor=world.mentor, is_instant=True)
    assert world.requested().state == BookingState.CONFIRMED


def test_a_hold_that_nobody_pays_for_ends(world: BookingWorld) -> None:
    booking = world.book()
    world.clock.ahead(minutes=15)
    world.turn()
    booking.refresh_from_db()
    assert booking.state == BookingState.EXPIRED
    assert booking.payment.state == PaymentState.CANCELLED
    assert not OccupiedTime.objects.exists()
    with pytest.raises(IllegalBookingMove):
        requesting.confirm_booking(booking_id=booking.pk, mentor=world.mentor)


def test_one_that_cannot_be_ended_keeps_nobody_waiting(world: BookingWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = world.book(), world.book("2027-06-05 12:00")
    expire = expiring.expire

    def fail_once(booking: Booking) -> None:
        if booking.pk == bad.pk:
            raise ZeroDivisionError
        expire(booking)

    monkeypatch.setattr(expiring, "expire", fail_once)
    world.clock.ahead(minutes=15)
    with pytest.raises(ZeroDivisionError):
        tasks.expire_bookings()
    good.refresh_from_db()
    bad.refresh_from_db()
    assert (good.state, bad.state) == (BookingState.EXPIRED, BookingState.HELD)


def test_paying_too_late_takes_nothing(world: BookingWorld) -> None:
    booking = world.book()
    world.requested("2027-06-06 10:00")
    from payments.services.paying import start_payment

    start_payment(payment_id=booking.payment_id)
    world.clock.ahead(minutes=15)
    world.confirm(booking.payment)
    world.turn()
    booking.refresh_from_db()
    assert booking.state == BookingState.EXPIRED
    assert booking.payment.state == PaymentState.CANCELLED


def test_a_request_that_nobody_answers_ends(world: BookingWorld) -> None:
    booking = world.requested()
    world.clock.ahead(hours=24)
    world.turn()
    booking.refresh_from_db()
    assert (booking.state, booking.payment.state) == (BookingState.EXPIRED, PaymentState.CANCELLED)


def test_declined(world: BookingWorld) -> None:
    booking = world.requested()
    requesting.decline_booking(booking_id=booking.pk, mentor=world.mentor, note="I am away.")
    world.turn()
    booking.refresh_from_db()
    assert (booking.state, booking.payment.state) == (BookingState.DECLINED, PaymentState.CANCELLED)
    assert not OccupiedTime.objects.exists()


def test_counter_offer(world: BookingWorld) -> None:
    booking = world.requested()
    requesting.counter_offer(booking_id=booking.pk, mentor=world.mentor, starts_at=utc("2027-06-06 12:00"))
    world.turn()
    requesting.accept_counter(booking_id=booking.pk, learner=world.learner)
    world.turn()
    booking.refresh_from_db()
    assert (booking.state, booking.session.starts_at) == (BookingState.CONFIRMED, utc("2027-06-06 12:00"))
    assert booking.payment.state == PaymentState.CAPTURED


def test_the_quote_is_what_comes_back(world: BookingWorld) -> None:
    booking = world.confirmed()
    world.clock.set("2027-06-04 10:00")
    quote = cancelling.cancellation_quote(booking=booking, user=world.learner)
    assert (quote.refund, quote.kept) == (Money(2250, "EUR"), Money(2250, "EUR"))
    cancelling.cancel_booking(booking_id=booking.pk, user=world.learner, expected_refund=2250)
    world.turn()
    booking.refresh_from_db()
    booking.payment.refresh_from_db()
    assert booking.state == BookingState.CANCELLED_BY_LEARNER
    assert booking.payment.returned_amount == 2250
    assert booking.payment.earned_at is not None
    assert booking.settled_at is not None


def test_a_mentor_pays_all_back(world: BookingWorld) -> None:
    booking = world.confirmed()
    world.clock.set("2027-06-05 09:59")
    cancelling.cancel_booking(booking_id=booking.pk, user=world.mentor)
    world.turn()
    booking.payment.refresh_from_db()
    assert booking.payment.returned_amount == 4500
    assert world.mentor.strikes.count() == 1


def test_moving(world: BookingWorld) -> None:
    booking = world.confirmed()
    rescheduling.reschedule_booking(booking_id=booking.pk, user=world.learner, starts_at=utc("2027-06-05 10:30"))
    booking.refresh_from_db()
    assert booking.session.starts_at == utc("2027-06-05 10:30")
    assert booking.counted_from == utc("2027-06-05 10:30")
    with pytest.raises(SlotUnavailable):
        world.book("2027-06-05 11:00", learner=world.other())


def test_a_mentor_who_does_not_come_is_not_paid(world: BookingWorld) -> None:
    booking = world.confirmed()
    world.clock.set("2027-06-05 10:10")
    world.attended(booking, world.learner)
    ending.report_no_show(booking_id=booking.pk, user=world.learner)
    world.clock.set("2027-06-06 11:00")
    world.turn()
    booking.refresh_from_db()
    booking.payment.refresh_from_db()
    assert (booking.state, booking.payment.returned_amount) == (BookingState.NO_SHOW_BY_MENTOR, 4500)
