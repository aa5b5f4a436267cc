"""When something may be sent, by the clock on a person's wall. All instants are aware; clocks that are put forward or back are the rule
here, not the exception: a wall time may come twice or never, and a whole day may be left out."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from core.wall_time import Weekday, instant_of
from notifications.enums import Cadence

_HOUR = datetime.timedelta(hours=1)
_DAY = datetime.timedelta(days=1)
# A weekday comes within a week, and a week later if its day was left out of the calendar.
_DAYS_AHEAD = 15


@dataclasses.dataclass(frozen=True)
class QuietHours:
    """From one wall time to another; across midnight where the end is not after the start, so never empty and never the whole day.

    Raises:
        ValueError: start and end are the same.
    """

    start: datetime.time
    end: datetime.time

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise ValueError("Quiet hours that start when they end are none.")


@dataclasses.dataclass(frozen=True)
class Digest:
    """How often what has gathered is sent together; `at` counts for daily and weekly, `on` for weekly."""

    cadence: Cadence = Cadence.AT_ONCE
    at: datetime.time = datetime.time(8)
    on: Weekday = Weekday.MONDAY


def next_send_at(now: datetime.datetime, *, zone: ZoneInfo, digest: Digest, quiet: Iterable[QuietHours] = ()) -> datetime.datetime:
    """The first instant, now or later, at which something that has just come may be sent."""
    instant = now if digest.cadence == Cadence.AT_ONCE else next_digest(now, zone=zone, digest=digest)
    return end_of_quiet(instant, zone=zone, quiet=quiet)


def end_of_quiet(instant: datetime.datetime, *, zone: ZoneInfo, quiet: Iterable[QuietHours]) -> datetime.datetime:
    """The instant itself, or the end of the quiet hours that it falls into; where one's end lies in another, the end of that."""
    hours = list(quiet)
    # Each step leaves one of them; with daylight in no day at all, the last step ends the search.
    for _ in range(2 * len(hours)):
        end = next((end for each in hours for start, end in _around(instant, zone, each) if start <= instant < end), None)
        if end is None:
            break
        instant = end
    return instant


def next_digest(after: datetime.datetime, *, zone: ZoneInfo, digest: Digest) -> datetime.datetime:
    """The first instant after this at which a digest is due. A day that the calendar leaves out has none; on a day on which the hour comes
    twice it is due the first time.

    Raises:
        ValueError: the cadence has no digest.
    """
    if digest.cadence == Cadence.HOURLY:
        return _next_full_hour(after, zone)
    if digest.cadence == Cadence.AT_ONCE:
        raise ValueError("What is sent at once is never sent together.")
    return next(at for at in _days_at(after, zone, digest) if at > after)


def _around(instant: datetime.datetime, zone: ZoneInfo, quiet: QuietHours) -> Iterator[tuple[datetime.datetime, datetime.datetime]]:
    """The quiet hours that may hold this instant: those that start on its day and on the one before. What comes twice is quiet twice, so
    they start at the first and end at the last of it."""
    today = instant.astimezone(zone).date()
    for day in (today - _DAY, today):
        last_day = day if quiet.start < quiet.end else day + _DAY
        start = instant_of(datetime.datetime.combine(day, quiet.start), zone)
        yield start, instant_of(datetime.datetime.combine(last_day, quiet.end), zone, last=True)


def _next_full_hour(after: datetime.datetime, zone: ZoneInfo) -> datetime.datetime:
    """By steps of real time, so that an hour that comes twice has two; a clock that moves by half an hour needs a second step."""
    instant = after.astimezone(datetime.UTC)
    while True:
        wall = instant.astimezone(zone)
        instant += _HOUR - datetime.timedelta(minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)
        if instant.astimezone(zone).minute == 0:
            return instant


def _days_at(after: datetime.datetime, zone: ZoneInfo, digest: Digest) -> Iterator[datetime.datetime]:
    today = after.astimezone(zone).date()
    for number in range(_DAYS_AHEAD):
        day = today + number * _DAY
        at = instant_of(datetime.datetime.combine(day, digest.at), zone)
        is_on = digest.cadence == Cadence.DAILY or day.weekday() == digest.on
        if is_on and at.astimezone(zone).date() == day:
            yield at
