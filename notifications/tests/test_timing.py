"""Quiet hours and digests over the clock changes of real zones: gaps, folds, half hours, missing midnights and a missing day."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.wall_time import Weekday
from notifications.enums import Cadence
from notifications.services.timing import Digest, QuietHours, end_of_quiet, next_digest, next_send_at

ZONES = (
    *("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago", "Pacific/Apia", "Asia/Kathmandu"),
    *("Africa/Casablanca", "Pacific/Kiritimati", "UTC"),
)


def utc(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


def wall(text: str) -> datetime.time:
    return datetime.time.fromisoformat(text)


def quiet(text: str) -> QuietHours:
    start, end = text.split("-")
    return QuietHours(wall(start), wall(end))


@pytest.mark.parametrize(
    ("zone", "hours", "now", "ends"),
    [
        pytest.param("Europe/Berlin", "22:00-07:00", "2026-06-01 19:59", None, id="just before"),
        pytest.param("Europe/Berlin", "22:00-07:00", "2026-06-01 20:00", "2026-06-02 05:00", id="as they start"),
        pytest.param("Europe/Berlin", "22:00-07:00", "2026-06-02 00:30", "2026-06-02 05:00", id="after midnight"),
        pytest.param("Europe/Berlin", "22:00-07:00", "2026-06-02 05:00", None, id="as they end"),
        pytest.param("Europe/Berlin", "13:00-15:00", "2026-06-02 11:30", "2026-06-02 13:00", id="within a day"),
        pytest.param("Europe/Berlin", "22:00-07:00", "2026-03-28 23:00", "2026-03-29 05:00", id="a night of 8 hours"),
        pytest.param("Europe/Berlin", "22:00-07:00", "2026-10-24 21:00", "2026-10-25 06:00", id="a night of 10 hours"),
        pytest.param("America/New_York", "22:00-02:30", "2026-03-08 06:00", "2026-03-08 07:00", id="the end is jumped over"),
        pytest.param("America/New_York", "02:30-08:00", "2026-03-08 07:00", "2026-03-08 12:00", id="the start is jumped over"),
        pytest.param("America/New_York", "02:15-02:45", "2026-03-08 07:00", None, id="all of them are jumped over"),
        pytest.param("America/New_York", "22:00-01:30", "2026-11-01 05:45", "2026-11-01 06:30", id="they end at the last of two"),
        pytest.param("America/New_York", "01:30-06:00", "2026-11-01 06:10", "2026-11-01 11:00", id="they start at the first of two"),
        pytest.param("Australia/Lord_Howe", "22:00-02:15", "2026-10-03 15:00", "2026-10-03 15:30", id="half an hour is jumped over"),
        pytest.param("Africa/Cairo", "22:00-00:30", "2026-04-23 21:00", "2026-04-23 22:00", id="midnight is jumped over"),
        pytest.param("America/Santiago", "00:15-07:00", "2026-09-06 04:00", "2026-09-06 10:00", id="they start with the day"),
        pytest.param("Pacific/Apia", "22:00-07:00", "2011-12-30 09:00", "2011-12-30 17:00", id="the morning after the missing day"),
    ],
)
def test_quiet_hours(zone: str, hours: str, now: str, ends: str | None) -> None:
    assert end_of_quiet(utc(now), zone=ZoneInfo(zone), quiet=[quiet(hours)]) == utc(ends or now)


def test_quiet_hours_that_meet_are_one() -> None:
    both = [quiet("21:00-23:00"), quiet("22:30-08:00")]
    assert end_of_quiet(utc("2026-06-01 21:30"), zone=ZoneInfo("UTC"), quiet=both) == utc("2026-06-02 08:00")
    never = [quiet("00:00-12:00"), quiet("12:00-00:00")]
    assert end_of_quiet(utc("2026-06-01 21:30"), zone=ZoneInfo("UTC"), quiet=never) > utc("2026-06-01 21:30")


def test_quiet_hours_are_not_empty() -> None:
    with pytest.raises(ValueError, match="none"):
        quiet("22:00-22:00")


@pytest.mark.parametrize(
    ("zone", "digest", "after", "due"),
    [
        pytest.param("Europe/Berlin", Digest(Cadence.DAILY), "2026-06-01 06:00", "2026-06-02 06:00", id="never twice"),
        pytest.param("Europe/Berlin", Digest(Cadence.DAILY), "2026-03-28 12:00", "2026-03-29 06:00", id="a day of 23 hours"),
        pytest.param("America/New_York", Digest(Cadence.DAILY, wall("02:30")), "2026-03-08 06:00", "2026-03-08 07:00", id="a gap"),
        pytest.param(
            "America/New_York", Digest(Cadence.DAILY, wall("01:30")), "2026-11-01 05:00", "2026-11-01 05:30", id="the first of two"
        ),
        pytest.param("America/New_York", Digest(Cadence.DAILY, wall("01:30")), "2026-11-01 05:30", "2026-11-02 06:30", id="not the second"),
        pytest.param("Africa/Cairo", Digest(Cadence.DAILY, wall("00:00")), "2026-04-23 12:00", "2026-04-23 22:00", id="no midnight"),
        pytest.param("Pacific/Apia", Digest(Cadence.DAILY), "2011-12-29 20:00", "2011-12-30 18:00", id="a missing day has none"),
        pytest.param("America/New_York", Digest(Cadence.WEEKLY, wall("09:00")), "2026-10-26 13:00", "2026-11-02 14:00", id="a week later"),
        pytest.param(
            "Pacific/Apia", Digest(Cadence.WEEKLY, on=Weekday.FRIDAY), "2011-12-29 20:00", "2012-01-05 18:00", id="a missing Friday"
        ),
        pytest.param("Asia/Kathmandu", Digest(Cadence.HOURLY), "2026-06-01 06:00", "2026-06-01 06:15", id="three quarters of an hour"),
        pytest.param("America/New_York", Digest(Cadence.HOURLY), "2026-11-01 05:30", "2026-11-01 06:00", id="the hour again"),
        pytest.param("Australia/Lord_Howe", Digest(Cadence.HOURLY), "2026-10-03 15:10", "2026-10-03 16:00", id="half an hour is gone"),
    ],
)
def test_digests(zone: str, digest: Digest, after: str, due: str) -> None:
    assert next_digest(utc(after), zone=ZoneInfo(zone), digest=digest) == utc(due)


def test_what_is_sent_at_once_has_no_digest() -> None:
    with pytest.raises(ValueError, match="at once"):
        next_digest(utc("2026-06-01 06:00"), zone=ZoneInfo("UTC"), digest=Digest())


def test_a_digest_waits_for_the_end_of_the_quiet_hours() -> None:
    night = [quiet("22:00-09:00")]
    at = next_send_at(utc("2026-06-01 12:00"), zone=ZoneInfo("UTC"), digest=Digest(Cadence.DAILY), quiet=night)
    assert at == utc("2026-06-02 09:00")
    assert next_send_at(utc("2026-06-01 12:00"), zone=ZoneInfo("UTC"), digest=Digest(), quiet=night) == utc("2026-06-01 12:00")


times = st.integers(0, 24 * 60 - 1).map(lambda minutes: datetime.time(minutes // 60, minutes % 60))
instants = st.integers(0, 19 * 365 * 24 * 60).map(lambda minutes: utc("2011-01-01") + datetime.timedelta(minutes=minutes))


@given(zone=st.sampled_from(ZONES), start=times, end=times, now=instants)
def test_nothing_is_sent_while_the_wall_shows_quiet_hours(
    zone: str, start: datetime.time, end: datetime.time, now: datetime.datetime
) -> None:
    if start == end:
        return
    hours, place = QuietHours(start, end), ZoneInfo(zone)
    sent = end_of_quiet(now, zone=place, quiet=[hours])
    shown = sent.astimezone(place).time()
    is_quiet = start <= shown < end if start < end else shown >= start or shown < end
    assert not is_quiet
    assert now <= sent <= now + datetime.timedelta(hours=26)
    assert end_of_quiet(sent, zone=place, quiet=[hours]) == sent


@given(zone=st.sampled_from(ZONES), at=times, now=instants, cadence=st.sampled_from([Cadence.HOURLY, Cadence.DAILY, Cadence.WEEKLY]))
def test_digests_come_one_after_another(zone: str, at: datetime.time, now: datetime.datetime, cadence: Cadence) -> None:
    digest, place = Digest(cadence, at, Weekday.SUNDAY), ZoneInfo(zone)
    first = next_digest(now, zone=place, digest=digest)
    second = next_digest(first, zone=place, digest=digest)
    assert now < first < second
    longest = {Cadence.HOURLY: datetime.timedelta(hours=1, minutes=30), Cadence.DAILY: datetime.timedelta(hours=50)}
    assert second - first <= longest.get(cadence, datetime.timedelta(days=14, hours=2))
