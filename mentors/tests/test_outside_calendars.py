"""Outside calendars as a mentor has them: an iCalendar address and a real CalDAV server, both over TLS."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import ssl
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import icalendar
import pytest
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from conftest import Api
from core.errors import InvalidInput
from core.models import OutboxEvent
from mentors.enums import CalendarKind, Refusal
from mentors.errors import TooManyCalendars
from mentors.events import CalendarMisread, CalendarWentStale
from mentors.handlers import notify_owner_of_misread_calendar, tell_owner_of_stale_calendar
from mentors.models import CalendarLink, MentorProfile, OccupiedTime, OutsideCalendar, Schedule
from mentors.providers import caldav, guarded
from mentors.providers.guarded import FetchFailed
from mentors.services.calendars import (
    UNREAD_UNTIL,
    add_calendar,
    is_confirmed,
    read_due_calendars,
    refresh_calendar,
    remove_calendar,
    report_stale_calendars,
)
from mentors.services.explaining import full_reasons_against
from mentors.services.links import drop_link, feed_of, own_suffix, person_behind, rotate_link, token_of
from mentors.services.occupying import block_time, claim_time
from mentors.services.schedules import availability_of, change_time_zone, set_availability
from mentors.services.slots import Question, refusals_of
from mentors.tests.calendar_servers import CalendarServer, radicale
from mentors.tests.conftest import utc
from mentors.tests.test_calendars import calendar as content_with
from notifications.models import Notification

pytestmark = pytest.mark.django_db
LUNCH = "UID:lunch\nDTSTART;TZID=Europe/Berlin:20260601T120000\nDTEND;TZID=Europe/Berlin:20260601T130000\nRRULE:FREQ=WEEKLY\nSUMMARY:Lunch"


def trust(monkeypatch: Any, certificate: Path) -> None:
    monkeypatch.setattr(guarded, "is_public", lambda address: str(address) in ("127.0.0.1", "::1"))
    monkeypatch.setattr(guarded, "_context", lambda: ssl.create_default_context(cafile=str(certificate)))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: Any) -> Iterator[CalendarServer]:
    found = CalendarServer(tmp_path)
    trust(monkeypatch, found.certificate)
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture(autouse=True)
def clock(monkeypatch: Any) -> list[datetime.datetime]:
    times = [utc("2026-06-01 06:00")]
    monkeypatch.setattr(timezone, "now", lambda: times[0])
    return times


@pytest.fixture
def mentor(make_mentor: Any) -> MentorProfile:
    found: MentorProfile = make_mentor("09:00-17:00", zone="Europe/Berlin")
    return found


def add(mentor: MentorProfile, server: CalendarServer, path: str = "/mine.ics") -> OutsideCalendar:
    return add_calendar(person=mentor.user, kind=CalendarKind.ICS, name="Work", address=server.address(path))


def refusals(mentor: MentorProfile, start: str) -> list[Refusal]:
    return refusals_of(Question(mentor.pk, 60), utc(start))


def events() -> QuerySet[OccupiedTime]:
    """What was read of calendars, without the time for which nothing was."""
    return OccupiedTime.objects.filter(source="event").exclude(during__endswith=UNREAD_UNTIL)


class TestNotUnderstood:
    """What was not read, or not understood, is busy, and its owner is told."""

    def test_nobody_is_booked_before_a_calendar_was_read(self, mentor: MentorProfile, server: CalendarServer) -> None:
        server.content = b"<!doctype html><title>Sign in</title>"
        calendar = add(mentor, server)
        assert (refusals(mentor, "2026-06-08 11:00"), is_confirmed(mentor.user_id)) == ([Refusal.TAKEN], False)
        (reason,) = full_reasons_against(mentor, Question(mentor.pk, 60), utc("2026-06-08 11:00"))
        assert reason.details == ("Work has not been read yet for the time from 2026-06-01 08:00 in Europe/Berlin on.",)
        assert report_stale_calendars() == 0, "it was not tried yet"
        refresh_calendar(calendar=calendar)
        calendar.refresh_from_db()
        assert (calendar.failure, calendar.fresh_at) == ("not_a_calendar", None)
        assert (report_stale_calendars(), report_stale_calendars()) == (1, 0)
        tell_owner_of_stale_calendar(CalendarWentStale(mentor.user_id, calendar.pk))
        notice = Notification.objects.get(kind="mentors.calendar-unread")
        assert notice.data["reason"].startswith("The address does not lead to a calendar file.")
        server.content = content_with(LUNCH)
        refresh_calendar(calendar=calendar)
        assert (refusals(mentor, "2026-06-08 11:00"), is_confirmed(mentor.user_id)) == ([], True)

    def test_a_calendar_that_is_cut_off_frees_nothing(self, mentor: MentorProfile, server: CalendarServer) -> None:
        server.content = content_with(LUNCH)
        calendar = add(mentor, server)
        refresh_calendar(calendar=calendar)
        server.content = content_with("UID:2\nDTSTART:20260610T080000Z\nDTEND:20260610T090000Z").partition(b"END:VCALENDAR")[0]
        refresh_calendar(calendar=OutsideCalendar.objects.get())
        assert refusals(mentor, "2026-06-08 10:00") == [Refusal.TAKEN], "what was known before stays"
        assert refusals(mentor, "2026-06-10 08:00") == [Refusal.TAKEN], "what arrived counts"
        calendar.refresh_from_db()
        assert (calendar.failure, calendar.failures) == ("incomplete", 1)

    def test_what_is_new_and_not_understood_is_told_once(self, mentor: MentorProfile, server: CalendarServer) -> None:
        server.content = content_with("UID:1\nSUMMARY:Talk\nDTSTART;TZID=Office:20260608T120000\nDURATION:PT1H")
        calendar = add(mentor, server)
        for _ in range(2):
            refresh_calendar(calendar=OutsideCalendar.objects.get())
        assert OutboxEvent.objects.filter(name="mentors.calendar-misread").count() == 1
        notify_owner_of_misread_calendar(CalendarMisread(mentor.user_id, calendar.pk))
        assert Notification.objects.get(kind="mentors.calendar-misread").data["problem"] == (
            "“Talk” (line 7) names the time zone “Office”, which nobody knows. It keeps you busy for as long as it may have been meant. "
            "Choose a time zone with the name of a city for it."
        )
        assert refusals(mentor, "2026-06-08 07:00") == [Refusal.TAKEN]

    def test_the_pages_say_what_was_not_understood(self, mentor: MentorProfile, server: CalendarServer, client: Client) -> None:
        server.content = content_with("UID:1\nSUMMARY:Talk\nDTSTART;TZID=Office:20260608T120000\nDURATION:PT1H")
        calendar = add(mentor, server)
        client.force_login(mentor.user)
        assert "Nobody can book you until this calendar is read." in client.get("/dashboard/calendars").content.decode()
        refresh_calendar(calendar=calendar)
        page = client.get("/dashboard/calendars").content.decode()
        assert "“Talk” (line 7) names the time zone “Office”, which nobody knows." in page
        assert "Nobody can book you until" not in page
        (row,) = Api().sign_in(mentor.user).get("mentors/me/calendars").json()["results"]
        assert [(problem["code"], problem["line"]) for problem in row["problems"]] == [("unknown_zone", 7)]
        OutsideCalendar.objects.update(fresh_at=timezone.now() - datetime.timedelta(hours=13))
        assert "Not confirmed" in Client().get(f"/mentors/{mentor.pk}").content.decode()

    def test_more_of_the_future_is_busy_until_it_was_read(self, mentor: MentorProfile, server: CalendarServer) -> None:
        server.content, server.etag = content_with(LUNCH), '"1"'
        refresh_calendar(calendar=add(mentor, server))
        stated = availability_of(Schedule.objects.get(profile=mentor))
        set_availability(profile=mentor, availability=dataclasses.replace(stated, settings={"horizon_days": 90}))
        assert refusals(mentor, "2026-08-03 11:00") == [Refusal.TAKEN]
        assert read_due_calendars(until=timezone.now() + datetime.timedelta(seconds=9)) == 1
        assert (refusals(mentor, "2026-08-03 11:00"), refusals(mentor, "2026-08-03 10:00")) == ([], [Refusal.TAKEN])

    def test_whole_days_follow_their_owner_to_another_zone(self, mentor: MentorProfile, server: CalendarServer) -> None:
        server.content, server.etag = content_with("UID:1\nDTSTART;VALUE=DATE:20260608"), '"1"'
        refresh_calendar(calendar=add(mentor, server))
        change_time_zone(profile=mentor, time_zone="Asia/Tokyo", keeps_instants=True)
        read_due_calendars(until=timezone.now() + datetime.timedelta(seconds=9))
        (day,) = events()
        assert day.during.lower == utc("2026-06-07 15:00")

    def test_an_entry_that_the_server_withholds_leaves_the_reading_incomplete(self, monkeypatch: Any) -> None:
        entries = (content_with(LUNCH).decode(), "")
        responses = "".join(
            f"<d:response><d:href>/{n}</d:href><c:calendar-data>{data}</c:calendar-data></d:response>" for n, data in enumerate(entries)
        )
        content = f'<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">{responses}</d:multistatus>'.encode()
        monkeypatch.setattr(caldav, "fetch", lambda *_, **__: guarded.Fetched(207, content, {}))
        got, is_complete = caldav.content_of("https://localhost/", ("a", "b"), first=utc("2026-06-01"), last=utc("2026-07-01"))
        assert (b"UID:lunch" in got, is_complete) == (True, False)


class TestIcs:
    def test_keeps_its_owner_busy(self, mentor: MentorProfile, server: CalendarServer) -> None:
        server.content = content_with(LUNCH)
        calendar = add(mentor, server)
        assert refusals(mentor, "2026-06-08 11:00") == [Refusal.TAKEN], "what was not read is busy"
        assert read_due_calendars(until=timezone.now() + datetime.timedelta(seconds=9)) == 1
        assert refusals(mentor, "2026-06-08 10:00") == [Refusal.TAKEN]
        assert refusals(mentor, "2026-06-08 11:00") == []
        calendar.refresh_from_db()
        assert (calendar.failure, calendar.problems, calendar.read_at) == ("", [], timezone.now())
        assert "mine.ics" not in calendar.sealed_address
        assert read_due_calendars(until=timezone.now() + datetime.timedelta(seconds=9)) == 0
        remove_calendar(calendar=calendar)
        assert refusals(mentor, "2026-06-08 10:00") == []

    def test_what_moved_and_what_went(self, mentor: MentorProfile, server: CalendarServer) -> None:
        server.content = content_with(LUNCH)
        calendar = add(mentor, server)
        refresh_calendar(calendar=calendar)
        kept = set(events().values_list("pk", flat=True))
        server.content = content_with(
            LUNCH.replace("FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=2"), "UID:2\nDTSTART:20260610T080000Z\nDTEND:20260610T090000Z"
        )
        refresh_calendar(calendar=calendar)
        assert events().count() == 3
        assert events().filter(pk__in=kept).count() == 2, "what did not change was not touched"
        assert refusals(mentor, "2026-06-10 08:00") == [Refusal.TAKEN]

    def test_unchanged_is_not_read_again_for_a_day(self, mentor: MentorProfile, server: CalendarServer, clock: list[Any]) -> None:
        server.content, server.etag = content_with(LUNCH), '"1"'
        calendar = add(mentor, server)
        refresh_calendar(calendar=calendar)
        read_at = clock[0]
        clock[0] += datetime.timedelta(hours=1)
        refresh_calendar(calendar=OutsideCalendar.objects.get())
        row = OutsideCalendar.objects.get()
        assert (row.read_at, row.fresh_at, server.requests[-1][1]["If-None-Match"]) == (read_at, clock[0], '"1"')
        clock[0] += datetime.timedelta(hours=21)
        refresh_calendar(calendar=OutsideCalendar.objects.get())
        assert OutsideCalendar.objects.get().read_at == clock[0]
        assert "If-None-Match" not in server.requests[-1][1]

    def test_a_failure_keeps_what_was_known_and_is_told_once(self, mentor: MentorProfile, server: CalendarServer, clock: list[Any]) -> None:
        server.content = content_with(LUNCH)
        calendar = add(mentor, server)
        refresh_calendar(calendar=calendar)
        server.content = b"<html>Please sign in</html>"
        waits = []
        for _ in range(7):
            refresh_calendar(calendar=OutsideCalendar.objects.get())
            waits.append((OutsideCalendar.objects.get().due_at - clock[0]).total_seconds() / 60)
        assert waits == [15, 30, 60, 120, 240, 360, 360]
        assert OutsideCalendar.objects.get().failure == "not_a_calendar"
        assert refusals(mentor, "2026-06-08 10:00") == [Refusal.TAKEN]
        assert (report_stale_calendars(), is_confirmed(mentor.user_id)) == (0, True)
        clock[0] += datetime.timedelta(hours=13)
        assert (report_stale_calendars(), report_stale_calendars(), is_confirmed(mentor.user_id)) == (1, 0, False)
        assert OutboxEvent.objects.get(name="mentors.calendar-went-stale").payload["calendar_id"] == str(calendar.pk)
        server.content = content_with(LUNCH)
        refresh_calendar(calendar=OutsideCalendar.objects.get())
        assert (is_confirmed(mentor.user_id), OutsideCalendar.objects.get().failure) == (True, "")

    def test_a_calendar_that_was_removed_meanwhile(self, mentor: MentorProfile, server: CalendarServer) -> None:
        server.content = content_with(LUNCH)
        calendar = add(mentor, server)
        OutsideCalendar.objects.all().delete()
        refresh_calendar(calendar=calendar)
        assert not OccupiedTime.objects.exists()

    @pytest.mark.parametrize(("address", "code"), [("http://example.org/a.ics", "not_https"), ("https://a b/", "invalid_address")])
    def test_bad_addresses_are_told_at_once(self, mentor: MentorProfile, address: str, code: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            add_calendar(person=mentor.user, kind=CalendarKind.ICS, name="x", address=address)
        assert [(error.field, error.code) for error in caught.value.errors] == [("address", code)]
        assert not OutsideCalendar.objects.exists()

    def test_ten_at_most(self, mentor: MentorProfile) -> None:
        for number in range(10):
            add_calendar(person=mentor.user, kind=CalendarKind.ICS, name=str(number), address="https://example.org/a.ics")
        with pytest.raises(TooManyCalendars):
            add_calendar(person=mentor.user, kind=CalendarKind.ICS, name="x", address="https://example.org/a.ics")


class TestCaldav:
    @pytest.fixture
    def address(self, tmp_path: Path, monkeypatch: Any) -> Iterator[str]:
        with radicale(tmp_path) as (address, certificate):
            trust(monkeypatch, certificate)
            context = ssl.create_default_context(cafile=str(certificate))
            self.call = lambda *ask: self._call(context, address, *ask)
            yield address

    def _call(self, context: ssl.SSLContext, address: str, method: str, path: str, body: bytes, kind: str) -> None:
        headers = {"Authorization": "Basic " + base64.b64encode(b"ada:s3cret").decode(), "Content-Type": kind}
        request = urllib.request.Request(address + path, data=body, headers=headers, method=method)
        with urllib.request.urlopen(request, context=context) as answer:
            assert answer.status < 300

    def put(self, name: str, event: str) -> None:
        self.call("PUT", f"ada/work/{name}.ics", content_with(event), "text/calendar")

    def test_found_and_read(self, address: str, mentor: MentorProfile) -> None:
        make = b"""<?xml version="1.0"?><c:mkcalendar xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:set><d:prop>
            <d:displayname>Work &amp; play</d:displayname></d:prop></d:set></c:mkcalendar>"""
        self.call("MKCALENDAR", "ada/work/", make, "application/xml")
        self.put("lunch", LUNCH)
        self.put("old", "UID:old\nDTSTART:20250601T080000Z\nDTEND:20250601T090000Z")
        (found,) = caldav.calendars_of(address, ("ada", "s3cret"))
        assert (found.name, found.address.endswith("/ada/work/")) == ("Work & play", True)
        calendar = add_calendar(
            person=mentor.user, kind=CalendarKind.CALDAV, name=found.name, address=found.address, username="ada", password="s3cret"
        )
        assert "s3cret" not in calendar.sealed_password
        refresh_calendar(calendar=calendar)
        calendar.refresh_from_db()
        assert (calendar.failure, bool(calendar.version)) == ("", True)
        assert refusals(mentor, "2026-06-08 10:00") == [Refusal.TAKEN]
        read_at, version = calendar.read_at, calendar.version
        refresh_calendar(calendar=calendar)
        calendar.refresh_from_db()
        assert (calendar.read_at, calendar.version) == (read_at, version)
        self.put("more", "UID:more\nDTSTART:20260609T080000Z\nDTEND:20260609T090000Z")
        refresh_calendar(calendar=calendar)
        assert refusals(mentor, "2026-06-09 08:00") == [Refusal.TAKEN]
        for name in ("lunch", "more"):
            self.call("DELETE", f"ada/work/{name}.ics", b"", "text/plain")
        refresh_calendar(calendar=OutsideCalendar.objects.get())
        assert not events().exists(), "an empty calendar is one"

    def test_wrong_password(self, address: str, mentor: MentorProfile) -> None:
        with pytest.raises(FetchFailed) as caught:
            caldav.calendars_of(address, ("ada", "wrong"))
        assert caught.value.code == "unauthorised"

    def test_a_server_that_speaks_something_else(self, server: CalendarServer, monkeypatch: Any) -> None:
        for content in (b"<html/>", b"not xml", b'<!DOCTYPE d [<!ENTITY a "aaaa">]><d>&a;</d>', b'<multistatus xmlns="DAV:"/>'):
            monkeypatch.setattr(caldav, "fetch", lambda *_, content=content, **__: guarded.Fetched(207, content, {}))
            with pytest.raises(FetchFailed) as caught:
                caldav.calendars_of(server.address("/"), ("a", "b"))
            assert caught.value.code == "not_caldav"


class TestOutgoing:
    def test_what_is_booked_and_blocked_comes_out_and_does_not_come_back(
        self, mentor: MentorProfile, server: CalendarServer, user: Any
    ) -> None:
        reference = uuid.uuid4()
        claim_time(profile=mentor, learner_id=user.pk, starts_at=utc("2026-06-08 10:00"), duration_minutes=60, reference=reference)
        block_time(person=mentor.user, starts_at=utc("2026-06-09 07:00"), ends_at=utc("2026-06-09 15:00"), title="Dentist")
        server.content = feed_of(mentor.user)
        entries = list(icalendar.Calendar.from_ical(server.content).walk("VEVENT"))
        assert [str(entry["summary"]) for entry in entries] == ["Session", "Dentist"]
        assert (str(entries[0]["uid"]), entries[0].decoded("dtstart")) == (f"{reference}{own_suffix()}", utc("2026-06-08 10:00"))
        refresh_calendar(calendar=add(mentor, server))
        assert not events().exists()

    def test_rotation_ends_the_old_address(self, mentor: MentorProfile) -> None:
        first = rotate_link(person=mentor.user)
        assert person_behind(first) == mentor.user
        second = rotate_link(person=mentor.user)
        assert (person_behind(first), person_behind(second)) == (None, mentor.user)
        assert token_of(CalendarLink.objects.get()) == second
        drop_link(person=mentor.user)
        assert person_behind(second) is None

    def test_nobody_gone_is_read(self, mentor: MentorProfile) -> None:
        token = rotate_link(person=mentor.user)
        mentor.user.is_active = False
        mentor.user.save()
        assert person_behind(token) is None
