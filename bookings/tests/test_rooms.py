from __future__ import annotations

import itertools
import json
from typing import Any
from unittest import mock

import jwt
import pytest

from bookings.enums import AttendanceSource, BookingState, RoomState, Side
from bookings.errors import TooEarly, TooLate
from bookings.models import Attendance, Booking, Removal, Room, Session
from bookings.providers import daily
from bookings.services import attending, cancelling, ending, groups, joining, leaving, removing, rooms
from bookings.services.attending import has_been_in_room, is_met, time_together
from bookings.services.hearing import hear_of_stay
from bookings.services.rescheduling import reschedule_booking
from bookings.tests.daily_peer import FAULTS, DailyPeer, signed, signed_body, stay
from bookings.tests.world import BookingWorld, utc
from conftest import Api
from core.models import OutboxEvent
from mentors.models import Offer

pytestmark = pytest.mark.django_db


def claims_of(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


class TestDaily:
    def test_made_late_private_and_bounded_then_deleted(self, peer: DailyPeer, world: BookingWorld) -> None:
        booking = world.confirmed()
        world.clock.set("2027-06-05 09:19")
        assert rooms.look_after_rooms() == 0 and not peer.rooms
        world.clock.set("2027-06-05 09:20")
        assert rooms.look_after_rooms() == 1
        room = Room.objects.get()
        made = peer.rooms[room.name]
        assert made["privacy"] == "private"
        config = made["config"]
        assert (config["nbf"], config["exp"]) == (utc("2027-06-05 09:50").timestamp(), utc("2027-06-05 11:30").timestamp())
        assert config["eject_at_room_exp"] and not config["enable_knocking"] and not config["enable_recording"]
        assert room.name != str(booking.session_id) and len(room.name) > 30
        world.clock.set("2027-06-05 11:40")
        rooms.look_after_rooms()
        assert not peer.rooms and Room.objects.get().state == RoomState.CLOSED

    def test_a_token_is_for_one_person_one_room_and_one_time(self, peer: DailyPeer, world: BookingWorld) -> None:
        booking = world.confirmed()
        world.clock.set("2027-06-05 09:50")
        for person, is_owner in ((world.learner, False), (world.mentor, True)):
            entrance = joining.join_session(booking=booking, user=person, is_audio_only=not is_owner)
            claims = claims_of(entrance.token)
            assert claims["room_name"] == Room.objects.get().name and claims["user_id"] == str(person.pk)
            assert (claims["nbf"], claims["exp"]) == (utc("2027-06-05 09:50").timestamp(), utc("2027-06-05 11:30").timestamp())
            assert claims["is_owner"] is is_owner and claims["start_video_off"] is not is_owner
            assert claims["eject_at_token_exp"] and claims["enable_live_captions_ui"]
        assert entrance.meeting_url == f"https://soosh.daily.co/{Room.objects.get().name}"

    def test_only_while_it_is_open(self, peer: DailyPeer, world: BookingWorld) -> None:
        booking = world.confirmed()
        for at, error in (("2027-06-05 09:49", TooEarly), ("2027-06-05 11:30", TooLate)):
            world.clock.set(at)
            with pytest.raises(error) as refused:
                joining.join_session(booking=booking, user=world.learner)
            assert refused.value.data == {"opens_at": "2027-06-05T09:50:00Z", "closes_at": "2027-06-05T11:30:00Z"}
        assert not peer.rooms

    def test_a_lost_room_is_made_again(self, peer: DailyPeer, world: BookingWorld) -> None:
        booking = world.confirmed()
        world.clock.set("2027-06-05 09:55")
        joining.join_session(booking=booking, user=world.mentor)
        peer.rooms.clear()
        joining.join_session(booking=booking, user=world.learner)
        assert list(peer.rooms) == [Room.objects.get().name]

    def test_a_moved_session_has_another_room_at_the_other_time(self, peer: DailyPeer, world: BookingWorld) -> None:
        booking = world.confirmed()
        world.clock.set("2027-06-05 09:30")
        rooms.look_after_rooms()
        before = Room.objects.get().name
        reschedule_booking(booking_id=booking.pk, user=world.mentor, starts_at=utc("2027-06-05 15:00"))
        room = Room.objects.get()
        assert (room.state, room.opens_at) == (RoomState.PLANNED, utc("2027-06-05 14:50"))
        assert room.name != before
        booking.refresh_from_db()
        world.clock.set("2027-06-05 14:50")
        assert joining.join_session(booking=booking, user=world.learner).meeting_url.endswith(room.name)

    @pytest.mark.parametrize("fault", FAULTS)
    def test_nothing_that_goes_wrong_there_half_makes_a_session(self, peer: DailyPeer, world: BookingWorld, fault: str) -> None:
        """T4: the booking stands, there is one room and no other, and whoever comes gets in."""
        with mock.patch.object(daily, "_SECONDS", 0.5):
            booking = world.confirmed()
            assert booking.state == BookingState.CONFIRMED
            world.clock.set("2027-06-05 09:25")
            peer.fail(fault)
            rooms.look_after_rooms()
            room = Room.objects.get()
            assert room.last_error or room.state == RoomState.OPEN
            world.clock.set("2027-06-05 09:30")
            rooms.look_after_rooms()
            assert Room.objects.get().state == RoomState.OPEN
            assert list(peer.rooms) == [room.name]
            world.clock.set("2027-06-05 10:00")
            assert joining.join_session(booking=booking, user=world.learner).provider == "daily"

    @pytest.mark.parametrize("fault", FAULTS)
    def test_while_it_stays_away_people_meet_elsewhere_and_staff_hear(self, peer: DailyPeer, world: BookingWorld, fault: str) -> None:
        with mock.patch.object(daily, "_SECONDS", 0.5):
            booking = world.confirmed()
            peer.fail(fault, times=100)
            for minute in (20, 23, 26, 29, 32):
                world.clock.set(f"2027-06-05 09:{minute}")
                rooms.look_after_rooms()
            if fault != "conflict" or Room.objects.get().state != RoomState.OPEN:
                assert Room.objects.get().state == RoomState.FAILED
            world.clock.set("2027-06-05 10:00")
            addresses = {joining.join_session(booking=booking, user=person).meeting_url for person in (world.learner, world.mentor)}
            assert addresses == {f"https://meet.jit.si/{Room.objects.get().name}"}
            assert OutboxEvent.objects.filter(name="bookings.room-failed").exists()

    def test_a_room_that_is_not_private_is_refused(self, peer: DailyPeer, world: BookingWorld) -> None:
        booking = world.confirmed()
        world.clock.set("2027-06-05 10:00")
        made = peer.answer
        with mock.patch.object(peer, "answer", lambda *call: (made(*call)[0], made(*call)[1] | {"privacy": "public"})):
            assert joining.join_session(booking=booking, user=world.learner).provider == "jitsi"

    def test_a_session_that_is_off_loses_its_room(self, peer: DailyPeer, world: BookingWorld) -> None:
        booking = world.confirmed()
        world.clock.set("2027-06-05 09:30")
        rooms.look_after_rooms()
        cancelling.cancel_booking(booking_id=booking.pk, user=world.mentor)
        rooms.look_after_rooms()
        assert not peer.rooms
        assert Room.objects.get().state == RoomState.CLOSED


class TestRemovals:
    """Who may not be there any more is taken out, and kept out with the token that they have."""

    @pytest.fixture
    def session(self, world: BookingWorld) -> Session:
        offer = Offer.objects.create(
            profile=world.profile, kind="group", title="Together", duration_minutes=60, price_amount=0, price_currency="EUR", group_size=3
        )
        return groups.announce_session(profile=world.profile, offer_id=offer.pk, starts_at=utc("2027-06-05 10:00"))

    def test_the_mentor_calls_one_of_several_off(self, peer: DailyPeer, world: BookingWorld, session: Session) -> None:
        other = world.other()
        kept, gone = (groups.book_seat(learner=learner, session_id=session.pk) for learner in (world.learner, other))
        cancelling.cancel_booking(booking_id=gone.pk, user=world.mentor)
        # Nobody had a token yet.
        gone = groups.book_seat(learner=other, session_id=session.pk)
        world.clock.set("2027-06-05 09:55")
        for booking in (kept, gone):
            joining.join_session(booking=booking, user=booking.learner)
        cancelling.cancel_booking(booking_id=gone.pk, user=world.mentor)
        assert removing.tell_provider() == 1 and removing.tell_provider() == 0
        assert peer.banned == {(Room.objects.get().name, str(other.pk))}
        assert Api().sign_in(other).post(f"bookings/sessions/{session.pk}/book").json()["code"] == "removed_from_session"
        assert joining.join_session(booking=kept, user=world.learner).token

    def test_who_steps_back_may_come_again(self, peer: DailyPeer, world: BookingWorld, session: Session) -> None:
        booking = groups.book_seat(learner=world.learner, session_id=session.pk)
        world.clock.set("2027-06-05 09:55")
        cancelling.cancel_booking(booking_id=booking.pk, user=world.learner)
        assert groups.book_seat(learner=world.learner, session_id=session.pk).state == BookingState.CONFIRMED

    @pytest.mark.parametrize("is_group", [False, True])
    @pytest.mark.parametrize("is_mentor_blocked", [False, True])
    def test_a_block_while_it_is_going_on(
        self, peer: DailyPeer, world: BookingWorld, session: Session, is_group: bool, is_mentor_blocked: bool
    ) -> None:
        booking = groups.book_seat(learner=world.learner, session_id=session.pk) if is_group else world.confirmed("2027-06-05 14:00")
        world.clock.shown = booking.session.starts_at
        for person in (world.learner, world.mentor):
            joining.join_session(booking=booking, user=person)
        blocker, blocked = (world.learner, world.mentor) if is_mentor_blocked else (world.mentor, world.learner)
        assert Api().sign_in(blocker).post("blocks", {"user_id": str(blocked.pk)}).status_code == 201
        world.turn()
        removed = world.learner if is_group else blocked
        assert removing.tell_provider() == 1
        assert peer.banned == {(booking.session.room.name, str(removed.pk))}
        for person in (world.learner, world.mentor):
            answer = Api().sign_in(person).get(f"bookings/{booking.pk}/join")
            assert answer.status_code == (409 if person == removed else 200), answer.json()
            assert answer.json().get("code") == ("removed_from_session" if person == removed else None)

    def test_somebody_is_suspended_while_it_is_going_on(self, peer: DailyPeer, world: BookingWorld) -> None:
        booking = world.confirmed()
        world.clock.set("2027-06-05 10:00")
        joining.join_session(booking=booking, user=world.mentor)
        leaving.leave(person_id=world.mentor.pk)
        removing.tell_provider()
        assert peer.banned == {(Room.objects.get().name, str(world.mentor.pk))}
        booking.refresh_from_db()
        assert booking.state == BookingState.IN_SESSION

    def test_the_provider_is_asked_until_it_knows(self, peer: DailyPeer, world: BookingWorld) -> None:
        booking = world.confirmed()
        world.clock.set("2027-06-05 10:00")
        joining.join_session(booking=booking, user=world.mentor)
        leaving.leave(person_id=world.mentor.pk)
        peer.fail("broken")
        assert removing.tell_provider() == 1 and removing.tell_provider() == 0 and not peer.banned
        world.clock.ahead(seconds=30)
        assert removing.tell_provider() == 1 and len(peer.banned) == 1
        # A room that is made anew knows of nobody.
        peer.rooms.clear()
        peer.banned.clear()
        joining.join_session(booking=booking, user=world.learner)
        assert removing.tell_provider() == 1 and len(peer.banned) == 1
        Room.objects.update(state=RoomState.PLANNED)
        Removal.objects.update(due_at=world.clock.now())
        assert removing.tell_provider() == 1 and Removal.objects.get().due_at is not None
        world.clock.set("2027-06-05 11:30")
        assert removing.tell_provider() == 1 and Removal.objects.get().due_at is None


class TestJitsi:
    def test_without_a_secret_the_name_is_the_key(self, world: BookingWorld) -> None:
        booking = world.confirmed()
        world.clock.set("2027-06-05 10:00")
        entrance = joining.join_session(booking=booking, user=world.learner)
        assert (entrance.token, entrance.provider) == ("", "jitsi")
        assert entrance.meeting_url == f"https://meet.jit.si/{Room.objects.get().name}"

    def test_with_one_it_is_signed(self, world: BookingWorld, settings: Any) -> None:
        settings.JITSI_APP_ID, settings.JITSI_APP_SECRET, settings.JITSI_URL = "soosh", "s" * 32, "https://meet.example.org"
        booking = world.confirmed()
        world.clock.set("2027-06-05 10:00")
        entrance = joining.join_session(booking=booking, user=world.mentor)
        claims = jwt.decode(entrance.token, "s" * 32, algorithms=["HS256"], audience="jitsi", options={"verify_nbf": False})
        assert (claims["iss"], claims["sub"], claims["room"]) == ("soosh", "meet.example.org", Room.objects.get().name)
        assert (claims["nbf"], claims["exp"]) == (utc("2027-06-05 09:50").timestamp(), utc("2027-06-05 11:30").timestamp())
        assert claims["moderator"] is True and claims["context"]["user"]["id"] == str(world.mentor.pk)


class TestAttendance:
    """Stays come in any order, twice, and some only half."""

    def events(self, booking: Booking, world: BookingWorld) -> list[dict[str, Any]]:
        room, start = Room.objects.get().name, booking.session.starts_at.timestamp()
        found = []
        for person, session in ((world.learner, "a"), (world.mentor, "b")):
            found += [
                stay(room, person.pk, joined=start + 60, session=session),
                stay(room, person.pk, joined=start + 60, seconds=1_200, session=session),
            ]
        return [*found[1:], stay(room, world.learner.pk, joined=start + 1_800, seconds=600, session="c")]

    def test_every_order_says_the_same(self, world: BookingWorld) -> None:
        booking = world.confirmed()
        world.clock.set("2027-06-05 11:00")
        events, seen = self.events(booking, world), set()
        for order in itertools.permutations(events):
            Attendance.objects.all().delete()
            for event in (*order, order[0]):
                assert hear_of_stay(event=event)
            rows = Attendance.objects.order_by("key").values_list("person", "key", "joined_at", "left_at")
            seen.add((tuple(rows), time_together(booking)))
        assert len(seen) == 1
        assert time_together(booking).total_seconds() == 1_200
        assert not is_met(booking), "20 of 60 minutes are not most of them"

    def test_strangers_other_rooms_and_nonsense_tell_nothing(self, world: BookingWorld) -> None:
        booking = world.confirmed()
        room, start = Room.objects.get().name, booking.session.starts_at.timestamp()
        stranger = world.other()
        nonsense: list[Any] = [
            stay(f"{room}\x00", stranger.pk, joined=start),
            stay("other-room", world.learner.pk, joined=start),
            stay(room, stranger.pk, joined=start),
            stay(room, "nobody", joined=start),
            stay(room, world.learner.pk, joined=float("1e300")),
            stay(room, world.learner.pk, joined=start) | {"type": "meeting.started"},
            {"type": "participant.joined", "payload": []},
            {"type": "participant.joined"},
        ]
        assert not any(hear_of_stay(event=event) for event in nonsense)
        assert not Attendance.objects.exists()

    def test_a_stay_before_the_room_opened_is_none(self, world: BookingWorld) -> None:
        booking = world.confirmed()
        hear_of_stay(event=stay(Room.objects.get().name, world.learner.pk, joined=booking.session.starts_at.timestamp() - 3_600))
        assert not has_been_in_room(booking, Side.LEARNER)

    def test_the_webhook(self, peer: DailyPeer, world: BookingWorld, api: Api, client: Any) -> None:
        booking = world.confirmed()
        event = stay(Room.objects.get().name, world.learner.pk, joined=booking.session.starts_at.timestamp())
        address = "/api/v1/bookings/webhooks/daily"

        def send(body: bytes, headers: dict[str, str]) -> int:
            return int(client.post(address, body, content_type="application/json", **headers).status_code)

        body, headers = signed(event)
        forged = [
            (body, {}),
            (body + b" ", headers),
            signed(event, at=1),
            signed(event, secret="b3RoZXI="),
            (body, headers | {"HTTP_X_WEBHOOK_SIGNATURE": "no base64"}),
            (body, headers | {"HTTP_X_WEBHOOK_TIMESTAMP": "soon"}),
            (b"x" * 100_000, headers),
        ]
        assert [send(*each) for each in forged] == [400] * len(forged)
        assert not Attendance.objects.exists()
        assert send(body, headers) == send(body, headers) == 200
        assert Attendance.objects.get().source == AttendanceSource.PROVIDER
        assert send(*signed(event | {"payload": event["payload"] | {"session_id": "a\x00b", "user_id": "\x00"}})) == 200
        assert send(*signed(event | {"payload": event["payload"] | {"session_id": "a\x00b\ud800"}})) == 200
        nested = b"[" * 60_000
        assert send(nested, signed_body(nested)) == 400
        assert send(*signed({"test": "test"})) == 200
        assert send(*signed(json.loads("[]"))) == 200

    def test_daily_checks_the_address_before_it_can_sign(self, peer: DailyPeer, world: BookingWorld, client: Any) -> None:
        """docs.daily.co/reference/rest-api/webhooks: exactly this body is answered without a signature."""
        world.confirmed()
        address = "/api/v1/bookings/webhooks/daily"
        bodies = {
            b'{"test":"test"}': 200,
            b'{ "test": "test" }\n': 200,
            b'{"test":"test","type":"participant.joined"}': 400,
            b'{"test":"other"}': 400,
            b'[{"test":"test"}]': 400,
            b"test": 400,
            b"": 400,
            b"[" * 90: 400,
        }
        answers = {body: client.post(address, body, content_type="application/json").status_code for body in bodies}
        assert answers == bodies
        assert not Attendance.objects.exists()

    def test_somebody_in_the_room_begins_the_session(self, world: BookingWorld) -> None:
        booking = world.confirmed()
        world.clock.set("2027-06-05 09:55")
        joining.record_app_stay(booking=booking, user=world.learner, is_leaving=False)
        booking.refresh_from_db()
        assert booking.state == BookingState.CONFIRMED
        world.clock.set("2027-06-05 10:01")
        ending.begin_sessions()
        booking.refresh_from_db()
        assert booking.state == BookingState.IN_SESSION
        world.clock.set("2027-06-05 10:50")
        joining.record_app_stay(booking=booking, user=world.learner, is_leaving=True)
        assert Attendance.objects.get().left_at == utc("2027-06-05 10:50")
        joining.record_app_stay(booking=booking, user=world.learner, is_leaving=True)
        assert Attendance.objects.get().source == AttendanceSource.APP

    def test_halves_make_a_stay(self, world: BookingWorld) -> None:
        booking = world.confirmed()
        keys = {"session_id": booking.session_id, "person_id": world.learner.pk, "source": AttendanceSource.APP, "key": "x"}
        attending.record_stay(**keys, left_at=utc("2027-06-05 10:30"))
        assert not has_been_in_room(booking, Side.LEARNER)
        attending.record_stay(**keys, joined_at=utc("2027-06-05 10:00"))
        attending.record_stay(**keys)
        assert has_been_in_room(booking, Side.LEARNER)
