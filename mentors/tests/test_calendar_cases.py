"""Calendars as programs write them, each in a file of its own: what they keep busy, and that nothing in them is free in silence."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mentors.providers.calendar_expander import expand_calendars
from mentors.providers.calendars import Reading, UnusableCalendar, reading_of

FOLDER = Path(__file__).with_name("ics")
# Most events are in December; these are elsewhere.
WINDOWS = {
    "dst_gap_recurring": ("2026-03-27", "2026-03-31"),
    "est_with_dst": ("2027-07-01", "2027-08-01"),
    "ist_israel": ("2027-07-01", "2027-08-01"),
    "utc_name_plain": ("2027-07-01", "2027-08-01"),
    "win_name_other_rules": ("2027-07-01", "2027-08-01"),
    "leap29feb": ("2027-02-01", "2028-04-01"),
}
DECEMBER = ("2026-11-29", "2027-01-15")
EXPECTED = {
    name.strip(): (problems.strip(), busy.strip())
    for name, problems, busy in (line.split("|") for line in (FOLDER / "expected.txt").read_text().splitlines() if not line.startswith("#"))
}


def read(content: bytes, window: tuple[str, str] = DECEMBER, zone: str = "Europe/Rome") -> Reading:
    first, last = (f"{date}T00:00:00+00:00" for date in window)
    return reading_of(expand_calendars({"first": first, "last": last, "zone": zone, "own_suffix": "@soosh.test"}, content))


def shown(reading: Reading) -> str:
    def one(start: datetime.datetime, end: datetime.datetime) -> str:
        return f"{start:%Y-%m-%d %H:%M} {end:%H:%M}" if start.date() == end.date() else f"{start:%Y-%m-%d %H:%M} {end:%Y-%m-%d %H:%M}"

    return ", ".join(one(busy.start, busy.end) for busy in reading.busy)


def problems_in(reading: Reading) -> str:
    codes = sorted({problem.code for problem in reading.problems})
    return " ".join((*codes, *(() if reading.is_complete else ("incomplete",)))) or "-"


def event(*lines: str, head: str = "") -> bytes:
    start = [line for line in ("BEGIN:VCALENDAR", "VERSION:2.0", head, "BEGIN:VEVENT", "UID:1", "SUMMARY:Talk") if line]
    return "\r\n".join((*start, *lines, "END:VEVENT", "END:VCALENDAR", "")).encode()


def covers(reading: Reading, start: datetime.datetime, end: datetime.datetime) -> bool:
    """Whether somebody is busy in every minute between two instants."""
    for busy in reading.busy:
        if busy.start <= start < busy.end:
            start = busy.end
    return start >= end


def test_every_file_has_its_expectation() -> None:
    assert {file.stem for file in FOLDER.glob("*.ics")} == EXPECTED.keys()
    assert len(EXPECTED) == 108


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_each_file_is_read_as_it_is_meant(name: str) -> None:
    content = (FOLDER / f"{name}.ics").read_bytes()
    problems, busy = EXPECTED[name]
    if problems == "refused":
        with pytest.raises(UnusableCalendar, match="not_a_calendar"):
            read(content)
        return
    reading = read(content, WINDOWS.get(name, DECEMBER))
    assert (problems_in(reading), shown(reading)) == (problems, busy)


HOUR = ("DTSTART:20261207T090000Z", "DTEND:20261207T100000Z")
DAILY = "2026-12-07 09:00 10:00, 2026-12-08 09:00 10:00, 2026-12-09 09:00 10:00"


@pytest.mark.parametrize(
    ("lines", "problems", "busy"),
    [
        pytest.param(("DTEND:20261207T100000Z", "DTSTART:20261207T090000Z"), "-", "2026-12-07 09:00 10:00", id="any order"),
        pytest.param((*HOUR, "RRULE:FREQ=DAILY;COUNT=3", "EXRULE:FREQ=DAILY;COUNT=1"), "unreadable_exception", DAILY, id="EXRULE"),
        pytest.param(("DTEND:20261207T100000Z",), "unreadable_start", "2026-12-06 00:00 2026-12-09 00:00", id="no start"),
        pytest.param(("STATUS:CONFIRMED",), "unreadable_start", "2026-11-29 00:00 2027-01-15 00:00", id="no time at all"),
        pytest.param(("DTSTART:20261207T9Z",), "unreadable_start", "2026-12-06 00:00 2026-12-09 00:00", id="a start with a date"),
        pytest.param(("DTSTART 20261207T090000Z",), "unreadable_start", "2026-12-06 00:00 2026-12-09 00:00", id="no colon"),
        pytest.param((*HOUR, "RRUEL:FREQ=WEEKLY;COUNT=2"), "unreadable_rule", "many", id="misspelt rule"),
        pytest.param((*HOUR, "RRULE;FREQ=WEEKLY"), "unreadable_rule", "many", id="rule without a colon"),
        pytest.param((*HOUR, "RRULE:FREQ=FORTNIGHTLY"), "unreadable_rule", "many", id="unknown frequency"),
        pytest.param((*HOUR, "RRULE:FREQ=WEEKLY;BYDAY=XX;UNTIL=20261209T090000Z"), "unreadable_rule", DAILY, id="unknown weekday"),
        pytest.param((*HOUR, "RRULE:FREQ=DAILY;UNTIL=20261209T090000Z;UNTIL="), "unreadable_rule", DAILY, id="two ends"),
        pytest.param((*HOUR, "RRULE:FREQ=DAILY;COUNT=3;WKST=MO"), "-", DAILY, id="WKST"),
        pytest.param((*HOUR, "RRULE:FREQ=SECONDLY"), "too_slow|too_many", "many", id="every second"),
        pytest.param(("DTSTART:20261207T090000Z", "DURATION:-PT1H"), "end_before_start", "2026-12-07 09:00 10:00", id="negative"),
        pytest.param(
            ("DTSTART:20261207T090000Z", "DURATION:1H"), "unreadable_end", "2026-12-07 09:00 2026-12-08 00:00", id="unreadable duration"
        ),
        pytest.param(("DTSTART:20261207T090000Z",), "-", "2026-12-07 09:00 09:01", id="no end"),
        pytest.param((*HOUR, "STATUS:CANCELLED", "STATUS:CONFIRMED"), "-", "2026-12-07 09:00 10:00", id="two statuses"),
        pytest.param((*HOUR, "TRANSP:"), "-", "2026-12-07 09:00 10:00", id="empty TRANSP"),
        pytest.param(
            (*HOUR, "TRANSP:TRANSPARENT", "X-MICROSOFT-CDO-BUSYSTATUS:BUSY"), "-", "2026-12-07 09:00 10:00", id="free and busy at once"
        ),
        pytest.param((*HOUR, "STATUS:cancelled"), "-", "", id="cancelled in lower case"),
        pytest.param(
            (*HOUR, "RDATE:20261209T9"), "unreadable_period", "2026-12-07 09:00 10:00, 2026-12-08 00:00 2026-12-11 00:00", id="RDATE"
        ),
        pytest.param(
            (*HOUR, "RDATE;VALUE=PERIOD:20261209T090000Z/x"),
            "unreadable_end",
            "2026-12-07 09:00 10:00, 2026-12-09 09:00 2026-12-10 00:00",
            id="RDATE with a broken period",
        ),
        pytest.param(
            ("DTSTART;TZID=Office:20261207T090000", "DURATION:PT1H"), "unknown_zone", "2026-12-06 19:00 2026-12-07 22:00", id="unknown zone"
        ),
        pytest.param(
            (*HOUR, "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=Office:20261208T090000"), "unreadable_exception", DAILY, id="unknown exception"
        ),
        pytest.param(
            ("RECURRENCE-ID;RANGE=THISANDFUTURE:20261214T090000Z", "DTSTART:20261214T110000Z", "DURATION:PT1H"),
            "unreadable_exception",
            "many",
            id="all later ones of nothing",
        ),
        pytest.param(
            ('DTSTART;TZID="(UTC+01:00) Nowhere":20261207T090000', "DURATION:PT1H"),
            "unknown_zone",
            "2026-12-07 07:00 09:00",
            id="offset only",
        ),
        pytest.param(("DTSTART:20261207T090000+0100", "DURATION:PT1H"), "-", "2026-12-07 08:00 09:00", id="numeric offset"),
        pytest.param(
            ("DTSTART;TZID=/softwarestudio.org/Olson_20011030_5/America/New_York:20261207T090000", "DURATION:PT1H"),
            "-",
            "2026-12-07 14:00 15:00",
            id="prefix of three parts",
        ),
        pytest.param(
            ("DTSTART;TZID=Europe/Ber", " lin:20261207T0900", "\t00", "DURATION:PT1H"), "-", "2026-12-07 08:00 09:00", id="folded"
        ),
        pytest.param(
            (*HOUR, "RRULE:FREQ=WEEKLY;BYD", "garbage", " AY=MO,TU"), "stray_line unreadable_rule", "many", id="a line within a folded one"
        ),
        pytest.param(("dtstart:20261207T090000Z", "dtend:20261207T100000Z"), "-", "2026-12-07 09:00 10:00", id="lower case"),
        pytest.param(("DTSTART:99991231T235959Z",), "-", "", id="the end of time"),
    ],
)
def test_what_is_not_understood_is_busy_and_reported(lines: tuple[str, ...], problems: str, busy: str) -> None:
    reading = read(event(*lines))
    assert problems_in(reading) in problems.split("|")
    assert shown(reading) == busy if busy != "many" else covers(reading, at("2026-12-14 09:00"), at("2026-12-14 10:00"))


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


def test_components_that_state_busy_time() -> None:
    free_busy = "BEGIN:VFREEBUSY\nFREEBUSY;FBTYPE=X-TRAVEL:20261207T090000Z/PT1H\nFREEBUSY:20261208T090000Z/x\nEND:VFREEBUSY"
    reading = read(f"BEGIN:VCALENDAR\n{free_busy}\nEND:VCALENDAR".encode())
    assert (problems_in(reading), shown(reading)) == ("unreadable_end", "2026-12-07 09:00 10:00, 2026-12-08 09:00 2026-12-09 00:00")
    open_hours = "BEGIN:AVAILABLE\nDTSTART:20261207T080000Z\nDTEND:20261207T120000Z\nRRULE:FREQ=DAILY\nEND:AVAILABLE"
    available = f"BEGIN:VAVAILABILITY\nDTSTART:20261207T000000Z\nDTEND:20261209T000000Z\n{open_hours}\nEND:VAVAILABILITY"
    reading = read(f"BEGIN:VCALENDAR\n{available}\nEND:VCALENDAR".encode())
    assert shown(reading) == "2026-12-07 00:00 08:00, 2026-12-07 12:00 2026-12-08 08:00, 2026-12-08 12:00 2026-12-09 00:00"


def test_definitions_of_zones_decide_as_far_as_they_can_be_read() -> None:
    def zoned(definition: str) -> bytes:
        start = "BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Eastern Standard Time:20261208T090000\nDURATION:PT1H\nEND:VEVENT"
        return f"BEGIN:VCALENDAR\n{start}\nBEGIN:VTIMEZONE\nTZID:Eastern Standard Time\n{definition}\nEND:VTIMEZONE\nEND:VCALENDAR".encode()

    fixed = "BEGIN:STANDARD\nDTSTART:20000101T000000\nTZOFFSETFROM:+0500\nTZOFFSETTO:+0500\nEND:STANDARD"
    assert shown(read(zoned(fixed))) == "2026-12-08 04:00 05:00"
    broken = read(zoned(fixed.replace("TZOFFSETTO:+0500", "TZOFFSETTO:five")))
    assert (problems_in(broken), shown(broken)) == ("unknown_zone", "2026-12-07 19:00 2026-12-08 22:00")
    # An excerpt of single changes is over when they are; the name says what comes after them.
    summer = fixed.replace("STANDARD", "DAYLIGHT").replace("+0500", "-0400").replace("20000101", "20070311")
    assert shown(read(zoned(f"{fixed.replace('+0500', '-0500')}\n{summer}"))) == "2026-12-08 14:00 15:00"


def test_parts_of_two_events_that_ran_together_are_all_busy() -> None:
    first = "BEGIN:VEVENT\nUID:1\nDTSTART:20261207T090000Z\nDTEND:20261207T100000Z\nEND VEVENT"
    second = "BEGIN VEVENT\nUID:2\nDTSTART:20261208T090000Z\nDTEND:20261208T100000Z\nSTATUS:CANCELLED\nEND:VEVENT"
    reading = read(f"BEGIN:VCALENDAR\n{first}\n{second}\nEND:VCALENDAR".encode())
    assert covers(reading, at("2026-12-07 09:00"), at("2026-12-08 10:00"))
    assert "broken_event" in problems_in(reading)


def test_changes_take_nothing_away_where_two_series_share_a_uid() -> None:
    series = (
        f"BEGIN:VEVENT\nUID:1\nDTSTART:202612{day}T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\nEND:VEVENT" for day in ("07", "17")
    )
    change = "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20261208T090000Z\nDTSTART:20261208T120000Z\nDURATION:PT1H\nEND:VEVENT"
    reading = read("\n".join(("BEGIN:VCALENDAR", *series, change, "END:VCALENDAR")).encode())
    assert [f"{busy.start:%d %H}" for busy in reading.busy] == ["07 09", "08 09", "08 12", "17 09", "18 09"]


def test_more_than_can_be_stored_is_busy_without_gaps() -> None:
    daily = [
        f"BEGIN:VEVENT\nUID:{number}\nDTSTART:20261201T{number:06}Z\nDURATION:PT1S\nRRULE:FREQ=HOURLY\nEND:VEVENT"
        for number in range(0, 60, 5)
    ]
    reading = read("\n".join(("BEGIN:VCALENDAR", *daily, "END:VCALENDAR")).encode())
    assert len(reading.busy) <= 10_000
    assert covers(reading, reading.busy[-1].start, reading.busy[-1].end)
    assert reading.busy[-1].end == at("2027-01-14 23:00:56")


LINES = ("garbage", "BEGIN:", "END:", "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VTIMEZONE", "END:STANDARD")
LINES += (
    "BEGIN:VALARM",
    "DTSTART",
    "DTSTART:",
    "DTEND:x",
    "RRULE:",
    "EXDATE:x",
    "RECURRENCE-ID:",
    "STATUS",
    "TRANSP:",
    "TZOFFSETTO:x",
    "<html>",
)
FILES = ("two_calendars_same_tzid", "exchange_utc_vtz_3zones", "thisandfuture", "xwr_recurring_utc", "multi_day_long_trip", "est_with_dst")


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(FILES), st.integers(min_value=2, max_value=60), st.one_of(st.sampled_from(LINES), st.text(max_size=30)))
def test_no_line_too_many_makes_busy_time_free(name: str, place: int, line: str) -> None:
    lines = (FOLDER / f"{name}.ics").read_bytes().replace(b"\r\n", b"\n").split(b"\n")
    inserted = line.encode("utf-8", "replace").replace(b"\n", b"").replace(b"\r", b"").strip()
    window = WINDOWS.get(name, DECEMBER)
    before = read(b"\n".join(lines), window)
    after = read(b"\n".join((*lines[: min(place, len(lines))], inserted, *lines[min(place, len(lines)) :])), window)
    for busy in before.busy:
        assert covers(after, busy.start, busy.end), after


@pytest.mark.parametrize(
    "start",
    [
        *("DTSTART:20261207T090000+2500", "DTSTART:20261207T090000+24:00", "DTSTART:20261207T090000-0199"),
        "DTSTART;TZID=Europe/Rome;TZID=Asia/Tokyo:20261207T090000",
    ],
)
def test_an_offset_that_no_clock_has_and_a_time_in_two_zones_keep_the_day_busy(start: str) -> None:
    reading = read(event(start, "DURATION:PT1H"))
    assert problems_in(reading) == "unreadable_start"
    assert covers(reading, datetime.datetime(2026, 12, 7, tzinfo=datetime.UTC), datetime.datetime(2026, 12, 8, tzinfo=datetime.UTC))
