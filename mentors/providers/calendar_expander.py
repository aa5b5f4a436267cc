"""Reads an outside calendar: iCalendar in, busy times out. Runs in a limited child process, because a recurrence rule of a few bytes can
keep an expander busy for minutes.

Takes a line of JSON (`first`, `last`, `zone`, `own_suffix`) and the file behind it on standard input. Prints JSON: `busy` (start, end,
title), `problems` (code, line, event, value) and `is_complete`, or `refused`.

Whatever is not understood is busy and stands among the problems.
"""

from __future__ import annotations

import datetime
import functools
import io
import json
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from mentors.providers.calendar_events import Context, Problem, TooManyOccurrences, is_busy, title_of, whole
from mentors.providers.calendar_free_busy import availability_spans, free_busy_spans
from mentors.providers.calendar_lines import Component, Document, parse_calendars
from mentors.providers.calendar_series import Busy, series_spans

# Of processor time, which a busy machine does not use up.
_SECONDS_FOR_A_SERIES = 1.0
_SECONDS_FOR_ALL = 20.0
MOST_BUSY = 10_000
_MOST_PROBLEMS = 100
_MOST_STRAYS = 10
_STATED_TIME = {"VFREEBUSY": free_busy_spans, "VAVAILABILITY": availability_spans}
# A component of any other name that has a DTSTART counts as an event.
_OTHER_COMPONENTS = frozenset({"VTODO", "VJOURNAL", "VTIMEZONE", "VFREEBUSY", "VAVAILABILITY", "VALARM", "STANDARD", "DAYLIGHT"})


class TooSlow(BaseException):
    """A series took longer than any honest one does. No handler of a library may take it for an error of its own."""


def main() -> int:
    head, _, content = sys.stdin.buffer.read().partition(b"\n")
    sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8")
    json.dump(expand_calendars(json.loads(head), content), sys.stdout)
    sys.stdout.flush()
    return 0


def expand_calendars(question: dict[str, str], content: bytes) -> dict[str, Any]:
    """Busy times and problems of a file within the requested time, in the form that `main` prints."""
    document = parse_calendars(content)
    if not document.calendars:
        return {"refused": "not_a_calendar"}
    first, last = (datetime.datetime.fromisoformat(question[name]) for name in ("first", "last"))
    expander = Expander(first, last, ZoneInfo(question["zone"]), question["own_suffix"])
    for calendar in document.calendars:
        expander.read(calendar)
    problems = sorted(expander.problems)[:_MOST_PROBLEMS]
    return {
        "busy": [(start.isoformat(), end.isoformat(), title) for start, end, title in _bounded(expander.busy)],
        "problems": [(each.code, each.line, each.event, each.value) for each in (*problems, *_strays(document, problems))],
        "is_complete": not document.is_cut,
    }


def _strays(document: Document, problems: list[Problem]) -> Iterator[Problem]:
    """A problem for each line that was ignored, unless it already caused one."""
    lines = {problem.line for problem in problems}
    for line, text in [stray for stray in document.strays if stray[0] not in lines][:_MOST_STRAYS]:
        yield Problem("stray_line", line, "", " ".join(text.split())[:100])


def _bounded(busy: set[Busy]) -> list[Busy]:
    """Limit the number of busy times: merge those that touch, without titles, and join the last ones across their gaps."""
    if len(busy) <= MOST_BUSY:
        return sorted(busy)
    joined: list[Busy] = []
    for start, end, _ in sorted(busy):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end), "")
        else:
            joined.append((start, end, ""))
    kept = joined[: MOST_BUSY - 1]
    rest = joined[MOST_BUSY - 1 :]
    return [*kept, (rest[0][0], rest[-1][1], "")] if rest else kept


class Expander:
    """Collects what is busy between `first` and `last`. Floating times are meant in `zone`; what ends with `own_suffix` came from here."""

    def __init__(self, first: datetime.datetime, last: datetime.datetime, zone: ZoneInfo, own_suffix: str) -> None:
        self.first, self.last, self.zone, self.own_suffix = first, last, zone, own_suffix
        self.busy: set[Busy] = set()
        self.problems: set[Problem] = set()
        self.stops_at = time.process_time() + _SECONDS_FOR_ALL

    def read(self, calendar: Component) -> None:
        context = Context(self.first, self.last, self.zone, calendar)
        for events in _series(calendar):
            if not self._is_own(events):
                self._take(events, context, functools.partial(series_spans, events, context))
        for component in calendar.children:
            if component.name in _STATED_TIME:
                self._take([component], context, functools.partial(_stated, component, context))
        self.problems |= context.problems

    def _is_own(self, events: list[Component]) -> bool:
        return all(
            not event.is_broken and event.all("UID") and all(each.value.strip().endswith(self.own_suffix) for each in event.all("UID"))
            for event in events
        )

    def _take(self, events: list[Component], context: Context, read: Callable[[], set[Busy]]) -> None:
        """Add the times that `read` gives; if it fails, all the time that the events may take."""
        try:
            found = self._within_limits(read)
        except TooSlow:
            found = _unread("too_slow", events, context)
        except TooManyOccurrences:
            found = _unread("too_many", events, context)
        except Exception:
            # One unreadable event must not keep the others from being read.
            found = _unread("unreadable_event", events, context)
        for start, end, title in found:
            cut = (max(start, self.first).astimezone(datetime.UTC), min(end, self.last).astimezone(datetime.UTC), title)
            if cut[0] < cut[1]:
                self.busy.add(cut)

    def _within_limits(self, read: Callable[[], set[Busy]]) -> set[Busy]:
        if time.process_time() > self.stops_at:
            raise TooSlow
        found: list[set[Busy]] = []
        with_limit(lambda: found.append(read()))
        return found[0]


def _stated(component: Component, context: Context) -> set[Busy]:
    return {(start, end, "") for start, end in _STATED_TIME[component.name](component, context)}


def _unread(code: str, events: list[Component], context: Context) -> set[Busy]:
    found = set()
    for event in filter(is_busy, events):
        context.report(code, event)
        found |= {(start, end, title_of(event)) for start, end in whole(event, context)}
    return found


def with_limit(call: Callable[[], None]) -> None:
    """Call it, and break it off after a second of processor time.

    Raises:
        TooSlow
    """

    def stop(*_: object) -> None:
        raise TooSlow

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, _SECONDS_FOR_A_SERIES, 0.1)
    try:
        call()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _series(calendar: Component) -> Iterator[list[Component]]:
    """The events of each UID: a rule and what departs from it. An event without one stands alone."""
    groups: dict[str, list[Component]] = defaultdict(list)
    for number, component in enumerate(calendar.children):
        if component.name == "VEVENT" or (component.name not in _OTHER_COMPONENTS and component.all("DTSTART")):
            groups[component.text("UID") or f"without {number}"].append(component)
    yield from groups.values()
