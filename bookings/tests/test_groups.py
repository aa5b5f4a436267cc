from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from bookings.enums import BookingState, Cause
from bookings.models import Booking, Session
from bookings.services import cancelling, ending, groups, leaving
from bookings.tests.invariants import check_always, overlaps
from bookings.tests.races import at_once
from bookings.tests.world import BookingWorld, utc
from conftest import Api
from mentors.models import MentorProfile, OccupiedTime, Offer
from mentors.services.slots import Question, refusals_of, slots_between
from payments.enums import PaymentState

AT = "2027-06-05T10:00:00Z"


@pytest.fixture
def offer(world: BookingWorld) -> Offer:
    return Offer.objects.create(
        profile=world.profile, kind="group", title="Together", duration_minutes=90, price_amount=1200, price_currency="EUR", group_size=12
    )


def announce(world: BookingWorld, offer: Offer, at: str = "2027-06-05 10:00", **more: Any) -> Session:
    return groups.announce_session(profile=world.profile, offer_id=offer.pk, starts_at=utc(at), **more)


def seat(world: BookingWorld, session: Session, learner: User | None = None) -> Booking:
    return groups.book_seat(learner=learner or world.learner, session_id=session.pk)


@pytest.mark.django_db
class TestGroups:
    def test_from_announcing_to_earning(self, world: BookingWorld, offer: Offer) -> None:
        mentor, learner, second = (Api().sign_in(user) for user in (world.mentor, world.learner, world.other()))
        made = mentor.post("bookings/sessions", {"offer_id": str(offer.pk), "scheduled_at": AT, "seats": 2})
        assert made.status_code == 201, made.json()
        key = made.json()["id"]
        (listed,) = learner.get(f"bookings/sessions?mentor_id={world.profile.pk}").json()["results"]
        assert (listed["seats"], listed["seats_free"], listed["price"]) == (2, 2, {"amount": 1200, "currency": "EUR"})
        booked = learner.post(f"bookings/sessions/{key}/book", {"topic": "All of it"}).json()
        assert (booked["state"], booked["needs_payment"]) == ("held", True)
        assert learner.post(f"bookings/sessions/{key}/book").json()["code"] == "seat_taken"
        world.pay(Booking.objects.get())
        booking = Booking.objects.get()
        assert booking.state == BookingState.CONFIRMED
        assert second.post(f"bookings/sessions/{key}/book").status_code == 201
        assert second.get(f"bookings/sessions/{key}").json()["seats_free"] == 0
        third = Api().sign_in(world.other())
        assert third.post(f"bookings/sessions/{key}/book").json()["code"] == "session_full"
        # The hold of the second is over: the seat is free, and the first one keeps theirs.
        world.clock.ahead(minutes=15)
        world.turn()
        assert third.post(f"bookings/sessions/{key}/book").status_code == 201
        world.pay(Booking.objects.get(state="held"))
        check_always()
        world.clock.set("2027-06-05 12:05")
        for row in Booking.objects.filter(state="confirmed"):
            world.attended(row, row.learner)
        world.attended(booking, world.mentor)
        world.turn()
        assert sorted(Booking.objects.values_list("state", flat=True)) == ["completed", "completed", "expired"]

    def test_the_mentor_is_not_free_then_and_groups_are_no_slots(self, world: BookingWorld, offer: Offer) -> None:
        assert refusals_of(Question(world.profile.pk, 90), utc("2027-06-05 10:00")) == ["wrong_duration"]
        announce(world, offer)
        slots = slots_between(Question(world.profile.pk, 60), utc("2027-06-05 08:00"), utc("2027-06-05 12:00"))
        assert slots[0] == utc("2027-06-05 08:00") and utc("2027-06-05 11:30") in slots
        assert not {utc("2027-06-05 09:30"), utc("2027-06-05 10:00"), utc("2027-06-05 11:00")} & set(slots)

    def test_who_joins_a_group_does_not_fill_the_mentor(self, world: BookingWorld, offer: Offer) -> None:
        MentorProfile.objects.update(capacity=1)
        Offer.objects.update(price_amount=0)
        session = announce(world, offer)
        for _ in range(3):
            assert seat(world, session, world.other()).state == BookingState.CONFIRMED
        assert world.book("2027-06-06 10:00").state == BookingState.REQUESTED

    def test_bad_input(self, world: BookingWorld, offer: Offer) -> None:
        mentor, learner = Api().sign_in(world.mentor), Api().sign_in(world.learner)
        given = {"offer_id": str(offer.pk), "scheduled_at": AT}
        for more, code in (({"seats": 13}, "no_such_offer"), ({"seats": 1}, "invalid_input"), ({"seats": 4, "fewest": 5}, "no_such_offer")):
            assert mentor.post("bookings/sessions", given | more).json()["code"] == code
        assert mentor.post("bookings/sessions", given | {"scheduled_at": "2027-05-31T10:00:00Z"}).json()["code"] == "session_off"
        assert learner.post("bookings/sessions", given).status_code == 404
        world.profile.offers.filter(kind="session").update(price_amount=0)
        world.book("2027-06-05 11:00")
        taken = mentor.post("bookings/sessions", given)
        assert (taken.status_code, taken.json()["code"], len(taken.json()["alternatives"])) == (409, "slot_unavailable", 0)

    def test_a_learner_is_in_one_place(self, world: BookingWorld, offer: Offer, make_mentor: Any, make_user: Any) -> None:
        session = announce(world, offer)
        other = make_mentor(user=make_user())
        from bookings.services.booking import book_session

        book_session(learner=world.learner, mentor_id=other.pk, starts_at=utc("2027-06-05 11:00"), duration_minutes=60)
        answer = Api().sign_in(world.learner).post(f"bookings/sessions/{session.pk}/book")
        assert (answer.json()["code"], answer.json()["reasons"]) == ("slot_unavailable", ["learner_busy"])
        assert Booking.objects.filter(session=session).count() == 0

    def test_leaving_is_for_oneself(self, world: BookingWorld, offer: Offer) -> None:
        Offer.objects.update(price_amount=0)
        session = announce(world, offer)
        first, second = seat(world, session), seat(world, session, world.other())
        answer = Api().sign_in(world.learner).post(f"bookings/{first.pk}/cancel")
        assert answer.json()["state"] == "cancelled_by_learner"
        assert Booking.objects.get(pk=second.pk).state == BookingState.CONFIRMED
        assert OccupiedTime.objects.filter(reference=session.pk).count() == 2
        assert Api().sign_in(world.mentor).post(f"bookings/{second.pk}/reschedule", {"scheduled_at": AT}).status_code == 409
        assert seat(world, session).seat == 1
        check_always()

    def test_who_is_not_in_the_room_does_not_keep_the_sweep_busy(self, world: BookingWorld, offer: Offer) -> None:
        Offer.objects.update(price_amount=0)
        session = announce(world, offer)
        there, away = seat(world, session), seat(world, session, world.other())
        world.clock.set("2027-06-05 10:05")
        world.attended(there, world.learner)
        assert (ending.begin_sessions(), ending.begin_sessions()) == (1, 0)
        assert Booking.objects.get(pk=away.pk).state == BookingState.CONFIRMED

    def test_the_mentor_calls_it_off_for_all(self, world: BookingWorld, offer: Offer) -> None:
        session = announce(world, offer)
        booking = world.pay(seat(world, session))
        held = seat(world, session, world.other())
        stranger = Api().sign_in(world.learner)
        assert stranger.post(f"bookings/sessions/{session.pk}/cancel").status_code == 403
        assert Api().sign_in(world.mentor).post(f"bookings/sessions/{session.pk}/cancel").json()["cancelled_at"]
        world.turn()
        booking.refresh_from_db()
        booking.payment.refresh_from_db()
        assert (booking.state, booking.payment.returned_amount) == (BookingState.CANCELLED_BY_MENTOR, 1200)
        held.refresh_from_db()
        assert held.state == BookingState.CANCELLED_BY_MENTOR
        assert world.mentor.strikes.count() == 1 and not OccupiedTime.objects.exists()
        assert stranger.post(f"bookings/sessions/{session.pk}/book").json()["code"] == "session_off"

    def test_what_was_called_off_stays_readable_for_who_had_a_seat(self, world: BookingWorld, offer: Offer, client: Client) -> None:
        session, later = announce(world, offer), announce(world, offer, "2027-06-06 10:00")
        paid, held = world.pay(seat(world, session)), seat(world, session, world.other())
        left = world.pay(seat(world, session, world.make_user(full_name="Lou Left")))
        cancelling.cancel_booking(booking_id=left.pk, user=left.learner)
        mentor, stranger = Api().sign_in(world.mentor), Api().sign_in(world.make_user())
        assert stranger.get(f"bookings/sessions/{session.pk}").json()["state"] == "ahead"
        called_off = mentor.post(f"bookings/sessions/{session.pk}/cancel").json()
        world.turn()
        for api in (mentor, *(Api().sign_in(row.learner) for row in (paid, held, left))):
            shown = api.get(f"bookings/sessions/{session.pk}").json()
            assert (shown["state"], shown["seats_free"], shown["cancelled_at"]) == ("cancelled", 0, called_off["cancelled_at"])
            assert [row["id"] for row in api.get("bookings/sessions").json()["results"]] == [str(later.pk)]
        assert stranger.get(f"bookings/sessions/{session.pk}").status_code == 404
        learner = Api().sign_in(world.learner)
        assert learner.get(f"bookings/{paid.pk}").json()["state"] == "cancelled_by_mentor"
        entry = learner.get(f"bookings/{paid.pk}/calendar.ics").content.decode()
        assert "STATUS:CANCELLED" in entry and "SEQUENCE:0" not in entry
        client.force_login(world.learner)
        assert client.get(f"/bookings/{paid.pk}").status_code == client.get(f"/bookings/{paid.pk}/calendar.ics").status_code == 200
        # What is over stays readable, too.
        seated = world.pay(seat(world, later))
        for at, state in (("2027-06-06 10:30", "running"), ("2027-06-06 11:30", "over")):
            world.clock.set(at)
            assert learner.get(f"bookings/sessions/{later.pk}").json()["state"] == state
        assert seated.session_id == later.pk

    def test_a_mentor_who_leaves_leaves_none_behind(self, world: BookingWorld, offer: Offer) -> None:
        """Not even one that nobody has booked: it would be there again if they came back."""
        booking = world.pay(seat(world, announce(world, offer)))
        announce(world, offer, "2027-06-06 10:00")
        over = announce(world, offer, "2027-06-04 08:00")
        world.clock.set("2027-06-04 09:00")
        assert leaving.bookings_ahead_of(world.mentor.pk) == 3
        leaving.leave(person_id=world.mentor.pk)
        world.turn()
        booking.refresh_from_db()
        booking.payment.refresh_from_db()
        last = booking.history.order_by("version").last()
        assert last is not None and (booking.state, last.cause) == (BookingState.CANCELLED_BY_MENTOR, Cause.LEFT)
        assert booking.payment.returned_amount == 1200 and world.mentor.strikes.count() == 0
        assert list(Session.objects.filter(cancelled_at=None)) == [over] and not groups.groups_ahead().exists()
        assert leaving.bookings_ahead_of(world.mentor.pk) == 0
        check_always()

    def test_too_few_people_a_day_before(self, world: BookingWorld, offer: Offer) -> None:
        small, enough = announce(world, offer, fewest=2), announce(world, offer, "2027-06-05 14:00", fewest=2)
        one = world.pay(seat(world, small))
        for learner in (world.learner, world.other()):
            world.pay(seat(world, enough, learner))
        world.clock.set("2027-06-04 09:59")
        assert groups.call_off_small_groups() == 0
        world.clock.set("2027-06-04 14:00")
        assert groups.call_off_small_groups() == 1
        world.turn()
        one.refresh_from_db()
        one.payment.refresh_from_db()
        last = one.history.order_by("version").last()
        assert last is not None and (one.state, last.cause) == (BookingState.CANCELLED_BY_PLATFORM, Cause.TOO_FEW)
        assert one.payment.state == PaymentState.CAPTURED and one.payment.returned_amount == 1200
        assert world.mentor.strikes.count() == 0
        assert Booking.objects.filter(session=enough, state="confirmed").count() == 2
        check_always()


@pytest.mark.django_db(transaction=True)
def test_a_group_of_twelve_has_twelve(world: BookingWorld, offer: Offer, make_user: Callable[..., User]) -> None:
    Offer.objects.update(price_amount=0)
    session = announce(world, offer)
    learners = [make_user() for _ in range(20)]
    answers = at_once([lambda learner=learner: seat(world, session, learner) for learner in learners])
    assert answers == {"done": 12, "session_full": 8}
    assert sorted(Booking.objects.values_list("seat", flat=True)) == list(range(1, 13))
    assert overlaps() == 0
