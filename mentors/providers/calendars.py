"""Busy times of an outside calendar, read in a limited child process."""

from __future__ import annotations

import dataclasses
import datetime
import json
from pathlib import Path
from typing import Any

from core.limited_process import Lane, Limits, ProcessFailed

_SCRIPT = Path(__file__).with_name("calendar_script.py")
# Only workers read calendars, so waiting does not block a request.
_LANE = Lane("calendars", Limits(memory_bytes=600_000_000, cpu_seconds=40, seconds=60), waiting=8, wait_seconds=120)


class UnusableCalendar(Exception):
    """`code` is one of not_a_calendar, too_heavy."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclasses.dataclass(frozen=True, order=True)
class Busy:
    """Instants from `start` up to `end` that are taken. `title` is empty where the event is private."""

    start: datetime.datetime
    end: datetime.datetime
    title: str


@dataclasses.dataclass(frozen=True)
class Problem:
    """A part of a calendar that was not understood. `code` is a `CalendarProblem`, `event` the title unless it is private, `value` the text
    of the line."""

    code: str
    line: int
    event: str
    value: str


@dataclasses.dataclass(frozen=True)
class Reading:
    """Busy times of a calendar up to `read_until`. If `is_complete` is false, further busy times may be missing."""

    busy: tuple[Busy, ...] = ()
    problems: tuple[Problem, ...] = ()
    is_complete: bool = True
    read_until: datetime.datetime | None = None


def read_calendar(
    content: bytes, *, first: datetime.datetime, last: datetime.datetime, zone: str, own_suffix: str = "@none.invalid"
) -> Reading:
    """What is busy between two instants. `zone` is meant where an event names none; events whose UID ends with `own_suffix` are our own and
    keep nobody busy.

    Raises:
        UnusableCalendar: it is no calendar, or takes too long altogether.
    """
    head = json.dumps({"first": first.isoformat(), "last": last.isoformat(), "zone": zone, "own_suffix": own_suffix})
    try:
        written = _LANE.run(_SCRIPT, content=head.encode() + b"\n" + content)
    except ProcessFailed as error:
        raise UnusableCalendar("too_heavy") from error
    return dataclasses.replace(reading_of(json.loads(written)), read_until=last)


def reading_of(answer: dict[str, Any]) -> Reading:
    """Convert the answer of the expander.

    Raises:
        UnusableCalendar
    """
    if "refused" in answer:
        raise UnusableCalendar(answer["refused"])
    busy = (
        Busy(datetime.datetime.fromisoformat(start), datetime.datetime.fromisoformat(end), title) for start, end, title in answer["busy"]
    )
    return Reading(tuple(busy), tuple(Problem(*problem) for problem in answer["problems"]), answer["is_complete"])
