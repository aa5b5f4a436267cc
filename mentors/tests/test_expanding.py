"""Rules in wall time over the clock changes of the world's zones (T3): gaps, folds, half hours, missing midnights and a missing day."""

from __future__ import annotations

import datetime
import zoneinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mentors.services.expanding import Expansion, Hours, Rules, Span, Stay, expand, joined, merged
from mentors.tests.conftest import hours, utc

QUARTER = datetime.timedelta(minutes=15)
DAY = datetime.timedelta(days=1)
ZONES = sorted(zoneinfo.available_timezones() - {"localtime"})


def rules(zone: str, open_at: str, minutes: int = 30, **more: object) -> Rules:
    week = {day: tuple(hours(part) for part in open_at.split()) for day in range(7)}
    return Rules(ZoneInfo(zone), week, {}, (), datetime.timedelta(minutes=minutes), **more)  # type: ignore[arg-type]


def date(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def starts(expansion: Expansion, increment: datetime.timedelta) -> list[datetime.datetime]:
    found = []
    for grid in expansion.grids:
        start = grid.start
        while start < grid.end:
            found.append(start)
            start += increment
    return found


def shown(zone: str, day: str, open_at: str, minutes: int = 30) -> list[str]:
    """The wall times, with their offset where the clock shows them twice, at which sessions may start on one date."""
    expansion = expand(rules(zone, open_at, minutes), date(day), date(day))
    return [f"{start.astimezone(ZoneInfo(zone)):%H:%M%z}" for start in starts(expansion, datetime.timedelta(minutes=minutes))]


@pytest.mark.parametrize(
    ("zone", "day", "open_at", "expected"),
    [
        pytest.param("America/New_York", "2026-03-08", "01:30-04:00", ["01:30-0500", "03:00-0400", "03:30-0400"], id="gap in New York"),
        pytest.param("Europe/Berlin", "2026-03-29", "02:15-04:00", ["03:15+0200", "03:45+0200"], id="opening starts in the gap of Berlin"),
        pytest.param("Europe/Berlin", "2026-03-29", "02:15-02:45", [], id="opening lies in the gap of Berlin"),
        pytest.param("Australia/Lord_Howe", "2026-10-04", "01:30-03:00", ["01:30+1030", "02:30+1100"], id="gap of half an hour"),
        pytest.param("Africa/Cairo", "2026-04-24", "00:00-02:00", ["01:00+0300", "01:30+0300"], id="no midnight in Cairo"),
        pytest.param("America/Santiago", "2026-09-06", "00:15-02:00", ["01:15-0300", "01:45-0300"], id="no midnight in Santiago"),
        pytest.param("Pacific/Apia", "2011-12-30", "00:00-24:00", [], id="a day that is missing"),
        pytest.param(
            "America/New_York",
            "2026-11-01",
            "00:30-03:00",
            ["00:30-0400", "01:00-0400", "01:30-0400", "02:00-0500", "02:30-0500"],
            id="an hour that comes twice is offered once",
        ),
        pytest.param(
            "Antarctica/Troll", "2026-03-29", "00:30-04:00", ["00:30+0000", "03:00+0200", "03:30+0200"], id="two hours are missing"
        ),
        pytest.param("Asia/Kathmandu", "2026-06-01", "09:00-10:00", ["09:00+0545", "09:30+0545"], id="45 minutes"),
    ],
)
def test_clock_changes(zone: str, day: str, open_at: str, expected: list[str]) -> None:
    assert shown(zone, day, open_at) == expected


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [("America/New_York", "2026-03-08", 23), ("Australia/Lord_Howe", "2026-10-04", 23.5), ("America/New_York", "2026-11-01", 25)],
)
def test_days_of_other_lengths(zone: str, day: str, length: float) -> None:
    (span,) = expand(rules(zone, "00:00-24:00"), date(day), date(day)).open
    assert span.end - span.start == datetime.timedelta(hours=length)


def test_nine_in_new_york_before_and_after_the_change() -> None:
    expansion = expand(rules("America/New_York", "09:00-10:00", 60), date("2026-10-26"), date("2026-11-02"))
    found = starts(expansion, datetime.timedelta(hours=1))
    assert (found[0], found[-1]) == (utc("2026-10-26 13:00"), utc("2026-11-02 14:00"))
    berlin = [start.astimezone(ZoneInfo("Europe/Berlin")).hour for start in (found[0], found[-1])]
    assert berlin == [14, 15]


def test_starts_are_counted_from_the_opening() -> None:
    assert shown("UTC", "2026-06-01", "09:10-11:00 11:00-12:00", 45) == ["09:10+0000", "09:55+0000", "10:40+0000", "11:25+0000"]


def test_hours_that_adjoin_over_midnight_are_open_without_a_break() -> None:
    expansion = expand(rules("Europe/Berlin", "22:00-24:00 00:00-02:00", 45), date("2026-06-01"), date("2026-06-02"))
    assert Span(utc("2026-06-01 20:00"), utc("2026-06-02 00:00")) in expansion.open
    assert utc("2026-06-01 22:00") in starts(expansion, datetime.timedelta(minutes=45))


def test_travel_counts_in_the_zone_of_the_place() -> None:
    home = rules("Europe/Berlin", "09:00-10:00", 60)
    away = Rules(home.zone, home.weekly, {}, (Stay(date("2026-06-02"), date("2026-06-03"), ZoneInfo("Asia/Tokyo")),), home.increment)
    found = starts(expand(away, date("2026-06-01"), date("2026-06-04")), home.increment)
    assert found == [utc("2026-06-01 07:00"), utc("2026-06-02 00:00"), utc("2026-06-03 00:00"), utc("2026-06-04 07:00")]


def test_overrides_replace_and_close() -> None:
    home = rules("UTC", "09:00-10:00", 60)
    overrides = {date("2026-06-01"): (), date("2026-06-02"): (hours("20:00-21:00"),)}
    expansion = expand(Rules(home.zone, home.weekly, overrides, (), home.increment), date("2026-06-01"), date("2026-06-03"))
    assert starts(expansion, home.increment) == [utc("2026-06-02 20:00"), utc("2026-06-03 09:00")]


def test_every_transition_of_every_zone() -> None:
    """Around each change of 2026 and 2027: what does not exist is not offered, what comes twice is offered the first time, and nothing else
    is left out."""
    transitions = [(zone, instant) for zone in ZONES for instant in _transitions(ZoneInfo(zone))]
    assert len(ZONES) >= 598
    assert len(transitions) >= 800
    missing = repeated = 0
    for zone, instant in transitions:
        place = ZoneInfo(zone)
        first = instant.astimezone(place).date() - DAY
        found = starts(expand(rules(zone, "00:00-24:00", 15), first, first + 2 * DAY), QUARTER)
        walls = [start.astimezone(place).replace(tzinfo=None) for start in found]
        assert len(walls) == len(set(walls)), zone
        assert all(start.astimezone(place).fold == 0 for start in found), zone
        expected = []
        for number in range(3 * 96):
            wall = datetime.datetime.combine(first, datetime.time()) + number * QUARTER
            exists = wall.replace(tzinfo=place).astimezone(datetime.UTC).astimezone(place).replace(tzinfo=None) == wall
            is_twice = exists and wall.replace(tzinfo=place).utcoffset() != wall.replace(tzinfo=place, fold=1).utcoffset()
            missing += not exists
            repeated += is_twice
            if exists:
                expected.append(wall)
        assert walls == expected, zone
    assert (missing > 1_500, repeated > 1_500) == (True, True)


def _transitions(zone: ZoneInfo) -> list[datetime.datetime]:
    """When the clock of a zone is changed in 2026 and 2027, to the minute."""
    found = []
    start, end = utc("2026-01-01"), utc("2028-01-01")
    while start < end:
        following = start + DAY
        if start.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            before, after = start, following
            while after - before > datetime.timedelta(minutes=1):
                middle = before + (after - before) / 2
                same = middle.astimezone(zone).utcoffset() == start.astimezone(zone).utcoffset()
                before, after = (middle, after) if same else (before, middle)
            found.append(after)
        start = following
    return found


HOURS = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda pair: pair[0] < pair[1]).map(lambda pair: Hours(*pair))


@settings(max_examples=300, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    first=st.dates(date("2026-01-01"), date("2027-12-20")),
    stated=st.lists(HOURS, min_size=1, max_size=3),
    minutes=st.sampled_from((5, 15, 20, 30, 45, 60, 90)),
)
def test_local_time_is_kept_and_nothing_is_offered_twice(zone: str, first: datetime.date, stated: list[Hours], minutes: int) -> None:
    place, increment = ZoneInfo(zone), datetime.timedelta(minutes=minutes)
    plan = Rules(place, dict.fromkeys(range(7), stated), {}, (), increment)
    expansion = expand(plan, first, first + 6 * DAY)
    for start in starts(expansion, increment):
        wall = start.astimezone(place)
        minute = wall.hour * 60 + wall.minute
        opening = next(each for each in joined(stated) if each.start <= minute < each.end)
        assert (minute - opening.start) % minutes == 0
        assert wall.fold == 0
        assert any(span.start <= start < span.end for span in expansion.open)
    found = starts(expansion, increment)
    assert len(found) == len(set(found))
    assert merged(expansion.open) == expansion.open
