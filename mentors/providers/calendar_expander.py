"""The script that reads an outside calendar: iCalendar in, busy times out. Run by `mentors.providers.calendars` in a limited child process,
because a recurrence rule of a few bytes can keep an expander busy for minutes.

Called as `calendar_expander.py`, with a line of JSON (`first`, `last`, `zone`, `own_suffix`) and
the file behind it on standard input. Prints JSON: `busy` (start, end, title), `skipped` (reason: number), or `refused`.
"""

from __future__ import annotations

import datetime
import functools
import io
import json
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

# Of processor time, which a busy machine does not use up.
_SECONDS_FOR_A_SERIES = 1.0
_SECONDS_FOR_ALL = 20.0
_MOST_OCCURRENCES_OF_A_SERIES = 3_000
MOST_BUSY = 10_000
_MOST_TITLE = 300
_BUSY_KINDS = ("BUSY", "BUSY-UNAVAILABLE", "BUSY-TENTATIVE")

Busy = tuple[datetime.datetime, datetime.datetime, str]


class TooSlow(BaseException):
    """A series took longer than any honest one does. No handler of a library may take it for an error of its own."""


class Unreadable(Exception):
    """An event without a usable time."""


def main() -> int:
    head, _, content = sys.stdin.buffer.read().partition(b"\n")
    question = json.loads(head)
    json.dump(_answer(question, content), sys.stdout)
    return 0


def _answer(question: dict[str, str], content: bytes) -> dict[str, Any]:
    import icalendar

    try:
        calendars = icalendar.Calendar.from_ical(content, multiple=True)
    except Exception:
        return {"refused": "not_a_calendar"}
    calendars = [calendar for calendar in calendars if calendar.name == "VCALENDAR"]
    if not calendars:
        return {"refused": "not_a_calendar"}
    expander = Expander(
        datetime.datetime.fromisoformat(question["first"]),
        datetime.datetime.fromisoformat(question["last"]),
        ZoneInfo(question["zone"]),
        question["own_suffix"],
    )
    for calendar in calendars:
        expander.read(calendar)
    busy = sorted(expander.busy)[:MOST_BUSY]
    if len(expander.busy) > MOST_BUSY:
        expander.skipped["too_many"] += len(expander.busy) - MOST_BUSY
    rows = [(start.isoformat(), end.isoformat(), title) for start, end, title in busy]
    return {"busy": rows, "skipped": dict(expander.skipped)}


class Expander:
    """Collects what is busy between `first` and `last`. Floating times are meant in `zone`; what ends with `own_suffix` came from here."""

    def __init__(self, first: datetime.datetime, last: datetime.datetime, zone: ZoneInfo, own_suffix: str) -> None:
        self.first, self.last, self.zone, self.own_suffix = first, last, zone, own_suffix
        self.busy: set[Busy] = set()
        self.skipped: Counter[str] = Counter()
        self.stops_at = time.process_time() + _SECONDS_FOR_ALL

    def read(self, calendar: Any) -> None:
        for series in _series(calendar):
            if str(series[0].get("UID", "")).endswith(self.own_suffix):
                continue
            if time.process_time() > self.stops_at:
                self.skipped["too_slow"] += 1
                continue
            try:
                with_limit(functools.partial(self._take, series, calendar.get("X-WR-TIMEZONE")))
            except TooSlow:
                self.skipped["too_slow"] += 1
            except Exception:
                # Whatever a file holds, the next event is read.
                self.skipped["broken"] += 1
        for period in _free_busy(calendar):
            self._add(*period, "")

    def _take(self, series: list[Any], zone: Any = None) -> None:
        import icalendar
        import recurring_ical_events

        alone = icalendar.Calendar()
        alone.add("PRODID", "-//Soosh//")
        alone.add("VERSION", "2.0")
        if zone:
            alone.add("X-WR-TIMEZONE", zone)
        for event in series:
            if event.get("DTSTART") is None or (event.errors and any(name in _TIMES for name, _ in event.errors)):
                raise Unreadable
            alone.add_component(event)
        # A day more on either side: where a floating day begins is not known before its zone is applied.
        day = datetime.timedelta(days=1)
        found: list[Busy] = []
        occurrences = recurring_ical_events.of(alone, keep_recurrence_attributes=False, components=["VEVENT"])
        for number, event in enumerate(occurrences.between(self.first - day, self.last + day)):
            if number >= _MOST_OCCURRENCES_OF_A_SERIES:
                self.skipped["too_many"] += 1
                break
            if _is_busy(event):
                found.append((*self._times(event), _title(event)))
        for busy in found:
            self._add(*busy)

    def _times(self, event: Any) -> tuple[datetime.datetime, datetime.datetime]:
        return self._instant(event.start), self._instant(event.end)

    def _instant(self, value: datetime.datetime | datetime.date) -> datetime.datetime:
        if not isinstance(value, datetime.datetime):
            value = datetime.datetime.combine(value, datetime.time())
        return (value if value.tzinfo else value.replace(tzinfo=self.zone)).astimezone(datetime.UTC)

    def _add(self, start: Any, end: Any, title: str) -> None:
        start, end = max(self._instant(start), self.first), min(self._instant(end), self.last)
        if start < end:
            self.busy.add((start, end, title))


_TIMES = frozenset({"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"})


def with_limit(call: Any) -> None:
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


def _series(calendar: Any) -> Iterator[list[Any]]:
    """The events of each UID: a rule and what departs from it. An event without one stands alone."""
    groups: dict[str, list[Any]] = defaultdict(list)
    for number, event in enumerate(calendar.walk("VEVENT")):
        groups[str(event.get("UID") or f"without {number}")].append(event)
    yield from groups.values()


def _is_busy(event: Any) -> bool:
    """Neither cancelled nor marked as free."""
    return (
        str(event.get("STATUS", "")).upper() != "CANCELLED"
        and str(event.get("TRANSP", "")).upper() != "TRANSPARENT"
        and str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper() != "FREE"
    )


def _title(event: Any) -> str:
    """What an event calls itself, unless it is private."""
    if str(event.get("CLASS", "PUBLIC")).upper() != "PUBLIC":
        return ""
    return " ".join(str(event.get("SUMMARY", "")).replace("\x00", "").split())[:_MOST_TITLE]


def _free_busy(calendar: Any) -> Iterator[tuple[datetime.datetime, datetime.datetime]]:
    """The busy periods of VFREEBUSY components (RFC 5545, 3.6.4)."""
    for component in calendar.walk("VFREEBUSY"):
        stated = component.get("FREEBUSY", [])
        for each in stated if isinstance(stated, list) else [stated]:
            if each.params.get("FBTYPE", "BUSY").upper() in _BUSY_KINDS:
                for period in getattr(each, "dts", [each]):
                    start, end = period.dt if hasattr(period, "dt") else (period.start, period.end)
                    yield start, start + end if isinstance(end, datetime.timedelta) else end


if __name__ == "__main__":
    sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8")
    sys.exit(main())
