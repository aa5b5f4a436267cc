"""From rules in wall time to instants: when a mentor is open, and when sessions may start. Pure: no database, no clock.

Hours hold from the first instant at which the clock shows their start to the first at which it shows their end. So an hour that comes twice
is open twice, but a session may start in it the first time alone; an hour that never comes is not there; and a day is 23, 23.5 or 25 hours
long where its clock says so.

Hours that adjoin are one opening, across midnight too. Starts are counted from the start of an opening, and anew from each midnight, so
that what is offered on a date never depends on the dates before it.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from core.wall_time import instant_of

_DAY = datetime.timedelta(days=1)


@dataclasses.dataclass(frozen=True, order=True)
class Hours:
    """From one minute of a date's wall time up to another, 0 to 1440."""

    start: int
    end: int


@dataclasses.dataclass(frozen=True)
class Stay:
    """Dates, both taken in, on which the hours count in this zone."""

    first: datetime.date
    last: datetime.date
    zone: ZoneInfo


@dataclasses.dataclass(frozen=True)
class Rules:
    """What a mentor stated. `overrides` replace the hours of their date; an empty sequence closes it. `weekly` goes by `date.weekday()`."""

    zone: ZoneInfo
    weekly: Mapping[int, Sequence[Hours]]
    overrides: Mapping[datetime.date, Sequence[Hours]]
    stays: Sequence[Stay]
    increment: datetime.timedelta


@dataclasses.dataclass(frozen=True, order=True)
class Span:
    """Instants from `start` up to, not at, `end`; aware, UTC."""

    start: datetime.datetime
    end: datetime.datetime


@dataclasses.dataclass(frozen=True)
class Expansion:
    """`open` are apart from each other and in order. In each of `grids` sessions may start at its start and whole increments after it."""

    open: tuple[Span, ...]
    grids: tuple[Span, ...]


def expand(rules: Rules, first: datetime.date, last: datetime.date) -> Expansion:
    """The rules between two dates, both taken in."""
    spans: list[Span] = []
    grids: list[Span] = []
    for number in range((last - first).days + 1):
        date = first + number * _DAY
        zone = zone_on(rules, date)
        for hours in joined(hours_on(rules, date)):
            span = _span(date, hours, zone)
            if span.start < span.end:
                spans.append(span)
                grids += _grids(date, hours, zone, rules.increment, span)
    return Expansion(merged(spans), tuple(sorted(grids)))


def hours_on(rules: Rules, date: datetime.date) -> Sequence[Hours]:
    """The hours of a date: its own, or those of its weekday."""
    return rules.overrides[date] if date in rules.overrides else rules.weekly.get(date.weekday(), ())


def zone_on(rules: Rules, date: datetime.date) -> ZoneInfo:
    """The zone in which a date's hours count."""
    return next((stay.zone for stay in rules.stays if stay.first <= date <= stay.last), rules.zone)


def joined(hours: Sequence[Hours]) -> list[Hours]:
    """Hours that adjoin as one, in order."""
    found: list[Hours] = []
    for each in sorted(hours):
        if found and each.start <= found[-1].end:
            found[-1] = Hours(found[-1].start, max(found[-1].end, each.end))
        else:
            found.append(each)
    return found


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same instants in spans that are apart, in order."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return tuple(found)


def wall_time(date: datetime.date, minute: int) -> datetime.datetime:
    """A minute of a date, 1440 being the next date's midnight."""
    return datetime.datetime.combine(date, datetime.time()) + datetime.timedelta(minutes=minute)


def _span(date: datetime.date, hours: Hours, zone: ZoneInfo) -> Span:
    return Span(_instant(wall_time(date, hours.start), zone), _instant(wall_time(date, hours.end), zone))


@functools.lru_cache(maxsize=100_000)
def _instant(wall: datetime.datetime, zone: ZoneInfo) -> datetime.datetime:
    return instant_of(wall, zone)


def _grids(date: datetime.date, hours: Hours, zone: ZoneInfo, increment: datetime.timedelta, span: Span) -> Iterator[Span]:
    """Where sessions may start. One stretch, unless the clock is changed meanwhile: then each wall time is looked at by itself."""
    if span.end - span.start == datetime.timedelta(minutes=hours.end - hours.start):
        yield span
        return
    run: Span | None = None
    for start in _starts(date, hours, zone, increment):
        if run is not None and run.end == start:
            run = Span(run.start, start + increment)
            continue
        if run is not None:
            yield run
        run = Span(start, start + increment)
    if run is not None:
        yield run


def _starts(date: datetime.date, hours: Hours, zone: ZoneInfo, increment: datetime.timedelta) -> Iterator[datetime.datetime]:
    wall, end = wall_time(date, hours.start), wall_time(date, hours.end)
    while wall < end:
        start = _instant(wall, zone)
        # A wall time that the clock jumps over leads to another one.
        if start.astimezone(zone).replace(tzinfo=None) == wall:
            yield start
        wall += increment
