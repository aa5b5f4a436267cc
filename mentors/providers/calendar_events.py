"""When the events of an outside calendar keep somebody busy. An event that can be read in two ways is busy in both; what cannot be read is
busy for as long as it may have been meant, and is reported as a `Problem`.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime
from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

from mentors.providers.calendar_lines import TIME_PROPERTIES, Component, Property
from mentors.providers.calendar_rules import Rule, parse_rule, rule_from_fragment
from mentors.providers.calendar_times import Time, dates_in, parse_duration, parse_time
from mentors.providers.calendar_zones import Zone, Zones

_DAY, _HOUR, _MINUTE = datetime.timedelta(days=1), datetime.timedelta(hours=1), datetime.timedelta(minutes=1)
_NONE = datetime.timedelta()
_MOST_OCCURRENCES = 3_000
_MOST_TITLE = 300

Span = tuple[datetime.datetime, datetime.datetime]
Lengths = tuple[datetime.timedelta, datetime.timedelta]


@dataclasses.dataclass(frozen=True, order=True)
class Problem:
    """What could not be read. `line` is a line of the file, `event` the title unless it is private, `value` what stands there."""

    code: str
    line: int
    event: str
    value: str


@dataclasses.dataclass(frozen=True)
class Moment:
    """One interpretation of a start: a date in the owner's zone, or a wall time in a zone."""

    wall: datetime.datetime
    zone: Zone
    is_date: bool

    def at(self, wall: datetime.datetime) -> datetime.datetime:
        return instant(wall, self.zone.clock)


def instant(wall: datetime.datetime, clock: datetime.tzinfo) -> datetime.datetime:
    """The instant of a wall time: the first of two at a backward change; a skipped one by the offset before the change."""
    return wall.replace(tzinfo=clock).astimezone(datetime.UTC)


class Context:
    """Facts that all events of a calendar share, and the problems found in them."""

    def __init__(self, first: datetime.datetime, last: datetime.datetime, owner: ZoneInfo, calendar: Component) -> None:
        self.first, self.last, self.owner = first, last, Zone(owner)
        self.zones = Zones(each for each in calendar.children if each.name == "VTIMEZONE")
        stated = calendar.text("X-WR-TIMEZONE")
        self.stated_name = stated
        self.stated = self.zones.find(stated) if stated else self.owner
        self.problems: set[Problem] = set()
        self._reported: set[tuple[str, str, str]] = set()

    def emptied(self) -> Context:
        """A copy for a trial reading, which collects problems of its own."""
        other = copy.copy(self)
        other.problems, other._reported = set(), set()
        return other

    def report(self, code: str, event: Component, found: Property | None = None) -> None:
        line, value = (found.line, found.value) if found is not None else (event.line, "")
        problem = Problem(code, line, title_of(event), " ".join(value.split())[:100])
        key = (problem.code, problem.event, problem.value)
        if key not in self._reported:
            self._reported.add(key)
            self.problems.add(problem)


def is_busy(event: Component) -> bool:
    """Whether an event is neither cancelled nor marked as free. One that contradicts itself, or mixes two events, is busy."""
    if event.is_broken or len({each.value for each in event.all("DTSTART")}) > 1:
        return True
    status = {each.value.strip().upper() for each in event.all("STATUS")}
    if status == {"CANCELLED"}:
        return False
    shown = {each.value.strip().upper() for each in event.all("TRANSP")}
    outlook = {each.value.strip().upper() for each in event.all("X-MICROSOFT-CDO-BUSYSTATUS")}
    if shown == {"TRANSPARENT"}:
        return bool(outlook & {"BUSY", "OOF"})
    return not (outlook == {"FREE"} and not shown)


def title_of(event: Component) -> str:
    """The title of an event; "" if it is private."""
    if (event.text("CLASS") or "PUBLIC").upper() != "PUBLIC":
        return ""
    text = event.text("SUMMARY").replace("\\n", " ").replace("\\N", " ")
    for escaped in (",", ";", "\\"):
        text = text.replace(f"\\{escaped}", escaped)
    return " ".join(text.split())[:_MOST_TITLE]


def whole(event: Component, context: Context) -> Iterator[Span]:
    """All the time that an event with unreadable times may take: its dates, or everything from its first date on if it may recur or has
    no date."""
    texts = [f"{each.value} {each.parameters}" for each in event.properties if each.name in TIME_PROPERTIES]
    dates = sorted(date for text in texts for date in dates_in(text))
    starts = [_midnight(date, -1) for date in dates]
    if not dates or event.all("RRULE") or event.all("RDATE"):
        yield max(min(starts, default=context.first), context.first), context.last
        return
    yield starts[0], _midnight(dates[-1], 2)


def _midnight(date: datetime.date, days: int) -> datetime.datetime:
    """Midnight UTC of a date moved by some days. One day of margin on either side covers every time zone."""
    return datetime.datetime.combine(date, datetime.time(), datetime.UTC) + days * _DAY


@dataclasses.dataclass(frozen=True)
class Shift:
    """A THISANDFUTURE change (RFC 5545, 3.8.4.4): occurrences from `since` on move as `event` says."""

    since: datetime.datetime
    wall: datetime.datetime
    event: Component


class EventReader:
    """The occurrences of one event, which may recur. `removed` are the RECURRENCE-IDs of those that another entry replaces."""

    def __init__(self, event: Component, context: Context, removed: Iterable[Property] = ()) -> None:
        self.event, self.context, self.removed = event, context, tuple(removed)
        self.shifts: list[Shift] = []

    def spans(self) -> set[Span]:
        """Everything that the event takes within the context's stretch of time."""
        stated = self.event.all("DTSTART")
        if self.event.is_broken or len({each.value for each in stated}) > 1:
            self.context.report("broken_event", self.event)
        readings = [self._moments(each) for each in stated]
        found: set[Span] = set()
        if not all(readings) or not readings:
            self.context.report("unreadable_start", self.event, next(iter(stated), None))
            found.update(whole(self.event, self.context))
        for moments, each in zip(readings, stated, strict=True):
            spans = [set(self._of(moment)) for moment in moments]
            if any(one != spans[0] for one in spans):
                self.context.report("ambiguous_time", self.event, each)
            found = found.union(*spans)
        return found

    def moment(self) -> Moment | None:
        """The start, if it has exactly one interpretation; otherwise None."""
        found = [moment for each in self.event.all("DTSTART") for moment in self._moments(each)]
        return found[0] if len(found) == 1 else None

    def _moments(self, found: Property) -> list[Moment]:
        """Every interpretation of a time: several if the file contradicts itself, none if it cannot be read."""
        time = parse_time(found.value) if found.is_intact else None
        if time is None:
            return []
        if not isinstance(time.value, datetime.datetime):
            # A date has no zone, even if a TZID is given (RFC 5545, 3.2.19).
            return [Moment(datetime.datetime.combine(time.value, datetime.time()), self.context.owner, True)]
        moments = [Moment(time.value, zone, False) for zone in self._zones(found, time)]
        stated = self.context.stated
        if time.offset == datetime.UTC and self.context.stated_name and stated.is_certain and self.event.all("RRULE"):
            # Programs disagree whether such a series follows UTC or the zone of its calendar.
            moments.append(Moment(instant(time.value, datetime.UTC).astimezone(stated.clock).replace(tzinfo=None), stated, False))
        return moments

    def _zones(self, found: Property, time: Time) -> list[Zone]:
        name = found.parameters.get("TZID")
        named = self._named_zone(found, "TZID", name, self.context.zones.find(name)) if name is not None else None
        if time.offset is not None:
            stated = Zone(time.offset)
            return [stated] if named is None or not named.is_certain or named == stated else [stated, named]
        if named is not None:
            return [named]
        if self.context.stated == self.context.owner:
            return [self.context.owner]
        zone = self._named_zone(found, "X-WR-TIMEZONE", self.context.stated_name, self.context.stated)
        return [zone, self.context.owner] if zone.is_certain else [zone]

    def _named_zone(self, found: Property, source: str, name: str, zone: Zone) -> Zone:
        if not zone.is_certain:
            self.context.report("unknown_zone", self.event, Property(source, {}, name, found.line))
        return zone

    def _of(self, moment: Moment) -> Iterator[Span]:
        lengths = self._lengths(moment, (*self.event.all("DTEND"), *self.event.all("DURATION")))
        gone = self._gone(moment)
        walls = {moment.wall}
        for stated in self.event.all("RRULE"):
            rule = self._rule(stated)
            if rule is not None and rule.text is None:
                yield moment.at(moment.wall) - _DAY, self._end_of(rule)
            elif rule is not None:
                walls.update(self._walls(moment, rule, lengths))
        for extra in self.event.all("RDATE"):
            yield from self._extra(extra, moment, gone, lengths)
        for wall in sorted(walls):
            if moment.at(wall) not in gone:
                yield from self._shifted(moment, wall, lengths)

    def _shifted(self, moment: Moment, wall: datetime.datetime, lengths: Lengths) -> Iterator[Span]:
        shift = max((each for each in self.shifts if each.since <= moment.at(wall)), key=lambda each: each.since, default=None)
        if shift is None:
            yield _span(moment, wall, lengths)
        elif is_busy(shift.event):
            other = EventReader(shift.event, self.context)
            start = other.moment()
            assert start is not None  # looked at before it became a shift
            ends = (*shift.event.all("DTEND"), *shift.event.all("DURATION"))
            yield _span(start, wall + (start.wall - shift.wall), other._lengths(start, ends))

    def _walls(self, moment: Moment, rule: Rule, lengths: Lengths) -> Iterator[datetime.datetime]:
        before = self.context.first.replace(tzinfo=None) - max(lengths) - 2 * _DAY
        after = self.context.last.replace(tzinfo=None) + 2 * _DAY
        number = 0
        for wall in rule.walls(moment.wall, self._until(moment, rule)):
            if wall > after:
                return
            if wall >= before:
                number += 1
                if number > _MOST_OCCURRENCES:
                    raise TooManyOccurrences
                yield wall

    def _rule(self, found: Property) -> Rule | None:
        """The rule of an RRULE; None if it is empty."""
        is_empty = found.is_intact and not found.value.strip()
        rule = parse_rule(found.value) if found.is_intact else rule_from_fragment(found.value)
        if is_empty or not rule.is_certain:
            self.context.report("unreadable_rule", self.event, found)
        return None if is_empty else rule

    def _until(self, moment: Moment, rule: Rule) -> datetime.datetime | None:
        """The last wall time at which the rule may start an occurrence; the later one if it is ambiguous."""
        if rule.until is None:
            return None
        value = rule.until.value
        if not isinstance(value, datetime.datetime):
            return datetime.datetime.combine(value, datetime.time.max)
        if rule.until.offset is None:
            return value
        local = value.replace(tzinfo=rule.until.offset).astimezone(moment.zone.clock).replace(tzinfo=None) + moment.zone.early
        return max(local, value) if moment.is_date else local

    def _end_of(self, rule: Rule) -> datetime.datetime:
        """The instant after which a rule that cannot be followed has certainly ended."""
        return self.context.last if rule.until is None else min(_midnight(rule.until.value, 3), self.context.last)

    def _lengths(self, moment: Moment, ends: Sequence[Property]) -> Lengths:
        """Length of an occurrence in elapsed time and in wall time: the longest of those stated."""
        found: list[Lengths] = []
        for each in ends:
            length = self._length(each, moment)
            if length is None:
                self.context.report("unreadable_end", self.event, each)
                length = _rest_of_day(moment, each.value)
            elif length[1] < _NONE:
                self.context.report("end_before_start", self.event, each)
                length = (max(_HOUR, -length[0]), max(_HOUR, -length[1]))
            found.append(length)
        if not found and self.event.is_broken:
            found.append(_rest_of_day(moment, ""))
        least = _DAY if moment.is_date else _MINUTE
        # An empty range cannot be stored, so an event without length takes a minute.
        return max((each[0] for each in found), default=_NONE) or least, max((each[1] for each in found), default=_NONE) or least

    def _length(self, found: Property, moment: Moment) -> Lengths | None:
        if not found.is_intact:
            return None
        start = moment.at(moment.wall)
        if found.name == "DURATION":
            length = parse_duration(found.value)
            return None if length is None else (length, _whole_days(length) if moment.is_date else length)
        time = parse_time(found.value)
        if time is None:
            return None
        if time.is_date != moment.is_date:
            self.context.report("ambiguous_time", self.event, found)
        if not isinstance(time.value, datetime.datetime):
            end = datetime.datetime.combine(time.value, datetime.time()) + (_NONE if moment.is_date else _DAY)
            return moment.at(end) - start, end - moment.wall
        zones = self._zones(found, time)
        latest = (
            max(instant(time.value, zone.clock) for zone in zones) if moment.zone not in zones else instant(time.value, moment.zone.clock)
        )
        latest += max(zone.late for zone in zones) if moment.zone not in zones else _NONE
        wall = latest.astimezone(moment.zone.clock).replace(tzinfo=None)
        return latest - start, _whole_days(wall - moment.wall) if moment.is_date else wall - moment.wall

    def _gone(self, moment: Moment) -> set[datetime.datetime]:
        """Instants of occurrences that are excluded or replaced by another entry. If that is uncertain, the occurrence stays."""
        gone = set()
        for found in (*self.event.all("EXDATE"), *self.removed):
            for text in filter(None, (part.strip() for part in found.value.split(","))):
                excluded = self.excluded(found, text, moment)
                if excluded is None:
                    self.context.report("unreadable_exception", self.event, found)
                else:
                    gone.add(excluded)
        for found in self.event.all("EXRULE"):
            self.context.report("unreadable_exception", self.event, found)
        return gone

    def excluded(self, found: Property, text: str, moment: Moment) -> datetime.datetime | None:
        """The instant that an EXDATE or a RECURRENCE-ID names; None if it is uncertain."""
        time = parse_time(text) if found.is_intact else None
        if time is None:
            return None
        if not isinstance(time.value, datetime.datetime):
            return moment.at(datetime.datetime.combine(time.value, datetime.time())) if moment.is_date else None
        if moment.is_date:
            is_day = time.offset is None and time.value.time() == datetime.time()
            return moment.at(time.value) if is_day else None
        name = found.parameters.get("TZID")
        if time.offset is None and (name is None or name in {each.parameters.get("TZID") for each in self.event.all("DTSTART")}):
            return moment.at(time.value)
        zone = Zone(time.offset) if time.offset is not None else self.context.zones.find(name or "")
        return instant(time.value, zone.clock) if zone.is_certain and moment.zone.is_certain else None

    def _extra(self, found: Property, moment: Moment, gone: set[datetime.datetime], lengths: Lengths) -> Iterator[Span]:
        """The occurrences of an RDATE: times, or periods with their own lengths."""
        for text in filter(None, (part.strip() for part in found.value.split(","))):
            begin, _, end = text.partition("/")
            starts = self._moments(dataclasses.replace(found, value=begin))
            if not starts:
                self.context.report("unreadable_period", self.event, found)
                yield from whole(Component("VEVENT", found.line, [Property("DTSTART", {}, text, found.line)]), self.context)
            for start in starts:
                if end:
                    name = "DURATION" if "P" in end.upper() else "DTEND"
                    yield _span(start, start.wall, self._lengths(start, [dataclasses.replace(found, name=name, value=end)]))
                elif start.at(start.wall) not in gone:
                    yield _span(start, start.wall, lengths if start.is_date == moment.is_date else _rest_of_day(start, ""))


class TooManyOccurrences(Exception):
    """A series has more occurrences than are followed."""


def _span(moment: Moment, wall: datetime.datetime, lengths: Lengths) -> Span:
    """The span of an occurrence. If the offset changes during it, it ends at the later of its two possible ends."""
    start = moment.at(wall)
    exact, nominal = lengths
    end = moment.at(wall + nominal) if moment.is_date else max(start + exact, moment.at(wall + nominal))
    return start - moment.zone.early, end + moment.zone.late


def _rest_of_day(moment: Moment, stated: str) -> Lengths:
    """The length to the end of the day, or of the last date in the stated text; at least an hour."""
    last = max((moment.wall.date(), *dates_in(stated)))
    end = datetime.datetime.combine(last, datetime.time()) + _DAY
    length = max(end - moment.wall, _HOUR)
    return length, length


def _whole_days(length: datetime.timedelta) -> datetime.timedelta:
    return -(-length // _DAY) * _DAY if length > _NONE else length // _DAY * _DAY
