"""What stands in people's own calendars, read with two parsers: e-mails, the file and the feed say the same, and nothing stale stays."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import icalendar
import pytest
import vobject
from django.core import mail
from django.test import Client

from accounts.models import User
from accounts.services.blocking import block_person
from accounts.services.staff import suspend_person
from bookings.models import Booking, Session
from bookings.services import cancelling, groups, requesting, rescheduling
from bookings.tests.world import BookingWorld, utc
from conftest import Api
from mentors.models import Offer
from mentors.services.links import rotate_link
from notifications.enums import Cadence, Channel
from notifications.models import Notification
from notifications.services import sending
from notifications.services.preferences import set_preferences

pytestmark = pytest.mark.django_db


@dataclasses.dataclass(frozen=True)
class Part:
    """A calendar part, or an event of a file or a feed."""

    method: str
    uid: str
    sequence: int
    start: datetime.datetime
    summary: str
    description: str
    url: str


def read(content: bytes | str) -> list[Part]:
    """The events, as both parsers read them."""
    calendar = icalendar.Calendar.from_ical(content)
    second = vobject.readOne(content if isinstance(content, str) else content.decode())
    method = str(calendar["method"])
    assert second.method.value == method
    parts = []
    for event, other in zip(calendar.walk("VEVENT"), second.contents.get("vevent", []), strict=True):
        part = Part(
            method,
            str(event["uid"]),
            int(event["sequence"]),
            event.decoded("dtstart"),
            str(event["summary"]),
            str(event.get("description", "")),
            str(event.get("url", "")),
        )
        assert (other.uid.value, int(other.sequence.value), other.dtstart.value) == (part.uid, part.sequence, part.start)
        assert (other.summary.value, other.dtend.value) == (part.summary, event.decoded("dtend"))
        parts.append(part)
    return parts


class Mailbox:
    """The calendar parts that were sent to each person, in their order."""

    def __init__(self, world: BookingWorld) -> None:
        self.world = world

    def of(self, person: User) -> list[Part]:
        found = []
        for message in mail.outbox:
            texts = [text for text, mimetype in message.alternatives if mimetype.startswith("text/calendar")]  # type: ignore[attr-defined]
            if message.to == [person.email] and texts:
                (part,) = read(str(texts[0]))
                assert [content for name, content, _ in message.attachments if name == "invite.ics"] == texts
                found.append(part)
        return found

    def turn(self) -> None:
        self.world.turn()
        while sending.send_some(Channel.EMAIL):
            pass


@pytest.fixture
def mailbox(world: BookingWorld) -> Mailbox:
    return Mailbox(world)


def hold_back(*people: User) -> None:
    """Everything is to wait for Sunday, and nothing to come at the hour of the test."""
    for person in people:
        set_preferences(user=person, cadence=Cadence.WEEKLY, digest_on=6, quiet_from=datetime.time(7), quiet_until=datetime.time(6, 30))


def test_it_follows_the_session_whatever_else_waits(world: BookingWorld, mailbox: Mailbox) -> None:
    User.objects.filter(pk=world.mentor.pk).update(locale="de")
    hold_back(world.mentor, world.learner)
    booking = world.confirmed()
    mailbox.turn()
    rescheduling.reschedule_booking(booking_id=booking.pk, user=world.learner, starts_at=utc("2027-06-07 12:00"))
    mailbox.turn()
    cancelling.cancel_booking(booking_id=booking.pk, user=world.mentor, note="I am ill: see http://example.org")
    mailbox.turn()
    titles = {world.learner: "Session with Ada Mentor: Talk", world.mentor: "Treffen mit Lea Learner: Talk"}
    for person, title in titles.items():
        parts = mailbox.of(person)
        assert [(part.method, part.sequence) for part in parts] == [("REQUEST", 0), ("REQUEST", 1), ("CANCEL", 2)]
        assert {part.summary for part in parts} == {title}, "an entry is named after the session, not after the news"
        assert len({part.uid for part in parts}) == 1
        assert [part.start.isoformat() for part in parts[:2]] == ["2027-06-05T10:00:00+00:00", "2027-06-07T12:00:00+00:00"]
        for part in parts:
            assert f"/bookings/{booking.pk}/join" in part.description and part.url.endswith(f"/bookings/{booking.pk}")


def test_the_mail_the_file_and_the_feed_say_the_same(world: BookingWorld, mailbox: Mailbox, client: Client) -> None:
    booking = world.confirmed()
    rescheduling.reschedule_booking(booking_id=booking.pk, user=world.learner, starts_at=utc("2027-06-07 12:00"))
    mailbox.turn()
    for person in (world.learner, world.mentor):
        mailed = mailbox.of(person)[-1]
        (filed,) = read(Api().sign_in(person).get(f"bookings/{booking.pk}/calendar.ics").content)
        (fed,) = read(client.get(f"/calendars/{rotate_link(person=person)}.ics").content)
        assert filed == fed == dataclasses.replace(mailed, method="PUBLISH")


def test_a_newer_entry_is_the_only_one_sent(world: BookingWorld, mailbox: Mailbox) -> None:
    booking = world.confirmed()
    cancelling.cancel_booking(booking_id=booking.pk, user=world.learner)
    mailbox.turn()
    assert [part.method for part in mailbox.of(world.mentor)] == ["CANCEL"]


@pytest.mark.parametrize("way", ["blocked", "suspended"])
def test_it_goes_when_the_other_side_leaves(world: BookingWorld, mailbox: Mailbox, staff: User, way: str) -> None:
    world.confirmed()
    mailbox.turn()
    if way == "blocked":
        block_person(user=world.mentor, person_id=world.learner.pk)
    else:
        suspend_person(actor=staff, person=world.mentor, reason="Rude")
    mailbox.turn()
    request, cancel = mailbox.of(world.learner)
    assert (cancel.method, cancel.uid, cancel.sequence) == ("CANCEL", request.uid, request.sequence + 1)
    assert cancel.summary == "Session: Talk"
    (message,) = [message for message in mail.outbox if message.to == [world.learner.email] and "cancelled" in message.subject]
    assert "Ada" not in f"{message.subject} {message.body}", "nobody is named who has left"


class TestGroups:
    @pytest.fixture
    def session(self, world: BookingWorld) -> Session:
        offer = Offer.objects.create(
            profile=world.profile, kind="group", title="Together", duration_minutes=60, group_size=5, price_amount=0, price_currency="EUR"
        )
        return groups.announce_session(profile=world.profile, offer_id=offer.pk, starts_at=utc("2027-06-05 10:00"))

    def test_one_who_leaves_and_comes_back(self, world: BookingWorld, mailbox: Mailbox, session: Session, client: Client) -> None:
        booking = groups.book_seat(learner=world.learner, session_id=session.pk)
        groups.book_seat(learner=world.other(), session_id=session.pk)
        mailbox.turn()
        cancelling.cancel_booking(booking_id=booking.pk, user=world.learner)
        mailbox.turn()
        groups.book_seat(learner=world.learner, session_id=session.pk)
        mailbox.turn()
        assert [(part.method, part.sequence) for part in mailbox.of(world.learner)] == [("REQUEST", 0), ("CANCEL", 1), ("REQUEST", 2)]
        assert {part.method for part in mailbox.of(world.mentor)} == {"REQUEST"}, "the mentor still meets the others"
        groups.cancel_session(session=session)
        mailbox.turn()
        last = mailbox.of(world.mentor)[-1]
        assert (last.method, last.summary) == ("CANCEL", "Group session: Together")
        assert last.sequence > max(part.sequence for part in mailbox.of(world.mentor)[:-2])
        assert mailbox.of(world.learner)[-1].method == "CANCEL"
        assert read_feed(client, world.mentor) == []

    def test_one_that_nobody_has_booked(self, world: BookingWorld, session: Session, client: Client) -> None:
        (part,) = read_feed(client, world.mentor)
        assert (part.summary, part.start) == ("Group session: Together", session.starts_at)


def read_feed(client: Client, person: User) -> list[Part]:
    return read(client.get(f"/calendars/{rotate_link(person=person)}.ics").content)


def test_a_guardian_has_the_entry_too(
    world: BookingWorld, mailbox: Mailbox, ward: tuple[User, User], cleared: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    child, guardian = ward
    hold_back(child, guardian)
    offer = Offer.objects.get()
    offer.price_amount = 0
    offer.save()
    booking = world.book(learner=child)
    mailbox.turn()
    assert [message.subject for message in mail.outbox if message.to == [guardian.email]] == ["Kim Ward would like to meet a mentor"]
    Api().sign_in(guardian).post(f"bookings/{booking.pk}/approve")
    world.turn()
    requesting.confirm_booking(booking_id=booking.pk, mentor=world.mentor)
    mailbox.turn()
    cancelling.cancel_booking(booking_id=booking.pk, user=world.mentor)
    mailbox.turn()
    parts = mailbox.of(guardian)
    assert [(part.method, part.summary) for part in parts] == [
        ("REQUEST", "Kim Ward’s session: Talk"),
        ("CANCEL", "Kim Ward’s session: Talk"),
    ]
    assert len(mailbox.of(child)) == 2


def test_a_request_is_asked_in_time_and_its_end_is_told(world: BookingWorld, mailbox: Mailbox) -> None:
    hold_back(world.mentor, world.learner)
    booking = world.requested()
    mailbox.turn()
    asked: list[Any] = [message.subject for message in mail.outbox if message.to == [world.mentor.email]]
    assert asked == ["Lea Learner asks you for a session"]
    world.clock.ahead(hours=25)
    mailbox.turn()
    assert Booking.objects.get(pk=booking.pk).state == "expired"
    told = dict(Notification.objects.filter(kind__in=("bookings.request-missed", "bookings.request-expired")).values_list("kind", "user"))
    assert told == {"bookings.request-missed": world.mentor.pk, "bookings.request-expired": world.learner.pk}
