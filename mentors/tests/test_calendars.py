"""Outside calendars, wild and hostile, against the library's reading of the whole file and against what two libraries agree on."""

from __future__ import annotations

import datetime
import json
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events

from mentors.providers.calendars import Reading, UnusableCalendar, read_calendar
from mentors.tests.conftest import utc

FILES = Path(__file__).resolve().parents[3] / "shared/data/ics"
ZONE = "Europe/Berlin"
MINUTE = datetime.timedelta(minutes=1)
needs_files = pytest.mark.skipif(not FILES.exists(), reason="the wild calendars are not part of this repository")


def calendar(*events: str) -> bytes:
    body = "".join(f"BEGIN:VEVENT\r\n{event.strip()}\r\nEND:VEVENT\r\n" for event in events)
    lines = [line.strip() for line in f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//\n{body}END:VCALENDAR".splitlines() if line.strip()]
    return "\r\n".join(lines).encode() + b"\r\n"


def read(content: bytes, first: str = "2026-10-01", last: str = "2026-12-01") -> Reading:
    return read_calendar(content, first=utc(first), last=utc(last), zone=ZONE, own_suffix="@soosh.test")


def starts(content: bytes) -> list[str]:
    return [f"{busy.start:%Y-%m-%d %H:%M}" for busy in read(content).busy]


class TestEvents:
    def test_weekly_over_the_change_of_clocks_with_exceptions(self) -> None:
        content = calendar(
            """UID:1
            DTSTART;TZID=America/New_York:20261025T090000
            DTEND;TZID=America/New_York:20261025T100000
            RRULE:FREQ=WEEKLY;COUNT=4
            EXDATE;TZID=America/New_York:20261108T090000
            SUMMARY:Stand-up""",
            """UID:1
            RECURRENCE-ID;TZID=America/New_York:20261101T090000
            DTSTART;TZID=America/New_York:20261101T110000
            DTEND;TZID=America/New_York:20261101T120000
            SUMMARY:Moved""",
        )
        assert starts(content) == ["2026-10-25 13:00", "2026-11-01 16:00", "2026-11-15 14:00"]
        assert [busy.title for busy in read(content).busy] == ["Stand-up", "Moved", "Stand-up"]

    @pytest.mark.parametrize("line", ["STATUS:CANCELLED", "TRANSP:TRANSPARENT", "X-MICROSOFT-CDO-BUSYSTATUS:FREE"])
    def test_free_events_keep_nobody_busy(self, line: str) -> None:
        assert starts(calendar(f"UID:1\nDTSTART:20261102T090000Z\nDTEND:20261102T100000Z\n{line}")) == []

    def test_one_cancelled_occurrence_of_a_series(self) -> None:
        content = calendar(
            "UID:1\nDTSTART:20261102T090000Z\nDTEND:20261102T100000Z\nRRULE:FREQ=DAILY;COUNT=3",
            "UID:1\nRECURRENCE-ID:20261103T090000Z\nDTSTART:20261103T090000Z\nDTEND:20261103T100000Z\nSTATUS:CANCELLED",
        )
        assert starts(content) == ["2026-11-02 09:00", "2026-11-04 09:00"]

    def test_floating_and_whole_days_count_in_the_zone_of_the_owner(self) -> None:
        floating = calendar("UID:1\nDTSTART:20261102T090000\nDTEND:20261102T100000")
        assert starts(floating) == ["2026-11-02 08:00"]
        (day,) = read(calendar("UID:1\nDTSTART;VALUE=DATE:20261025\nSUMMARY:Trip")).busy
        assert (day.start, day.end) == (utc("2026-10-24 22:00"), utc("2026-10-25 23:00"))

    def test_private_titles_stay_where_they_are(self) -> None:
        (busy,) = read(calendar("UID:1\nDTSTART:20261102T090000Z\nDTEND:20261102T100000Z\nSUMMARY:Doctor\nCLASS:PRIVATE")).busy
        assert busy.title == ""

    def test_own_events_that_come_back_are_not_busy(self) -> None:
        assert starts(calendar("UID:7@soosh.test\nDTSTART:20261102T090000Z\nDTEND:20261102T100000Z")) == []

    def test_what_is_longer_than_the_window_is_cut(self) -> None:
        (busy,) = read(calendar("UID:1\nDTSTART:20260101T000000Z\nDTEND:20280101T000000Z")).busy
        assert (busy.start, busy.end) == (utc("2026-10-01"), utc("2026-12-01"))

    def test_free_busy(self) -> None:
        periods = "20261102T090000Z/PT1H,20261103T090000Z/20261103T100000Z"
        content = calendar().replace(
            b"END:VCALENDAR",
            f"BEGIN:VFREEBUSY\r\nUID:1\r\nFREEBUSY;FBTYPE=BUSY:{periods}\r\nFREEBUSY;FBTYPE=FREE:20261104T090000Z/PT1H\r\n"
            "END:VFREEBUSY\r\nEND:VCALENDAR".encode(),
        )
        assert starts(content) == ["2026-11-02 09:00", "2026-11-03 09:00"]


class TestHostile:
    @pytest.mark.parametrize(
        "rule",
        [
            pytest.param("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", id="never"),
            pytest.param("FREQ=SECONDLY;BYMONTHDAY=31;BYDAY=MO;BYHOUR=3;BYMINUTE=7;BYSECOND=59;BYYEARDAY=366", id="hardly ever"),
            pytest.param("FREQ=MINUTELY;INTERVAL=1;BYMONTH=2;BYMONTHDAY=30", id="never, by minutes"),
            pytest.param("FREQ=SECONDLY", id="each second"),
            pytest.param("FREQ=SECONDLY;UNTIL=99991231T235959Z", id="each second until the end of time"),
            pytest.param("FREQ=YEARLY;BYEASTER=400;INTERVAL=999999999", id="a rule from nowhere"),
            pytest.param("FREQ=DAILY;COUNT=999999999999999999999", id="a count without end"),
        ],
    )
    def test_a_heavy_rule_is_told_and_the_next_event_is_read(self, rule: str) -> None:
        began = time.monotonic()
        reading = read(
            calendar(
                f"UID:1\nDTSTART:19700101T000000Z\nDTEND:19700101T000001Z\nRRULE:{rule}",
                "UID:2\nDTSTART:20261102T090000Z\nDTEND:20261102T100000Z",
            )
        )
        assert utc("2026-11-02 09:00") in [busy.start for busy in reading.busy]
        if "COUNT" not in rule:
            assert {problem.code for problem in reading.problems} <= {"too_slow", "too_many", "unreadable_rule"}
            assert len(reading.problems) == 1
            assert reading.busy[0].start == utc("2026-10-01"), "what cannot be followed is busy"
        assert time.monotonic() - began < 20

    @pytest.mark.long
    def test_a_hundred_heavy_rules_do_not_hang(self) -> None:
        heavy = [f"UID:{n}\nDTSTART:19700101T000000Z\nRRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30" for n in range(100)]
        reading = read(calendar("UID:first\nDTSTART:20261102T090000Z\nDTEND:20261102T100000Z", *heavy))
        assert [problem.code for problem in reading.problems] == ["too_slow"] * 100
        assert reading.busy[0].end == utc("2026-12-01")

    @pytest.mark.parametrize("content", [b"", b"<html></html>", b"\x00\xff" * 500, b"BEGIN:VEVENT\r\nEND:VEVENT\r\n"])
    def test_what_is_no_calendar_is_refused(self, content: bytes) -> None:
        with pytest.raises(UnusableCalendar) as caught:
            read(content)
        assert caught.value.code == "not_a_calendar"

    def test_an_empty_calendar_is_one(self) -> None:
        assert read(calendar()) == Reading(read_until=utc("2026-12-01"))

    def test_what_is_cut_off_is_incomplete(self) -> None:
        assert not read(b"BEGIN:VCALENDAR").is_complete
        assert not read(calendar("UID:1\nDTSTART:20261102T090000Z")[:-20]).is_complete


def window(expected: dict[str, Any]) -> tuple[datetime.datetime, datetime.datetime]:
    """Four years around what a file speaks of."""
    found = listed(expected)
    middle = found[len(found) // 2].year if found else 2026
    return datetime.datetime(max(1971, middle - 2), 1, 1, tzinfo=datetime.UTC), datetime.datetime(middle + 2, 1, 1, tzinfo=datetime.UTC)


def listed(expected: dict[str, Any]) -> list[datetime.datetime]:
    """The occurrences that the oracle lists; three dots stand for those after them."""
    return [instant(datetime.datetime.fromisoformat(text)) for text in expected.get("occurrences", ()) if text != "..."]


def instant(value: datetime.datetime | datetime.date) -> datetime.datetime:
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime.combine(value, datetime.time())
    return (value if value.tzinfo else value.replace(tzinfo=ZoneInfo(ZONE))).astimezone(datetime.UTC)


def whole_reading(
    content: bytes, first: datetime.datetime, last: datetime.datetime
) -> set[tuple[datetime.datetime, datetime.datetime]] | None:
    """What `recurring-ical-events` makes of the whole file at once, less what is free, in the owner's zone; None if it refuses it."""
    found = set()
    day = datetime.timedelta(days=1)
    try:
        for each in icalendar.Calendar.from_ical(content, multiple=True):
            for event in recurring_ical_events.of(each, skip_bad_series=True).between(first - day, last + day):
                start, end = max(instant(event.start), first), min(instant(event.end), last)
                if _keeps_busy(event) and start < end:
                    found.add((start, end))
    except Exception:
        # It stumbles over some files in ways of its own.
        return None
    return found


def _keeps_busy(event: Any) -> bool:
    values = [str(event.get(name, "")).upper() for name in ("STATUS", "TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS")]
    return values[0] != "CANCELLED" and values[1] != "TRANSPARENT" and values[2] != "FREE"


def _covers(found: set[tuple[datetime.datetime, datetime.datetime]], start: datetime.datetime, end: datetime.datetime) -> bool:
    for begin, stop in sorted(found):
        if begin <= start < stop:
            start = stop
    return start >= end


# Dates with a zone beside them, which has no meaning there (RFC 5545, 3.2.19); the library minds it in series.
_DATES_WITH_ZONES = {"ical4j__japan_west.ics", "icalendar__issue_1633_rdate_with_dates_and_tzid.ics"}


@needs_files
@pytest.mark.parametrize("every", [6, pytest.param(1, marks=pytest.mark.long)])
def test_wild_calendars_are_read_or_refused_and_none_is_read_wrong(every: int) -> None:
    expected = json.loads((FILES / "expected.json").read_text())
    files = sorted(FILES.glob("*.ics"))[::every]

    def look(file: Path) -> tuple[str, str, Reading | None, float]:
        first, last = window(expected.get(file.name, {}))
        began = time.monotonic()
        try:
            return file.name, "", read_calendar(file.read_bytes(), first=first, last=last, zone=ZONE), time.monotonic() - began
        except UnusableCalendar as refusal:
            return file.name, refusal.code, None, time.monotonic() - began

    with ThreadPoolExecutor(2) as pool:
        seen = list(pool.map(look, files))
    assert len(seen) > 250 // every
    compared = agreed = 0
    for name, refusal, reading, seconds in seen:
        assert seconds < 30, name
        if reading is None:
            assert refusal in ("not_a_calendar", "too_heavy"), name
            continue
        content = (FILES / name).read_bytes()
        first, last = window(expected.get(name, {}))
        found = {(busy.start, busy.end) for busy in reading.busy}
        codes = {problem.code for problem in reading.problems}
        has_problems = bool(codes - {"stray_line"})
        # What is reported is busy as well. A series that is too heavy here is so for the library.
        if not codes & {"too_slow", "too_many"} and name not in _DATES_WITH_ZONES:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = whole_reading(content, first, last)
            assert theirs is None or all(_covers(found, start, end) for start, end in theirs), name
            compared += theirs is not None
        oracle = expected.get(name, {})
        if oracle.get("agree") and not has_problems:
            # What begins before the window is cut, and what is free or has no length is not busy.
            times = set(listed(oracle))
            until = max(times) if "..." in oracle["occurrences"] else last
            assert {start for start, end in found if first < start <= until and end - start > MINUTE} <= times, name
            agreed += 1
    print(f"{len(seen)} files: {compared} as the library reads them whole, {agreed} as two libraries agree")
    assert compared > 190 // every
    assert agreed > 65 // every
