from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from bookings.models import Booking, RecordingConsent, Room, SessionRecording
from bookings.services import joining, recording
from bookings.services.rooms import look_after_rooms
from bookings.tests.daily_peer import DailyPeer
from bookings.tests.test_groups import announce, seat
from bookings.tests.world import BookingWorld
from conftest import Api
from core.privacy import erasure_steps
from mentors.models import Offer

pytestmark = pytest.mark.django_db
YES, NO = {"agrees": True, "text_version": 1}, {"agrees": False, "text_version": 1}


@pytest.fixture
def learner(world: BookingWorld) -> Api:
    return Api().sign_in(world.learner)


@pytest.fixture
def mentor(world: BookingWorld) -> Api:
    return Api().sign_in(world.mentor)


@pytest.fixture
def key(peer: DailyPeer, world: BookingWorld) -> Any:
    """A session that has begun, with both in the room."""
    booking = world.confirmed()
    world.clock.set("2027-06-05 10:01")
    for person in (world.learner, world.mentor):
        joining.join_session(booking=booking, user=person)
    return booking.pk


def agreed(*people: Api, key: Any) -> None:
    for person in people:
        assert person.put(f"bookings/{key}/recording/consent", YES).status_code == 200


class TestConsent:
    def test_from_agreeing_to_watching_and_deleting(
        self, peer: DailyPeer, world: BookingWorld, learner: Api, mentor: Api, key: Any
    ) -> None:
        room = Room.objects.get()
        shown = mentor.get(f"bookings/{key}/recording").json()
        assert "deleted after 30 days" in shown.pop("text")
        assert shown == {
            "is_possible": True,
            "text_version": 1,
            "you_agree": False,
            "other_agrees": False,
            "is_running": False,
            "can_be_watched": False,
        }
        assert mentor.post(f"bookings/{key}/recording/start").json()["code"] == "consent_missing"
        agreed(mentor, key=key)
        assert mentor.post(f"bookings/{key}/recording/start").json()["code"] == "consent_missing"
        agreed(learner, learner, key=key)
        # A late yes starts nothing by itself, and until somebody starts it nobody can in Daily's own page.
        assert not peer.recordings and not peer.rooms[room.name]["config"]["enable_recording"]
        assert mentor.post(f"bookings/{key}/recording/start").json()["is_running"]
        assert learner.post(f"bookings/{key}/recording/start").json()["code"] == "recording_runs"
        assert [row["status"] for row in peer.recordings.values()] == ["in-progress"]
        assert learner.get(f"bookings/{key}/recording/link").json()["code"] == "no_recording"
        stopped = learner.post(f"bookings/{key}/recording/stop").json()
        assert (stopped["is_running"], stopped["can_be_watched"]) == (False, True)
        assert not peer.rooms[room.name]["config"]["enable_recording"]
        link = learner.get(f"bookings/{key}/recording/link")
        assert link.json()["url"].startswith("https://recordings.daily.co/") and link["Cache-Control"] == "private, no-store"
        assert link.json()["expires_at"] == "2027-06-05T10:16:00Z"
        assert learner.post(f"bookings/{key}/recording/stop").json()["code"] == "no_recording"
        world.clock.set("2027-07-05 10:00")
        recording.look_after_recordings()
        assert peer.recordings
        world.clock.ahead(minutes=1)
        recording.look_after_recordings()
        assert not peer.recordings
        assert mentor.get(f"bookings/{key}/recording/link").json()["code"] == "no_recording"

    def test_who_takes_it_back_stops_it_and_nothing_is_kept(
        self, peer: DailyPeer, world: BookingWorld, learner: Api, mentor: Api, key: Any
    ) -> None:
        agreed(mentor, learner, key=key)
        mentor.post(f"bookings/{key}/recording/start")
        after = learner.put(f"bookings/{key}/recording/consent", NO).json()
        assert (after["is_running"], after["can_be_watched"], after["you_agree"]) == (False, False, False)
        assert not peer.recordings
        assert mentor.post(f"bookings/{key}/recording/start").json()["code"] == "consent_missing"
        agreed(learner, key=key)
        assert RecordingConsent.objects.filter(person=world.learner).count() == 2
        assert mentor.post(f"bookings/{key}/recording/start").json()["is_running"]
        # What deletes the first one leaves the second alone.
        world.clock.ahead(minutes=3)
        recording.look_after_recordings()
        assert [row["status"] for row in peer.recordings.values()] == ["in-progress"]

    def test_only_the_two_and_only_while_it_takes_place(
        self, peer: DailyPeer, world: BookingWorld, learner: Api, mentor: Api, ward: tuple[User, User]
    ) -> None:
        booking = world.confirmed("2027-06-06 10:00")
        agreed(mentor, learner, key=booking.pk)
        assert mentor.post(f"bookings/{booking.pk}/recording/start").json()["code"] == "illegal_booking_move"
        for path in ("recording", "recording/link"):
            assert Api().sign_in(world.other()).get(f"bookings/{booking.pk}/{path}").status_code == 404
        assert learner.put(f"bookings/{booking.pk}/recording/consent", YES | {"text_version": 2}).json()["code"] == "consent_text_changed"

    def test_never_with_minors_or_for_several(
        self, peer: DailyPeer, world: BookingWorld, mentor: Api, ward: tuple[User, User], cleared: None
    ) -> None:
        child, guardian = ward
        booking = world.book(learner=child)
        assert Api().sign_in(guardian).post(f"bookings/{booking.pk}/approve").status_code == 200
        answer = Api().sign_in(child).put(f"bookings/{booking.pk}/recording/consent", YES)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_recordable")
        assert Api().sign_in(guardian).get(f"bookings/{booking.pk}/recording").status_code == 403
        offer = Offer.objects.create(
            profile=world.profile, kind="group", title="T", duration_minutes=60, price_amount=0, price_currency="EUR", group_size=5
        )
        place = seat(world, announce(world, offer, "2027-06-08 10:00"))
        assert mentor.put(f"bookings/{place.pk}/recording/consent", YES).json()["code"] == "not_recordable"


class TestTrouble:
    @pytest.mark.parametrize("fault", ["timeout", "broken", "lost_reply", "malformed"])
    def test_what_began_without_an_answer_is_stopped_and_deleted(
        self, peer: DailyPeer, world: BookingWorld, learner: Api, mentor: Api, key: Any, fault: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from bookings.providers import daily

        monkeypatch.setattr(daily, "_SECONDS", 0.3)
        agreed(mentor, learner, key=key)
        peer.fail(fault, 2)
        assert mentor.post(f"bookings/{key}/recording/start").json()["code"] == "recording_away"
        peer.fail("", 0)
        for _ in range(3):
            world.clock.ahead(minutes=3)
            recording.look_after_recordings()
        assert not peer.recordings
        assert SessionRecording.objects.get().state == "unwanted"
        assert mentor.post(f"bookings/{key}/recording/start").json()["code"] == "recording_away"
        world.clock.ahead(days=2)
        recording.look_after_recordings()
        assert SessionRecording.objects.get().state == "deleted"

    def test_forgotten_it_stops_with_the_room(self, peer: DailyPeer, world: BookingWorld, learner: Api, mentor: Api, key: Any) -> None:
        agreed(mentor, learner, key=key)
        mentor.post(f"bookings/{key}/recording/start")
        world.clock.set("2027-06-05 11:30")
        recording.look_after_recordings()
        assert SessionRecording.objects.get().state == "stored"
        world.clock.set("2027-06-05 11:40")
        look_after_rooms()
        assert learner.get(f"bookings/{key}/recording/link").status_code == 200

    def test_a_room_elsewhere_is_not_recorded(self, peer: DailyPeer, world: BookingWorld, learner: Api, mentor: Api, key: Any) -> None:
        agreed(mentor, learner, key=key)
        Room.objects.update(provider="jitsi")
        assert mentor.post(f"bookings/{key}/recording/start").json()["code"] == "recording_away"
        assert not SessionRecording.objects.exists()

    def test_who_is_erased_is_heard_no_more(self, peer: DailyPeer, world: BookingWorld, learner: Api, mentor: Api, key: Any) -> None:
        agreed(mentor, learner, key=key)
        mentor.post(f"bookings/{key}/recording/start")
        (step,) = [step for step in erasure_steps() if step.name == "bookings: recordings"]
        assert step.count(world.learner.pk) == 1
        step.erase(world.learner.pk)
        assert step.count(world.learner.pk) == 0
        recording.look_after_recordings()
        assert not peer.recordings

    def test_the_database_refuses_two_at_once(self, world: BookingWorld, key: Any) -> None:
        session = Booking.objects.get(pk=key).session
        times = {"started_at": world.clock.now(), "due_at": world.clock.now()}
        SessionRecording.objects.create(session=session, **times)
        with pytest.raises(IntegrityError), transaction.atomic():
            SessionRecording.objects.create(session=session, **times)
