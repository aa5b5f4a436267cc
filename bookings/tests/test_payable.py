"""What `payments/create-intent` answers at each moment in the life of a booking: a secret only while it is held and unpaid."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from bookings.models import Booking, BookingTerms, Session
from bookings.services import cancelling, groups, requesting
from bookings.tests.test_series_holds import book as book_series
from bookings.tests.world import BookingWorld, utc
from conftest import Api
from mentors.models import Offer
from payments.services.paying import start_payment

pytestmark = pytest.mark.django_db


def intent(api: Api, key: Any) -> tuple[int, str]:
    answer = api.post("payments/create-intent", {"booking_id": str(key)})
    body = answer.json()
    assert ("client_secret" in body) is (answer.status_code == 201)
    return answer.status_code, body.get("code", "")


def test_only_what_is_held_and_unpaid(world: BookingWorld) -> None:
    learner, mentor, stranger = (Api().sign_in(person) for person in (world.learner, world.mentor, world.other()))
    booking = world.book()
    first, again = (learner.post("payments/create-intent", {"booking_id": str(booking.pk)}).json() for _ in range(2))
    assert first == again and first["client_secret"]
    assert intent(mentor, booking.pk) == intent(stranger, booking.pk) == (404, "nothing_to_pay_for")
    body, key = {"booking_id": str(booking.pk)}, {"HTTP_IDEMPOTENCY_KEY": "one"}
    assert learner.post("payments/create-intent", body, **key).json() == first
    # The payer has agreed, and we have not heard of it.
    world.confirm(booking.payment)
    assert intent(learner, booking.pk) == (409, "already_paid")
    world.turn()
    # A key that was used before gives no secret any more.
    assert learner.post("payments/create-intent", body, **key).json()["code"] == "already_paid"
    for step in (requesting.confirm_booking, None):
        assert intent(learner, booking.pk) == (409, "already_paid")
        assert intent(mentor, booking.pk) == (404, "nothing_to_pay_for")
        if step:
            step(booking_id=booking.pk, mentor=world.mentor)
            world.turn()
    world.attended(booking, world.learner, world.mentor)
    world.clock.set("2027-06-06 12:00")
    world.turn()
    assert Booking.objects.get().state == "completed"
    assert intent(learner, booking.pk) == (409, "already_paid")


def test_what_ended_before_its_session(world: BookingWorld) -> None:
    learner = Api().sign_in(world.learner)
    rows = {
        "cancelled before it was paid": world.book("2027-06-05 08:00"),
        "cancelled while requested": world.requested("2027-06-05 10:00"),
        "refunded": world.confirmed("2027-06-06 10:00"),
    }
    for row in rows.values():
        cancelling.cancel_booking(booking_id=row.pk, user=world.learner)
    rows["declined"] = world.requested("2027-06-07 10:00")
    requesting.decline_booking(booking_id=rows["declined"].pk, mentor=world.mentor)
    world.turn()
    rows["over, and nobody has said so yet"] = world.book("2027-06-08 10:00")
    start_payment(payment_id=rows["over, and nobody has said so yet"].payment_id)
    world.clock.ahead(minutes=15)
    assert {name: intent(learner, row.pk) for name, row in rows.items()} == dict.fromkeys(rows, (409, "not_payable"))
    world.turn()
    assert intent(learner, rows["over, and nobody has said so yet"].pk) == (409, "not_payable")


def test_what_costs_nothing(world: BookingWorld) -> None:
    world.profile.offers.update(price_amount=0)
    assert intent(Api().sign_in(world.learner), world.book().pk) == (409, "nothing_to_pay")


def test_series(world: BookingWorld) -> None:
    learner = Api().sign_in(world.learner)
    rows = book_series(world, 3)
    assert intent(learner, rows[2].pk) == (201, "")
    together = book_series(world, 3, scheduled_at="2027-06-02T12:00:00Z", is_paid_together=True)
    # Named by the series or by one of its sessions, it is the same payment.
    answers = [learner.post("payments/create-intent", {"booking_id": str(key)}).json() for key in (together[0].series_id, together[1].pk)]
    assert answers[0] == answers[1] and answers[0]["amount"]["amount"] == 3 * 4_500
    world.pay(together[0])
    for key in (together[0].series_id, together[1].pk):
        assert intent(learner, key) == (409, "already_paid")


def test_guardians_pay(world: BookingWorld, ward: tuple[User, User], cleared: None) -> None:
    child, guardian = ward
    world.profile.is_open_to_minors = True
    world.profile.save()
    booking = world.book(learner=child)
    apis = [Api().sign_in(person) for person in ward]
    assert [intent(api, booking.pk) for api in apis] == [(409, "not_payable")] * 2
    assert apis[1].post(f"bookings/{booking.pk}/approve").status_code == 200
    assert [intent(api, booking.pk) for api in apis] == [(404, "nothing_to_pay_for"), (201, "")]
    cancelling.cancel_booking(booking_id=booking.pk, user=guardian)
    assert [intent(api, booking.pk) for api in apis] == [(404, "nothing_to_pay_for"), (409, "not_payable")]


def test_a_price_that_nobody_can_be_charged(world: BookingWorld) -> None:
    """Saved before prices were checked: the answer names a field that was sent, or is a coded conflict."""
    learner = Api().sign_in(world.learner)
    group = Offer.objects.create(
        profile=world.profile, kind="group", title="Together", duration_minutes=90, price_amount=1200, price_currency="EUR", group_size=12
    )
    session = groups.announce_session(profile=world.profile, offer_id=group.pk, starts_at=utc("2027-06-05 10:00"))
    offer = world.profile.offers.exclude(kind="group").get()
    world.profile.offers.update(price_amount=10)
    Session.objects.update(price_amount=10)
    body = {"mentor_id": str(world.profile.pk), "scheduled_at": "2027-06-04T10:00:00Z", "duration_minutes": 60}
    window = {
        "offer_id": str(offer.pk),
        "mentor_id": str(world.profile.pk),
        "opens_at": "2027-06-04T10:00:00Z",
        "closes_at": "2027-06-05T10:00:00Z",
    }
    for path, sent, field in (
        ("bookings", body, "duration_minutes"),
        ("bookings", body | {"offer_id": str(offer.pk)}, "offer_id"),
        ("bookings/series", body | {"number": 3}, "duration_minutes"),
        ("bookings/series", body | {"number": 3, "is_paid_together": True}, "duration_minutes"),
        ("bookings/waitlist", window, "offer_id"),
    ):
        answer = learner.post(path, sent)
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [field]), answer.json()
    answer = learner.post(f"bookings/sessions/{session.pk}/book")
    assert (answer.status_code, answer.json()["code"]) == (409, "price_not_charged")
    answer = (
        Api().sign_in(world.mentor).post("bookings/sessions", {"offer_id": str(session.offer_id), "scheduled_at": "2027-06-09T10:00:00Z"})
    )
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "offer_id")
    # Ten times what can be charged once is more than can be charged at once.
    world.profile.offers.update(price_amount=99_999_999)
    answer = learner.post("bookings/series", body | {"number": 3, "is_paid_together": True})
    assert (answer.status_code, answer.json()["code"]) == (409, "cannot_pay_together")
    # With the largest discount, the cheapest package is worth the cheapest charge.
    world.profile.offers.update(price_amount=50)
    BookingTerms.objects.create(mentor=world.mentor, package_percent=50)
    assert learner.post("bookings/series", body | {"number": 2, "is_paid_together": True}).status_code == 201
    assert not Booking.objects.filter(price_amount__lt=25).exists()
