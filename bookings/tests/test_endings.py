"""How a session ends, over the API, with people who do not tell the truth. Daily's fake and Jitsi follow one table."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import User
from bookings.enums import AppealState, BookingState, Outcome, RoomState, Side
from bookings.errors import NotOverYet
from bookings.models import Appeal, AppealEvidence, Booking, Room, Statement, Strike
from bookings.services import appeal_evidence, appealing, ending, groups, joining, leaving, outcomes, rooms
from bookings.services.hearing import hear_of_stay
from bookings.tests.daily_peer import DailyPeer, stay
from bookings.tests.test_api import told
from bookings.tests.world import BookingWorld, utc
from conftest import Api
from core.privacy import erasure_steps
from mentors.models import Offer, Review
from notifications.models import Notification

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@pytest.fixture
def learner(world: BookingWorld) -> Api:
    return Api().sign_in(world.learner)


@pytest.fixture
def mentor(world: BookingWorld) -> Api:
    return Api().sign_in(world.mentor)


@pytest.fixture
def booking(world: BookingWorld) -> Booking:
    """From 10:00 to 11:00 on 5 June 2027, for 45 euros."""
    return world.confirmed()


def opened(booking: Booking, world: BookingWorld, at: str = "09:50") -> Room:
    """The room, as it is made shortly before."""
    world.clock.set(f"2027-06-05 {at}")
    rooms.look_after_rooms()
    return Room.objects.get(session=booking.session_id)


def reported(booking: Booking, person: User, joined: int, left: int | None = None) -> None:
    """The provider reports a stay, in minutes after the start."""
    start = booking.session.starts_at.timestamp()
    seconds = None if left is None else (left - joined) * 60
    name = Room.objects.get(session=booking.session_id).name
    assert hear_of_stay(event=stay(name, person.pk, joined=start + joined * 60, seconds=seconds, session=f"{person.pk} {joined}"))


def later(world: BookingWorld, text: str) -> Booking:
    """At another instant, after the workers have done what is due; the booking as it is then."""
    world.clock.set(text)
    world.turn()
    return Booking.objects.select_related("payment").get()


def came_back(booking: Booking) -> int:
    assert booking.payment is not None
    booking.payment.refresh_from_db()
    return booking.payment.returned_amount


class TestEndingAtOnce:
    @pytest.mark.parametrize("is_daily", [False, True])
    def test_a_mentor_cannot_end_a_session_that_has_just_begun(
        self, world: BookingWorld, booking: Booking, learner: Api, mentor: Api, is_daily: bool, request: Any
    ) -> None:
        """Both have the link, and both apps say that they are in."""
        if is_daily:
            request.getfixturevalue("peer")
        opened(booking, world, "09:55")
        for api in (learner, mentor):
            assert api.get(f"bookings/{booking.pk}/join").status_code == 200
            assert api.post(f"bookings/{booking.pk}/stay", {"is_leaving": False}).status_code == 204
        for at in ("10:00", "10:00:13", "10:59"):
            world.clock.set(f"2027-06-05 {at}")
            answer = mentor.post(f"bookings/{booking.pk}/complete")
            assert (answer.status_code, answer.json()["code"]) == (409, "not_over_yet")
            assert answer.json()["possible_at"] == "2027-06-05T11:00:00Z"
            assert learner.get(f"bookings/{booking.pk}/join").status_code == 200
        assert not Statement.objects.exists()

    def test_what_a_mentor_says_alone_waits_a_day_for_the_learner(
        self, world: BookingWorld, booking: Booking, learner: Api, mentor: Api
    ) -> None:
        world.clock.set("2027-06-05 10:00")
        mentor.get(f"bookings/{booking.pk}/join")
        world.clock.set("2027-06-05 11:00")
        seen = mentor.post(f"bookings/{booking.pk}/complete").json()
        assert (seen["state"], seen["refund"], "complete" in seen["you_can"]) == ("in_session", None, False)
        assert mentor.post(f"bookings/{booking.pk}/complete").json()["code"] == "already_said"
        shown = learner.get(f"bookings/{booking.pk}").json()
        assert shown["ending"] == {
            "statements": [{"side": "mentor", "says": "held", "said_at": "2027-06-05T11:00:00Z", "note": ""}],
            "basis": "",
            "contest_until": "2027-06-06T11:00:00Z",
            "becomes": "completed",
            "final_at": None,
            "appeals": [],
        }
        assert {"join", "complete", "no-show", "appeal"} <= set(shown["you_can"])
        assert learner.get(f"bookings/{booking.pk}/join").status_code == 200
        later(world, "2027-06-06 10:59")
        assert told(world.learner)[-1] == "bookings.statement-made"
        assert Booking.objects.get().state == BookingState.IN_SESSION
        assert not Review.objects.exists()
        row = later(world, "2027-06-06 11:00")
        assert (row.state, row.basis, row.final_at) == (BookingState.COMPLETED, "silence", world.clock.now())
        assert Review.objects.count() == 2 and row.settled_at is not None
        assert learner.post(f"bookings/{booking.pk}/appeal", {"text": "Late."}).json()["code"] == "cannot_appeal"

    @pytest.mark.parametrize("path", ["no-show", "appeal"])
    def test_a_learner_who_contests_it_keeps_the_money_waiting(
        self, world: BookingWorld, booking: Booking, learner: Api, mentor: Api, staff: User, path: str
    ) -> None:
        world.clock.set("2027-06-05 10:00")
        for api in (learner, mentor):
            api.get(f"bookings/{booking.pk}/join")
        world.clock.set("2027-06-05 11:00")
        mentor.post(f"bookings/{booking.pk}/complete")
        world.clock.set("2027-06-06 10:59")
        words = {"note": "Nobody came."} if path == "no-show" else {"text": "Nobody came."}
        assert learner.post(f"bookings/{booking.pk}/{path}", words).status_code == 200
        row = later(world, "2027-06-20 11:00")
        assert (row.state, row.final_at, row.settled_at, came_back(row)) == (BookingState.IN_SESSION, None, None, 0)
        assert not Review.objects.exists() and not Strike.objects.exists()
        assert told(staff) == ["bookings.appeal-open"] and "bookings.appeal-answer" in told(world.mentor)
        assert "appeal" in mentor.get(f"bookings/{booking.pk}").json()["you_can"]
        appealing.decide_appeal(row=Appeal.objects.get(), staff=staff, state=AppealState.MENTOR_ABSENT, note="")
        row = later(world, "2027-06-20 11:01")
        assert (row.state, row.basis, came_back(row)) == (BookingState.NO_SHOW_BY_MENTOR, "staff", 4500)
        assert Strike.objects.get().person == world.mentor

    def test_the_record_of_most_of_the_time_ends_it_early_and_shuts_nobody_out(
        self, peer: DailyPeer, world: BookingWorld, booking: Booking, learner: Api, mentor: Api
    ) -> None:
        opened(booking, world)
        reported(booking, world.learner, 0, 39)
        reported(booking, world.mentor, 0, 45)
        world.clock.set("2027-06-05 10:45")
        assert mentor.post(f"bookings/{booking.pk}/complete").json()["code"] == "not_over_yet"
        reported(booking, world.learner, 40, 41)
        seen = mentor.post(f"bookings/{booking.pk}/complete").json()
        assert (seen["state"], seen["ending"]["contest_until"]) == ("completed", "2027-06-06T11:00:00Z")
        shown = learner.get(f"bookings/{booking.pk}").json()
        assert {"join", "complete", "appeal"} <= set(shown["you_can"])
        assert learner.get(f"bookings/{booking.pk}/join").status_code == 200
        row = later(world, "2027-06-06 10:59")
        assert (row.final_at, row.settled_at, Review.objects.count()) == (None, None, 0)
        assert learner.post(f"bookings/{booking.pk}/appeal", {"text": "Silence for 40 minutes."}).status_code == 200
        assert later(world, "2027-06-20 11:00").settled_at is None

    def test_a_stay_without_an_end_proves_nothing_for_who_gains_by_it(
        self, peer: DailyPeer, world: BookingWorld, booking: Booking, mentor: Api
    ) -> None:
        opened(booking, world)
        world.clock.set("2027-06-05 10:00")
        reported(booking, world.learner, 0)
        world.clock.set("2027-06-05 11:00")
        reported(booking, world.mentor, 0, 60)
        assert mentor.post(f"bookings/{booking.pk}/complete").json()["state"] == "in_session"

    def test_the_learners_own_word_and_the_record_need_no_waiting(
        self, peer: DailyPeer, world: BookingWorld, booking: Booking, learner: Api
    ) -> None:
        opened(booking, world)
        world.clock.set("2027-06-05 11:05")
        reported(booking, world.learner, 2, 61)
        reported(booking, world.mentor, 0, 62)
        assert (Booking.objects.get().state, Booking.objects.get().final_at) == (BookingState.COMPLETED, None)
        assert learner.post(f"bookings/{booking.pk}/complete").json()["ending"]["final_at"] == "2027-06-05T11:05:00Z"
        assert Review.objects.count() == 2

    def test_both_may_agree_early(self, world: BookingWorld, booking: Booking, learner: Api, mentor: Api) -> None:
        assert learner.post(f"bookings/{booking.pk}/complete").json()["code"] == "not_over_yet"
        world.clock.set("2027-06-05 10:40")
        assert mentor.post(f"bookings/{booking.pk}/complete").json()["code"] == "not_over_yet"
        assert learner.post(f"bookings/{booking.pk}/complete").json()["state"] == "confirmed"
        seen = mentor.post(f"bookings/{booking.pk}/complete").json()
        assert (seen["state"], seen["ending"]["basis"]) == ("completed", "agreed")


class TestLinksProveNothing:
    def test_a_mentor_who_only_opened_the_link(
        self, peer: DailyPeer, world: BookingWorld, booking: Booking, learner: Api, mentor: Api
    ) -> None:
        opened(booking, world, "09:54")
        assert mentor.get(f"bookings/{booking.pk}/join").status_code == 200
        assert mentor.post(f"bookings/{booking.pk}/stay", {"is_leaving": False}).status_code == 204
        learner.get(f"bookings/{booking.pk}/join")
        world.clock.set("2027-06-05 10:30")
        reported(booking, world.learner, 0, 30)
        assert mentor.post(f"bookings/{booking.pk}/complete").json()["code"] == "not_over_yet"
        assert later(world, "2027-06-05 11:35").state == BookingState.IN_SESSION
        assert told(world.learner)[-1] == told(world.mentor)[-1] == "bookings.session-over"
        row = later(world, "2027-06-06 11:35")
        assert (row.state, row.basis, came_back(row)) == (BookingState.NO_SHOW_BY_MENTOR, "record", 0)
        assert told(world.mentor)[-1] == "bookings.session-missed" and not Strike.objects.exists()
        row = later(world, "2027-06-07 11:35")
        assert (came_back(row), Strike.objects.get().person) == (4500, world.mentor)

    def test_a_mentor_who_says_so_all_the_same_is_refuted(
        self, peer: DailyPeer, world: BookingWorld, booking: Booking, learner: Api, mentor: Api
    ) -> None:
        opened(booking, world)
        mentor.get(f"bookings/{booking.pk}/join")
        world.clock.set("2027-06-05 11:00")
        reported(booking, world.learner, -2, 31)
        seen = mentor.post(f"bookings/{booking.pk}/complete").json()
        assert (seen["state"], seen["ending"]["becomes"]) == ("no_show_by_mentor", "no_show_by_mentor")
        assert "appeal" in seen["you_can"], "the record may be wrong, too"

    def test_nobody_opened_anything_at_jitsi(self, world: BookingWorld, booking: Booking, learner: Api) -> None:
        """Nothing is known, both are asked twice, and nobody complains: it counts as held, and nobody gets a strike."""
        assert later(world, "2027-06-05 11:35").state == BookingState.CONFIRMED
        row = later(world, "2027-06-06 11:35")
        assert (row.state, row.basis, row.settled_at) == (BookingState.COMPLETED, "silence", None)
        assert "appeal" in learner.get(f"bookings/{booking.pk}").json()["you_can"]
        row = later(world, "2027-06-07 11:35")
        assert row.settled_at is not None and not Strike.objects.exists()

    def test_nobody_came_to_a_room_that_reports(self, peer: DailyPeer, world: BookingWorld, booking: Booking) -> None:
        opened(booking, world)
        later(world, "2027-06-05 11:35")
        assert later(world, "2027-06-06 11:35").state == BookingState.NO_SHOW_BY_BOTH
        row = later(world, "2027-06-07 11:35")
        assert (came_back(row), Strike.objects.count()) == (4500, 0)

    @pytest.mark.parametrize(("minutes", "state"), [(9, "no_show_by_both"), (10, "no_show_by_learner")])
    def test_a_mentor_is_paid_for_waiting_and_not_for_looking_in(
        self, peer: DailyPeer, world: BookingWorld, booking: Booking, minutes: int, state: str
    ) -> None:
        opened(booking, world)
        world.clock.set("2027-06-05 10:30")
        reported(booking, world.mentor, 0, minutes)
        later(world, "2027-06-05 11:35")
        assert later(world, "2027-06-06 11:35").state == state


class TestNoShows:
    @pytest.mark.parametrize("video", ["jitsi", "failed over", "no secret"])
    @pytest.mark.parametrize("is_mentor", [False, True])
    def test_one_word_is_no_proof_where_no_provider_tells(
        self, world: BookingWorld, booking: Booking, learner: Api, mentor: Api, video: str, is_mentor: bool, request: Any, settings: Any
    ) -> None:
        if video != "jitsi":
            peer = request.getfixturevalue("peer")
            if video == "no secret":
                settings.DAILY_WEBHOOK_SECRET = ""
            else:
                peer.fail("broken", times=100)
        reporter, other, person = (mentor, learner, world.learner) if is_mentor else (learner, mentor, world.mentor)
        world.clock.set("2027-06-05 10:00")
        for api in (learner, mentor):
            assert api.get(f"bookings/{booking.pk}/join").status_code == 200
            assert api.post(f"bookings/{booking.pk}/stay", {"is_leaving": False}).status_code == 204
        world.clock.set("2027-06-05 10:09:59")
        assert reporter.post(f"bookings/{booking.pk}/no-show").json()["code"] == "no_show_too_early"
        world.clock.set("2027-06-05 10:10:05")
        seen = reporter.post(f"bookings/{booking.pk}/no-show", {"note": "I waited."}).json()
        assert (seen["state"], seen["refund"], seen["ending"]["contest_until"]) == ("in_session", None, "2027-06-06T11:00:00Z")
        for api in (learner, mentor):
            assert api.get(f"bookings/{booking.pk}/join").status_code == 200
        later(world, "2027-06-05 10:11")
        assert told(person)[-1] == "bookings.statement-made"
        world.clock.set("2027-06-05 11:00")
        assert other.post(f"bookings/{booking.pk}/complete").status_code == 200
        assert {"appeal", "appeal/evidence"} <= set(other.get(f"bookings/{booking.pk}").json()["you_can"])
        assert "appeal" in reporter.get(f"bookings/{booking.pk}").json()["you_can"]
        row = later(world, "2027-06-20 11:00")
        assert (row.state, row.settled_at, came_back(row), Strike.objects.count()) == (BookingState.IN_SESSION, None, 0, 0)

    def test_silence_for_a_day_lets_it_stand(self, world: BookingWorld, booking: Booking, learner: Api) -> None:
        world.clock.set("2027-06-05 10:15")
        learner.get(f"bookings/{booking.pk}/join")
        learner.post(f"bookings/{booking.pk}/no-show")
        assert later(world, "2027-06-06 10:59").state == BookingState.IN_SESSION
        row = later(world, "2027-06-06 11:00")
        assert (row.state, row.basis, came_back(row)) == (BookingState.NO_SHOW_BY_MENTOR, "silence", 4500)
        assert Strike.objects.get().person == world.mentor and not Review.objects.exists()

    def test_both_are_in_the_room_as_the_provider_reports(
        self, peer: DailyPeer, world: BookingWorld, booking: Booking, learner: Api, mentor: Api
    ) -> None:
        """Their stays have no end yet; that is enough against whoever says that the other one is absent."""
        opened(booking, world)
        world.clock.set("2027-06-05 10:11")
        reported(booking, world.learner, 0)
        reported(booking, world.mentor, 1)
        assert learner.post(f"bookings/{booking.pk}/no-show").json()["state"] == "in_session"
        world.clock.set("2027-06-05 11:01")
        reported(booking, world.learner, 0, 60)
        reported(booking, world.mentor, 1, 60)
        row = Booking.objects.get()
        assert (row.state, row.basis, row.refund_amount) == (BookingState.COMPLETED, "record", 0)
        assert "appeal" in learner.get(f"bookings/{booking.pk}").json()["you_can"]

    def test_nobody_reports_an_absence_from_outside_or_against_the_record(
        self, peer: DailyPeer, world: BookingWorld, booking: Booking, learner: Api
    ) -> None:
        opened(booking, world)
        world.clock.set("2027-06-05 10:50")
        assert learner.post(f"bookings/{booking.pk}/no-show").json()["code"] == "you_were_not_there"
        for person in (world.learner, world.mentor):
            reported(booking, person, 0, 45)
        assert learner.post(f"bookings/{booking.pk}/no-show").json()["code"] == "they_were_there"
        assert not Statement.objects.exists()

    def test_the_record_proves_it_and_who_comes_late_is_not_shut_out(
        self, peer: DailyPeer, world: BookingWorld, booking: Booking, learner: Api, mentor: Api
    ) -> None:
        opened(booking, world)
        reported(booking, world.learner, -1)
        world.clock.set("2027-06-05 10:10")
        seen = learner.post(f"bookings/{booking.pk}/no-show", {"note": "I waited."}).json()
        assert (seen["state"], seen["refund"]["amount"]) == ("no_show_by_mentor", 4500)
        assert learner.post(f"bookings/{booking.pk}/appeal", {"text": "x"}).json()["code"] == "cannot_appeal"
        world.clock.set("2027-06-05 10:12")
        assert mentor.get(f"bookings/{booking.pk}/join").status_code == 200
        assert "appeal" in mentor.get(f"bookings/{booking.pk}").json()["you_can"]
        assert Booking.objects.get().state == BookingState.NO_SHOW_BY_MENTOR, "a link is no arrival"
        reported(booking, world.mentor, 12)
        row = Booking.objects.get()
        assert (row.state, row.refund_amount, row.ended_at) == (BookingState.IN_SESSION, None, None)
        world.clock.set("2027-06-05 11:01")
        reported(booking, world.learner, -1, 60)
        reported(booking, world.mentor, 12, 60)
        assert Booking.objects.get().state == BookingState.COMPLETED

    def test_the_arrival_of_somebody_else_or_after_the_end_reopens_nothing(
        self, peer: DailyPeer, world: BookingWorld, booking: Booking, learner: Api, mentor: Api, staff: User
    ) -> None:
        opened(booking, world)
        reported(booking, world.learner, 0)
        world.clock.set("2027-06-05 10:10")
        learner.post(f"bookings/{booking.pk}/no-show")
        reported(booking, world.learner, 9)
        assert Booking.objects.get().state == BookingState.NO_SHOW_BY_MENTOR
        world.clock.set("2027-06-05 11:01")
        reported(booking, world.mentor, 61)
        assert Booking.objects.get().state == BookingState.NO_SHOW_BY_MENTOR
        assert mentor.post(f"bookings/{booking.pk}/appeal", {"text": "I was at the door."}).status_code == 200
        assert later(world, "2027-06-20 11:00").settled_at is None
        with pytest.raises(NotOverYet):
            world.clock.set("2027-06-05 10:30")
            appealing.decide_appeal(row=Appeal.objects.get(), staff=staff, state=AppealState.HELD, note="")

    @pytest.mark.parametrize("is_mentor", [False, True])
    def test_who_admits_it_consents(self, world: BookingWorld, booking: Booking, learner: Api, mentor: Api, is_mentor: bool) -> None:
        api, person = (mentor, world.mentor) if is_mentor else (learner, world.learner)
        world.clock.set("2027-06-05 10:30")
        seen = api.post(f"bookings/{booking.pk}/no-show", {"absent": "me"}).json()
        assert seen["state"] == ("no_show_by_mentor" if is_mentor else "no_show_by_learner")
        row = later(world, "2027-06-06 11:00")
        assert (came_back(row), Strike.objects.get().person) == (4500 if is_mentor else 0, person)

    def test_a_claim_may_be_taken_back_and_nothing_else(self, world: BookingWorld, booking: Booking, learner: Api) -> None:
        world.clock.set("2027-06-05 10:15")
        learner.get(f"bookings/{booking.pk}/join")
        learner.post(f"bookings/{booking.pk}/no-show")
        world.clock.set("2027-06-05 11:00")
        assert learner.post(f"bookings/{booking.pk}/complete").json()["state"] == "completed"
        assert learner.post(f"bookings/{booking.pk}/no-show").status_code == 409
        assert Statement.objects.get().says == Outcome.HELD

    def test_nothing_is_said_once_the_time_for_it_is_over(self, world: BookingWorld, booking: Booking, learner: Api, mentor: Api) -> None:
        """Also while no worker has looked yet."""
        world.clock.set("2027-06-05 10:15")
        learner.get(f"bookings/{booking.pk}/join")
        learner.post(f"bookings/{booking.pk}/no-show")
        world.clock.set("2027-06-06 11:00")
        for path, words in (("complete", {}), ("appeal", {"text": "x"}), ("no-show", {"absent": "me"})):
            assert mentor.post(f"bookings/{booking.pk}/{path}", words).status_code == 409

    @pytest.mark.parametrize("body", [{"absent": "both"}, {"absent": None}, {"absent": ["me"]}, {"who": "me"}, {"note": "x" * 501}])
    def test_bad_words_are_refused(self, world: BookingWorld, booking: Booking, learner: Api, body: dict[str, Any]) -> None:
        world.clock.set("2027-06-05 10:15")
        learner.get(f"bookings/{booking.pk}/join")
        assert learner.post(f"bookings/{booking.pk}/no-show", body).status_code == 400
        assert not Statement.objects.exists()


class TestOtherWays:
    def test_what_is_over_is_not_cancelled_or_undone_by_a_block(
        self, world: BookingWorld, booking: Booking, learner: Api, mentor: Api
    ) -> None:
        world.clock.set("2027-06-05 11:00")
        assert "cancel" not in learner.get(f"bookings/{booking.pk}").json()["you_can"]
        for api in (learner, mentor):
            assert api.post(f"bookings/{booking.pk}/cancel").json()["code"] == "illegal_booking_move"
            assert api.get(f"bookings/{booking.pk}/cancellation-quote").status_code == 409
        leaving.part(blocker_id=world.learner.pk, blocked_id=world.mentor.pk)
        assert Booking.objects.get().state == BookingState.CONFIRMED

    def test_who_is_suspended_is_taken_out_of_a_session_that_somebody_ended(
        self, world: BookingWorld, booking: Booking, learner: Api, mentor: Api
    ) -> None:
        world.clock.set("2027-06-05 10:20")
        for api in (learner, mentor):
            assert api.post(f"bookings/{booking.pk}/complete").status_code == 200 or api is mentor
        mentor.post(f"bookings/{booking.pk}/complete")
        leaving.leave(person_id=world.mentor.pk)
        assert mentor.get(f"bookings/{booking.pk}/join").status_code == 409

    @pytest.mark.parametrize("is_mentor", [False, True])
    def test_who_locks_the_other_one_out_by_a_block_proves_nothing(
        self, peer: DailyPeer, world: BookingWorld, booking: Booking, learner: Api, mentor: Api, is_mentor: bool
    ) -> None:
        api, blocked = (mentor, world.learner) if is_mentor else (learner, world.mentor)
        opened(booking, world)
        world.clock.set("2027-06-05 10:01")
        reported(booking, world.mentor if is_mentor else world.learner, 0)
        api.post("blocks", {"user_id": str(blocked.pk)})
        world.turn()
        world.clock.set("2027-06-05 10:11")
        assert api.post(f"bookings/{booking.pk}/no-show").json()["state"] == "in_session"

    def test_a_block_keeps_nobody_from_hearing_what_is_said_about_them(self, world: BookingWorld, booking: Booking, learner: Api) -> None:
        """Otherwise silence would prove nothing. They are not named."""
        world.clock.set("2027-06-05 10:15")
        learner.get(f"bookings/{booking.pk}/join")
        learner.post("blocks", {"user_id": str(world.mentor.pk)})
        world.turn()
        learner.post(f"bookings/{booking.pk}/no-show", {"note": "Shame on you."})
        world.turn()
        notice = Notification.objects.get(user=world.mentor, kind="bookings.statement-made")
        assert (notice.data["name"], notice.data["note"], notice.about_id) == ("", "", None)

    def test_in_a_group_each_seat_is_decided_for_itself(self, peer: DailyPeer, world: BookingWorld, mentor: Api) -> None:
        offer = Offer.objects.create(
            profile=world.profile, kind="group", title="Together", duration_minutes=60, price_amount=0, price_currency="EUR", group_size=3
        )
        session = groups.announce_session(profile=world.profile, offer_id=offer.pk, starts_at=utc("2027-06-05 10:00"))
        people = [world.learner, world.other(), world.other()]
        there, away, late = (groups.book_seat(learner=person, session_id=session.pk) for person in people)
        opened(there, world)
        reported(there, world.mentor, 0)
        world.clock.set("2027-06-05 10:11")
        for row in (away, late):
            assert mentor.post(f"bookings/{row.pk}/no-show").json()["state"] == "no_show_by_learner"
        reported(late, late.learner, 11)
        late.refresh_from_db()
        assert late.state == BookingState.IN_SESSION
        world.clock.set("2027-06-05 11:01")
        reported(late, late.learner, 11, 60)
        reported(there, there.learner, 0, 60)
        reported(there, world.mentor, 0, 60)
        states = dict(Booking.objects.values_list("pk", "state"))
        assert states == {there.pk: "completed", away.pk: "no_show_by_learner", late.pk: "completed"}

    def test_a_guardian_contests_for_a_ward_and_is_told(
        self, world: BookingWorld, ward: tuple[User, User], cleared: None, mentor: Api
    ) -> None:
        child, adult = ward
        world.profile.offers.update(price_amount=0)
        booking = world.book(learner=child)
        guardian = Api().sign_in(adult)
        guardian.post(f"bookings/{booking.pk}/approve")
        mentor.post(f"bookings/{booking.pk}/confirm")
        world.clock.set("2027-06-05 11:00")
        mentor.post(f"bookings/{booking.pk}/complete")
        world.turn()
        assert "bookings.ward-session-over" in told(adult) and "bookings.statement-made" in told(child)
        assert guardian.post(f"bookings/{booking.pk}/appeal", {"text": "Kim waited alone."}).status_code == 200
        assert Appeal.objects.get().side == Side.LEARNER
        assert Api().sign_in(child).post(f"bookings/{booking.pk}/appeal", {"text": "Again."}).json()["code"] == "cannot_appeal"


class TestAppeals:
    @pytest.fixture
    def contested(self, world: BookingWorld, booking: Booking, learner: Api, mentor: Api) -> Booking:
        world.clock.set("2027-06-05 11:00")
        mentor.post(f"bookings/{booking.pk}/complete")
        assert learner.post(f"bookings/{booking.pk}/appeal", {"text": "I waited alone."}).status_code == 200
        return booking

    def send(self, api: Api, booking: Booking, content: bytes = PNG) -> Any:
        file = SimpleUploadedFile("proof.png", content, "image/png")
        headers = {"HTTP_AUTHORIZATION": f"Bearer {api.token}"}
        return Client().post(f"/api/v1/bookings/{booking.pk}/appeal/evidence", {"document": file}, **headers)  # type: ignore[arg-type]

    def test_both_sides_give_an_account_with_files(
        self, world: BookingWorld, contested: Booking, learner: Api, mentor: Api, staff: User, client: Any
    ) -> None:
        assert self.send(mentor, contested).json()["code"] == "no_open_appeal"
        assert mentor.post(f"bookings/{contested.pk}/appeal", {"text": "We met."}).status_code == 200
        made = self.send(learner, contested)
        assert (made.status_code, made.json()["content_type"], made.json()["size"]) == (201, "image/png", len(PNG))
        assert self.send(learner, contested, b"GIF89a").json()["errors"][0]["code"] == "wrong_type"
        assert self.send(learner, contested, PNG + bytes(10_000_001)).status_code == 413
        assert self.send(learner, contested).json() == made.json(), "a file sent twice is one"
        for number in range(4):
            assert self.send(learner, contested, PNG + bytes([number])).status_code == 201
        assert self.send(learner, contested, PNG + b"more").json()["code"] == "too_much_evidence"
        path = f"bookings/{contested.pk}/appeal/evidence/{made.json()['id']}"
        for api in (learner, mentor):
            answer = api.get(path)
            assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, PNG, "application/octet-stream")
            assert answer["Content-Disposition"].startswith("attachment") and "no-store" in answer["Cache-Control"]
        assert Api().sign_in(world.other()).get(path).status_code == 404
        shown = mentor.get(f"bookings/{contested.pk}").json()["ending"]["appeals"]
        assert [(row["side"], row["text"], len(row["evidence"])) for row in shown] == [
            ("mentor", "We met.", 0),
            ("learner", "I waited alone.", 5),
        ]
        client.force_login(staff)
        row = Appeal.objects.get(side=Side.LEARNER)
        page = client.get(f"/admin/bookings/appeal/{row.pk}/decide/").content
        assert b"I waited alone." in page and b"We met." in page and made.json()["id"].encode() in page
        assert client.get(f"/admin/bookings/appeal/{row.pk}/evidence/{made.json()['id']}/").content == PNG
        client.post(f"/admin/bookings/appeal/{row.pk}/decide/", {"state": "mentor_absent", "note": "The files show it."}, follow=True)
        world.turn()
        assert set(Appeal.objects.values_list("state", flat=True)) == {"mentor_absent"}
        assert Booking.objects.get().state == BookingState.NO_SHOW_BY_MENTOR
        assert self.send(learner, contested).json()["code"] == "no_open_appeal"
        assert "bookings.appeal-decided" in told(world.learner) and "bookings.appeal-decided" in told(world.mentor)
        # The files go half a year later; the decision stays.
        world.clock.ahead(days=181)
        assert (appeal_evidence.delete_old_evidence(), appeal_evidence.delete_old_evidence()) == (5, 0)
        assert appeal_evidence.evidence_files(world.learner.pk) == []

    def test_staff_still_decide_when_whoever_contested_it_is_erased(
        self, world: BookingWorld, contested: Booking, staff: User, mentor: Api
    ) -> None:
        for step in erasure_steps():
            if step.name.startswith("bookings"):
                step.erase(world.learner.pk)
                assert step.count(world.learner.pk) == 0
        assert later(world, "2027-06-20 11:00").final_at is None
        row = Appeal.objects.get()
        assert (row.state, row.text) == (AppealState.OPEN, "")
        appealing.decide_appeal(row=row, staff=staff, state=AppealState.HELD, note="The mentor showed it.")
        assert later(world, "2027-06-20 11:01").settled_at is not None

    def test_whose_files_they_are_is_erased(self, contested: Booking, learner: Api, world: BookingWorld) -> None:
        self.send(learner, contested)
        assert len(appeal_evidence.evidence_for_archive(world.learner.pk)) == 1
        (step,) = [step for step in erasure_steps() if step.name == "bookings: evidence"]
        assert step.count(world.learner.pk) == 1
        step.erase(world.learner.pk)
        assert step.count(world.learner.pk) == 0

    @pytest.mark.parametrize(
        ("decision", "ends_as", "returned", "strikes", "reviews"),
        [
            ("held", "completed", 0, 0, 2),
            ("learner_absent", "no_show_by_learner", 0, 1, 0),
            ("mentor_absent", "no_show_by_mentor", 4500, 1, 0),
            ("nobody_came", "no_show_by_both", 4500, 0, 0),
            ("nobodys_fault", "cancelled_by_platform", 4500, 0, 0),
        ],
    )
    def test_every_decision_is_final(
        self, world: BookingWorld, contested: Booking, staff: User, decision: str, ends_as: str, returned: int, strikes: int, reviews: int
    ) -> None:
        appealing.decide_appeal(row=Appeal.objects.get(), staff=staff, state=AppealState(decision), note="")
        row = later(world, "2027-06-05 11:01")
        assert (row.state, came_back(row), Strike.objects.count(), Review.objects.count()) == (ends_as, returned, strikes, reviews)
        assert row.settled_at is not None
        assert later(world, "2027-06-30 11:00").state == ends_as

    def test_pages_show_and_take_it(self, world: BookingWorld, booking: Booking, learner: Api, mentor: Api, client: Any) -> None:
        world.clock.set("2027-06-05 11:00")
        mentor.post(f"bookings/{booking.pk}/complete")
        client.force_login(world.learner)
        page = client.get(f"/bookings/{booking.pk}").content.decode()
        assert "The mentor said: it took place" in page and "it counts as held" in page and "Say what happened" in page
        assert client.post(f"/bookings/{booking.pk}/appeal", {"text": "I waited alone."}).status_code == 302
        assert b"multipart/form-data" in client.get(f"/bookings/{booking.pk}/appeal/evidence").content
        file = SimpleUploadedFile("proof.pdf", b"%PDF-1.7", "application/pdf")
        assert client.post(f"/bookings/{booking.pk}/appeal/evidence", {"document": file}).status_code == 302
        evidence = AppealEvidence.objects.get()
        assert client.get(f"/bookings/{booking.pk}/appeal/evidence/{evidence.pk}").content == b"%PDF-1.7"
        assert "“I waited alone.”" in client.get(f"/bookings/{booking.pk}").content.decode()
        client.force_login(world.mentor)
        assert client.post(f"/bookings/{booking.pk}/no-show", {"absent": "me"}).status_code == 302
        assert Statement.objects.count() == 1, "staff decide now"


class TestDatabase:
    """What no code gets round."""

    def test_how_a_session_went(self, world: BookingWorld, booking: Booking) -> None:
        rows = Booking.objects.filter(pk=booking.pk)
        now = world.clock.now()
        forbidden: list[dict[str, Any]] = [
            {"state": "completed", "basis": "record", "contest_until": now},
            {"final_at": now},
        ]
        world.clock.set("2027-06-05 11:00")
        now, day = world.clock.now(), utc("2027-06-06 11:00")
        concluded = {"state": "completed", "version": booking.version + 1, "ended_at": now}
        forbidden += [
            concluded,
            concluded | {"basis": "record", "contest_until": day, "final_at": now},
            concluded | {"basis": "silence", "final_at": now},
            concluded | {"basis": "record", "contest_until": day, "settle_at": now, "refund_amount": 0},
            concluded | {"basis": "record", "contest_until": day, "ended_at": utc("2027-06-05 09:59")},
            concluded | {"state": "no_show_by_mentor", "basis": "record", "contest_until": day, "ended_at": utc("2027-06-05 10:09")},
        ]
        for changes in forbidden:
            with pytest.raises(IntegrityError), transaction.atomic():
                rows.update(**changes)

    def test_what_is_final_stays(self, world: BookingWorld, booking: Booking, learner: Api, mentor: Api) -> None:
        world.clock.set("2027-06-05 11:00")
        for api in (learner, mentor):
            api.post(f"bookings/{booking.pk}/complete")
        row = Booking.objects.get()
        with pytest.raises(IntegrityError), transaction.atomic():
            outcomes.conclude(
                row,
                Outcome.MENTOR_ABSENT,
                basis=row.basis,
                contest_until=None,
                is_final=True,
                side=Side.PLATFORM,  # type: ignore[arg-type]
            )

    def test_rooms_stay_open_while_people_may_come(self, peer: DailyPeer, world: BookingWorld, booking: Booking, mentor: Api) -> None:
        opened(booking, world)
        world.clock.set("2027-06-05 10:20")
        mentor.post(f"bookings/{booking.pk}/no-show", {"absent": "me"})
        rooms.look_after_rooms()
        assert Room.objects.get().state == RoomState.OPEN
        assert joining.join_session(booking=Booking.objects.get(), user=world.learner).token

    def test_sweeps_end(self, world: BookingWorld, booking: Booking) -> None:
        world.clock.set("2027-06-05 11:35")
        assert (ending.end_sessions(), ending.end_sessions(), ending.finalise_endings()) == (1, 0, 0)
        world.clock.set("2027-06-06 11:35")
        assert (ending.end_sessions(), ending.end_sessions(), ending.finalise_endings()) == (1, 0, 0)
        world.clock.set("2027-06-07 11:35")
        assert (ending.end_sessions(), ending.finalise_endings(), ending.finalise_endings()) == (0, 1, 0)
