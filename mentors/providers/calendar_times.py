"""Dates, times, durations and periods of iCalendar (RFC 5545, 3.3), in the forms that programs write, standard or not."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Iterator

_DAY = datetime.timedelta(days=1)
_TIME = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)(?:[T\s]?(\d\d):?(\d\d)(?::?(\d\d)(?:[.,]\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?)?", re.IGNORECASE | re.ASCII
)
_DURATION = re.compile(r"([+-]?)P(?=\d|T\d)(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.IGNORECASE | re.ASCII)
_DATE_ANYWHERE = re.compile(r"(?<![0-9])([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?![0-9])")
_LONGEST = datetime.timedelta(days=36_600)
# Leap years outside which no real event lies; years further off (0001, 9999) are clamped to them.
_EARLIEST_YEAR, _LATEST_YEAR = 1604, 2296


@dataclasses.dataclass(frozen=True)
class Time:
    """A date, or a wall time with its offset (None if none is given)."""

    value: datetime.date
    offset: datetime.timezone | None = None

    @property
    def is_date(self) -> bool:
        return not isinstance(self.value, datetime.datetime)


def parse_time(text: str) -> Time | None:
    """Parse `20261207`, `20261207T090000Z` and similar forms: without seconds, with dashes, with an offset. 24:00 is the next midnight."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    try:
        year, month, number = (int(part) for part in match.groups()[:3])
        day = datetime.date(min(max(year, _EARLIEST_YEAR), _LATEST_YEAR), month, number)
        if match.group(4) is None:
            return Time(day)
        hour, minute, second = (int(part or 0) for part in match.groups()[3:6])
        is_midnight = (hour, minute, second) == (24, 0, 0)
        clock = datetime.time() if is_midnight else datetime.time(hour, minute, min(second, 59) if second <= 60 else second)
    except ValueError:
        return None
    wall = datetime.datetime.combine(day, clock) + (_DAY if is_midnight else datetime.timedelta())
    offset = _offset_of(match.group(7) or "Z")
    if offset is None:
        return None
    return Time(wall, offset if match.group(7) else None)


def _offset_of(text: str) -> datetime.timezone | None:
    """None for an offset that no clock has, such as +25:00 or +01:99."""
    if text.upper() == "Z":
        return datetime.UTC
    digits = text.replace(":", "")
    hours, minutes = int(digits[1:3]), int(digits[3:5])
    if hours > 23 or minutes > 59:
        return None
    offset = datetime.timedelta(hours=hours, minutes=minutes)
    return datetime.timezone(-offset if digits[0] == "-" else offset)


def parse_duration(text: str) -> datetime.timedelta | None:
    """Parse a duration such as `PT1H30M`; at most a hundred years."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        return None
    weeks, days, hours, minutes, seconds = (min(int((part or "0")[:12]), 10**7) for part in match.groups()[1:])
    length = min(datetime.timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds), _LONGEST)
    return -length if match.group(1) == "-" else length


def dates_in(text: str) -> Iterator[datetime.date]:
    """Every date in a text."""
    for match in _DATE_ANYWHERE.finditer(re.sub(r"(?i)(?<=\d)T\d*Z?", " ", text)):
        try:
            date = datetime.date(*(int(part) for part in match.groups()))
        except ValueError:
            continue
        if _EARLIEST_YEAR <= date.year <= _LATEST_YEAR:
            yield date
