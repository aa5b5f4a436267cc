from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import icalendar
import pytest

from accounts.models import Block, User
from bookings.enums import BookingState, StrikeKind
from bookings.models import Booking, BookingTerms, Reminder
from bookings.services.expiring import expire_bookings
from bookings.services.leaving import leave
from bookings.services.strikes import give_strike
from bookings.tests.world import BookingWorld
from conftest import Api
from mentors.enums import MentorState
from mentors.models import MentorProfile, OccupiedTime, Offer
from mentors.services.links import own_suffix
from notifications.models import Notification

pytestmark = pytest.mark.django_db
AT = "2027-06-05T10:00:00Z"


@pytest.fixture
def learner(world: BookingWorld) -> Api:
    return Api().sign_in(world.learner)


@pytest.fixture
def mentor(world: BookingWorld) -> Api:
    return Api().sign_in(world.mentor)


def body(world: BookingWorld, **more: Any) -> dict[str, Any]:
    return {"mentor_id": str(world.profile.pk), "scheduled_at": AT, "duration_minutes": 60} | more


def told(user: User) -> list[str]:
    return list(Notification.objects.filter(user=user, kind__startswith="bookings.").order_by("pk").values_list("kind", flat=True))


class TestBooking:
    def test_the_whole_way(self, world: BookingWorld, learner: Api, mentor: Api) -> None:
        answer = learner.post("bookings", body(world, topic="My first job"))
        assert answer.status_code == 201
        made = answer.json()
        assert (made["state"], made["side"], made["needs_payment"]) == ("held", "learner", True)
        assert made["price"] == {"amount": 4500, "currency": "EUR"}
        assert made["mentor"] == {"id": str(world.mentor.pk), "name": "Ada Mentor", "mentor_id": str(world.profile.pk)}
        assert made["expires_at"] == "2027-06-01T08:15:00Z"
        assert [deadline["until"] for deadline in made["cancellation_policy"]["deadlines"]] == [
            "2027-06-03T10:00:00Z",
            "2027-06-04T10:00:00Z",
        ]
        assert made["you_can"] == ["cancel"]
        intent = learner.post("payments/create-intent", {"booking_id": made["id"]}).json()
        assert intent["amount"] == made["price"]
        world.pay(Booking.objects.get())
        seen = mentor.get(f"bookings/{made['id']}").json()
        assert (seen["side"], seen["topic"], seen["you_can"]) == ("mentor", "My first job", ["confirm", "decline", "counter", "cancel"])
        assert mentor.post(f"bookings/{made['id']}/confirm").json()["state"] == "confirmed"
        world.turn()
        world.clock.set("2027-06-05 09:55")
        entrance = learner.get(f"bookings/{made['id']}/join")
        assert entrance.json()["meeting_url"].startswith("https://meet.jit.si/soosh-") and "no-store" in entrance["Cache-Control"]
        assert mentor.get(f"bookings/{made['id']}/join?audio_only=true").json()["is_audio_only"] is True
        assert learner.post(f"bookings/{made['id']}/stay", {"is_leaving": False}).status_code == 204
        world.clock.set("2027-06-05 10:01")
        world.turn()
        world.clock.set("2027-06-05 11:00")
        said = mentor.post(f"bookings/{made['id']}/complete").json()
        assert (said["state"], said["refund"], said["ending"]["becomes"]) == ("in_session", None, "completed")
        done = learner.post(f"bookings/{made['id']}/complete").json()
        assert (done["state"], done["refund"]) == ("completed", {"amount": 0, "currency": "EUR"})
        assert (done["ending"]["basis"], done["ending"]["final_at"]) == ("agreed", "2027-06-05T11:00:00Z")
        assert [move["cause"] for move in done["history"]] == ["booked", "paid", "accepted", "joined", "ended"]
        world.turn()
        review = {"booking_id": made["id"], "rating": 5, "text": "Well."}
        assert learner.post(f"mentors/{world.profile.pk}/reviews", review).status_code == 201
        assert told(world.mentor)[:2] == ["bookings.booking-requested", "bookings.booking-confirmed"]

    def test_the_same_key_books_once(self, world: BookingWorld, learner: Api) -> None:
        first = learner.post("bookings", body(world), HTTP_IDEMPOTENCY_KEY="k")
        again = learner.post("bookings", body(world), HTTP_IDEMPOTENCY_KEY="k")
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json() and Booking.objects.count() == 1
        other = learner.post("bookings", body(world, topic="x"), HTTP_IDEMPOTENCY_KEY="k")
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")

    @pytest.mark.parametrize(
        ("more", "status", "code", "field"),
        [
            ({"scheduled_at": "yesterday"}, 400, "invalid_input", "scheduled_at"),
            ({"scheduled_at": "9999-12-31T23:59:59Z"}, 400, "invalid_input", "scheduled_at"),
            ({"scheduled_at": "0001-01-01T00:00:00Z"}, 400, "invalid_input", "scheduled_at"),
            ({"duration_minutes": 0}, 400, "invalid_input", "duration_minutes"),
            ({"duration_minutes": 45}, 400, "no_such_offer", "duration_minutes"),
            ({"offer_id": "0197a000-0000-7000-8000-000000000000"}, 400, "no_such_offer", "offer_id"),
            ({"topic": "x" * 501}, 400, "invalid_input", "topic"),
            ({"price": 0}, 400, "invalid_input", "price"),
            ({"mentor_id": "0197a000-0000-7000-8000-000000000000"}, 404, "mentor_not_bookable", None),
            ({"scheduled_at": "2027-06-05T10:07:00Z"}, 409, "slot_unavailable", None),
            ({"scheduled_at": "2027-05-31T10:00:00Z"}, 409, "slot_unavailable", None),
            ({"scheduled_at": "2027-08-31T10:00:00Z"}, 409, "slot_unavailable", None),
        ],
    )
    def test_bad_input_changes_nothing(
        self, world: BookingWorld, learner: Api, more: dict[str, Any], status: int, code: str, field: str | None
    ) -> None:
        answer = learner.post("bookings", body(world, **more))
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.json()
        if field:
            assert answer.json()["errors"][0]["field"] == field
        assert not Booking.objects.exists() and not OccupiedTime.objects.exists()

    def test_who_cannot_book_whom(self, world: BookingWorld, learner: Api, mentor: Api) -> None:
        assert mentor.post("bookings", body(world)).json()["code"] == "mentor_not_bookable"
        MentorProfile.objects.update(state=MentorState.PAUSED, paused_because="own_wish")
        assert learner.post("bookings", body(world)).status_code == 404
        MentorProfile.objects.update(state=MentorState.LIVE, paused_because="")
        Block.objects.create(blocker=world.mentor, blocked=world.learner)
        assert learner.post("bookings", body(world)).status_code == 404

    def test_the_offer_that_was_named_or_the_cheapest(self, world: BookingWorld, learner: Api) -> None:
        dear = Offer.objects.create(
            profile=world.profile, kind="review", title="Dear", duration_minutes=60, price_amount=9000, price_currency="EUR"
        )
        assert learner.post("bookings", body(world)).json()["price"]["amount"] == 4500
        named = learner.post("bookings", body(world, scheduled_at="2027-06-05T12:00:00Z", offer_id=str(dear.pk))).json()
        assert (named["price"]["amount"], named["title"], named["kind"]) == (9000, "Dear", "review")
        Offer.objects.filter(pk=dear.pk).update(price_amount=100, price_currency="USD")
        unclear = learner.post("bookings", body(world, scheduled_at="2027-06-05T14:00:00Z"))
        assert (unclear.status_code, unclear.json()["errors"][0]["field"]) == (400, "offer_id"), "two currencies are not compared"

    def test_nobody_hoards_times(self, world: BookingWorld, learner: Api) -> None:
        for hour in (10, 12, 14):
            assert learner.post("bookings", body(world, scheduled_at=f"2027-06-05T{hour}:00:00Z")).status_code == 201
        refused = learner.post("bookings", body(world, scheduled_at="2027-06-05T16:00:00Z"))
        assert (refused.status_code, refused.json()["code"]) == (409, "too_many_holds")
        world.clock.ahead(minutes=15)
        expire_bookings()
        for hour in (10, 12):
            assert learner.post("bookings", body(world, scheduled_at=f"2027-06-06T{hour}:00:00Z")).status_code == 201
        world.clock.ahead(minutes=15)
        expire_bookings()
        assert learner.post("bookings", body(world)).json()["code"] == "too_many_unpaid"
        world.profile.offers.update(price_amount=0)
        for hour in (10, 12, 14, 16, 18):
            assert learner.post("bookings", body(world, scheduled_at=f"2027-06-07T{hour}:00:00Z")).status_code == 201
        assert learner.post("bookings", body(world)).json()["code"] == "too_many_open_requests"

    def test_strikes_keep_from_booking_for_a_while(self, world: BookingWorld, learner: Api) -> None:
        bookings = [world.requested(f"2027-06-0{day} 10:00") for day in (3, 4, 5, 6)]
        for booking in bookings:
            give_strike(person=world.learner, booking=booking, kind=StrikeKind.NO_SHOW)
        refused = learner.post("bookings", body(world, scheduled_at="2027-06-08T10:00:00Z"))
        assert refused.json()["code"] == "too_many_strikes"
        assert refused.json()["again_at"].startswith("2027-07-01")
        world.turn()
        assert told(world.learner).count("bookings.strikes-warned") == 4
        world.clock.set("2027-07-02 08:00")
        assert learner.post("bookings", body(world, scheduled_at="2027-07-03T10:00:00Z")).status_code == 201


class TestAnswers:
    def test_each_side_has_its_own(self, world: BookingWorld, learner: Api, mentor: Api) -> None:
        key = world.requested().pk
        for path in ("confirm", "decline"):
            assert learner.post(f"bookings/{key}/{path}").json()["code"] == "not_your_part"
        assert mentor.post(f"bookings/{key}/accept-counter").json()["code"] == "not_your_part"
        assert learner.post(f"bookings/{key}/accept-counter").json()["code"] == "no_counter_offer"
        assert mentor.post(f"bookings/{key}/decline", {"note": "Away."}).json()["state"] == "declined"
        refused = mentor.post(f"bookings/{key}/confirm")
        assert (refused.status_code, refused.json()["code"], refused.json()["state"]) == (409, "illegal_booking_move", "declined")
        world.turn()
        assert told(world.learner) == ["bookings.booking-declined"]

    def test_another_time(self, world: BookingWorld, learner: Api, mentor: Api) -> None:
        key = world.requested().pk
        assert mentor.post(f"bookings/{key}/counter", {"scheduled_at": AT}).json()["code"] == "same_time"
        off = mentor.post(f"bookings/{key}/counter", {"scheduled_at": "2027-06-05T10:10:00Z"})
        assert off.json()["code"] == "slot_unavailable" and off.json()["alternatives"]
        assert mentor.post(f"bookings/{key}/counter", {"scheduled_at": "2027-06-06T10:00:00Z"}).json()["state"] == "requested"
        seen = learner.get(f"bookings/{key}").json()
        assert (seen["proposed_at"], "accept-counter" in seen["you_can"]) == ("2027-06-06T10:00:00Z", True)
        # Somebody else takes the time that was proposed: the request stays, and the proposal goes.
        world.confirmed("2027-06-06 10:00", learner=world.other())
        assert learner.get(f"bookings/{key}").json()["proposed_at"] is None
        assert "bookings.counter-withdrawn" in told(world.learner)
        mentor.post(f"bookings/{key}/counter", {"scheduled_at": "2027-06-06T12:00:00Z"})
        assert learner.post(f"bookings/{key}/accept-counter").json()["scheduled_at"] == "2027-06-06T12:00:00Z"

    def test_a_mentor_proposes_and_does_not_move_what_is_asked_for(self, world: BookingWorld, mentor: Api, learner: Api) -> None:
        key = world.requested().pk
        moved = mentor.post(f"bookings/{key}/reschedule", {"scheduled_at": "2027-06-06T10:00:00Z"})
        assert moved.json()["code"] == "illegal_booking_move"
        assert learner.post(f"bookings/{key}/reschedule", {"scheduled_at": "2027-06-06T10:00:00Z"}).status_code == 200


class TestCancelling:
    @pytest.mark.parametrize(
        ("policy", "at", "refund"),
        [
            ("standard", "2027-06-03 10:00:00", 4500),
            ("standard", "2027-06-03 10:00:01", 2250),
            ("standard", "2027-06-04 10:00:00", 2250),
            ("standard", "2027-06-04 10:00:01", 0),
            ("flexible", "2027-06-04 10:00:00", 4500),
            ("flexible", "2027-06-05 06:00:00", 2250),
            ("flexible", "2027-06-05 06:00:01", 0),
            ("strict", "2027-06-03 10:00:00", 2250),
            ("strict", "2027-06-03 10:00:01", 0),
        ],
    )
    def test_the_last_moment_counts(self, world: BookingWorld, learner: Api, policy: str, at: str, refund: int) -> None:
        BookingTerms.objects.create(mentor=world.mentor, policy=policy)
        key = world.confirmed().pk
        # What the mentor changes afterwards is not what was agreed.
        BookingTerms.objects.update(policy="strict")
        world.clock.set(at)
        quote = learner.get(f"bookings/{key}/cancellation-quote").json()
        assert (quote["refund"]["amount"], quote["kept"]["amount"]) == (refund, 4500 - refund)
        answer = learner.post(f"bookings/{key}/cancel", {"expected_refund": quote["refund"], "note": "Ill."})
        assert (answer.status_code, answer.json()["refund"]["amount"]) == (200, refund)
        world.turn()
        payment = Booking.objects.get().payment
        assert payment is not None and payment.returned_amount == refund
        assert "bookings.booking-cancelled" in told(world.mentor)

    @pytest.mark.parametrize(
        ("zone", "start"),
        [
            # Both the night before the clocks of that zone change in 2027: 48 hours are 48 hours.
            ("America/New_York", "2027-03-14 13:00"),
            ("Europe/Berlin", "2027-03-28 10:00"),
        ],
    )
    def test_hours_are_real_hours_across_a_change_of_clocks(self, world: BookingWorld, learner: Api, zone: str, start: str) -> None:
        User.objects.update(time_zone=zone)
        world.clock.set("2027-03-10 08:00")
        from mentors.services.keeping import keep_all_hours

        keep_all_hours()
        key = world.confirmed(start).pk
        begins = Booking.objects.get(pk=key).session.starts_at
        world.clock.shown = begins - timedelta(hours=48)
        assert learner.get(f"bookings/{key}/cancellation-quote").json()["refund"]["amount"] == 4500
        world.clock.ahead(seconds=1)
        assert learner.get(f"bookings/{key}/cancellation-quote").json()["refund"]["amount"] == 2250

    def test_a_quote_that_changed_cancels_nothing(self, world: BookingWorld, learner: Api) -> None:
        key = world.confirmed().pk
        world.clock.set("2027-06-04 12:00")
        for stale in ({"amount": 4500, "currency": "EUR"}, {"amount": 0, "currency": "USD"}):
            answer = learner.post(f"bookings/{key}/cancel", {"expected_refund": stale})
            assert (answer.status_code, answer.json()["code"]) == (409, "quote_changed")
        assert Booking.objects.get().state == BookingState.CONFIRMED

    def test_after_a_move_by_the_mentor_a_learner_may_step_back(self, world: BookingWorld, learner: Api, mentor: Api) -> None:
        key = world.confirmed().pk
        world.clock.set("2027-06-04 20:00")
        assert mentor.post(f"bookings/{key}/reschedule", {"scheduled_at": "2027-06-05T20:00:00Z"}).status_code == 200
        world.turn()
        assert "bookings.booking-moved" in told(world.learner)
        world.clock.set("2027-06-05 19:59")
        assert learner.get(f"bookings/{key}/cancellation-quote").json()["refund"]["amount"] == 4500
        assert world.mentor.strikes.count() == 0

    def test_two_moves_a_side(self, world: BookingWorld, learner: Api) -> None:
        key = world.confirmed().pk
        for hour in (12, 14):
            assert learner.post(f"bookings/{key}/reschedule", {"scheduled_at": f"2027-06-05T{hour}:00:00Z"}).status_code == 200
        refused = learner.post(f"bookings/{key}/reschedule", {"scheduled_at": "2027-06-05T16:00:00Z"})
        assert refused.json()["code"] == "too_many_moves"

    def test_who_is_blocked_or_leaves_meets_nobody(self, world: BookingWorld, learner: Api, mentor: Api) -> None:
        first, second = world.confirmed(), world.confirmed("2027-06-06 10:00", learner=world.other())
        assert learner.post("blocks", {"user_id": str(world.mentor.pk)}).status_code == 201
        world.turn()
        first.refresh_from_db()
        assert first.state == BookingState.CANCELLED_BY_PLATFORM
        leave(person_id=world.mentor.pk)
        world.turn()
        second.refresh_from_db()
        second.payment.refresh_from_db()
        assert (second.state, second.payment.returned_amount) == (BookingState.CANCELLED_BY_MENTOR, 4500)


class TestGuardians:
    def test_a_guardian_agrees_and_pays(self, world: BookingWorld, ward: tuple[User, User], cleared: None) -> None:
        child, adult = Api().sign_in(ward[0]), Api().sign_in(ward[1])
        made = child.post("bookings", body(world)).json()
        assert (made["state"], made["needs_approval"], made["needs_payment"]) == ("held", True, False)
        world.turn()
        assert told(ward[1]) == ["bookings.approval-needed"]
        assert child.post(f"bookings/{made['id']}/approve").status_code == 403
        agreed = adult.post(f"bookings/{made['id']}/approve").json()
        assert (agreed["needs_approval"], agreed["needs_payment"]) == (False, True)
        assert adult.post("payments/create-intent", {"booking_id": made["id"]}).status_code == 201
        assert child.post("payments/create-intent", {"booking_id": made["id"]}).status_code == 404
        world.pay(Booking.objects.get())
        assert Booking.objects.get().state == BookingState.REQUESTED
        assert adult.get(f"bookings/{made['id']}/join").status_code == 403
        assert [row["id"] for row in adult.get("bookings").json()["results"]] == [made["id"]]

    def test_mentors_who_were_not_checked_and_minors_without_a_guardian(
        self, world: BookingWorld, ward: tuple[User, User], make_user: Callable[..., User]
    ) -> None:
        assert Api().sign_in(ward[0]).post("bookings", body(world)).status_code == 404
        alone = make_user(birth_date=world.clock.now().date() - timedelta(days=15 * 366))
        assert Api().sign_in(alone).post("bookings", body(world)).json()["code"] == "may_not_book"


class TestAround:
    def test_lists_are_narrowed(self, world: BookingWorld, learner: Api, mentor: Api) -> None:
        world.confirmed()
        world.requested("2027-06-06 10:00")
        assert len(learner.get("bookings").json()["results"]) == 2
        assert len(learner.get("bookings?state=confirmed&side=learner&when=ahead").json()["results"]) == 1
        assert learner.get("bookings?side=mentor").json()["results"] == []
        assert len(mentor.get("bookings?side=mentor").json()["results"]) == 2
        assert mentor.get("bookings?when=past").json()["results"] == []
        assert mentor.get("bookings?when=never").status_code == 400

    def test_the_file_for_calendars(self, world: BookingWorld, learner: Api) -> None:
        booking = world.confirmed()
        answer = learner.get(f"bookings/{booking.pk}/calendar.ics")
        (event,) = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
        assert str(event["uid"]) == f"{booking.session_id}{own_suffix()}"
        assert (event.decoded("dtstart").isoformat(), str(event["status"])) == ("2027-06-05T10:00:00+00:00", "CONFIRMED")
        assert str(event["summary"]) == "Session with Ada Mentor: Talk"
        learner.post(f"bookings/{booking.pk}/reschedule", {"scheduled_at": "2027-06-05T12:00:00Z"})
        (moved,) = icalendar.Calendar.from_ical(learner.get(f"bookings/{booking.pk}/calendar.ics").content).walk("VEVENT")
        assert (str(moved["uid"]), moved["sequence"]) == (str(event["uid"]), 1)
        links = learner.get(f"bookings/{booking.pk}").json()["calendar_links"]
        assert "20270605T120000Z" in links["google"] and links["outlook"].startswith("https://outlook.live.com/")
        # The secret feed of the person shows the same entry.
        row = OccupiedTime.objects.filter(person=world.learner).get()
        assert (str(row.reference), row.moves) == (str(booking.session_id), 1)

    def test_terms(self, world: BookingWorld, mentor: Api, learner: Api) -> None:
        assert mentor.get("bookings/terms").json() == {"is_instant": False, "policy": "standard", "package_percent": 0}
        stated = {"is_instant": True, "policy": "strict", "package_percent": 20}
        assert mentor.put("bookings/terms", stated).json() == stated
        assert learner.get(f"mentors/{world.profile.pk}/booking-terms").json() == stated
        assert mentor.put("bookings/terms", stated | {"package_percent": 51}).json()["errors"][0]["field"] == "package_percent"
        assert learner.put("bookings/terms", {"is_instant": True, "policy": "strict"}).status_code == 404
        assert mentor.put("bookings/terms", {"is_instant": True, "policy": "none"}).status_code == 400

    def test_reminders_as_chosen(self, world: BookingWorld, learner: Api) -> None:
        assert learner.get("bookings/reminders").json() == {"minutes_before": [1440, 60, 10]}
        world.confirmed()
        assert Reminder.objects.count() == 6
        assert learner.put("bookings/reminders", {"minutes_before": [30, 30]}).json() == {"minutes_before": [30]}
        assert learner.put("bookings/reminders", {"minutes_before": [1]}).status_code == 400
        world.clock.set("2027-06-05 09:30")
        world.turn()
        world.turn()
        assert told(world.learner).count("bookings.session-soon") == 1
        assert told(world.mentor).count("bookings.session-soon") == 2
        learner.put("bookings/reminders", {"minutes_before": []})
        assert set(Reminder.objects.filter(told_at__isnull=True).values_list("person", flat=True)) == {world.mentor.pk}
