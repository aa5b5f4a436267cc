"""Busy times of an outside calendar, read in a limited child process."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Mapping
from pathlib import Path

from core.limited_process import Lane, Limits, ProcessFailed

_EXPANDER = Path(__file__).with_name("calendar_expander.py")
# Workers alone read calendars, so that waiting keeps no request.
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
class Reading:
    """What a calendar says. `skipped` counts the events that could not be read, by reason: broken, too_slow, too_many."""

    busy: tuple[Busy, ...]
    skipped: Mapping[str, int]


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
        written = _LANE.run(_EXPANDER, content=head.encode() + b"\n" + content)
    except ProcessFailed as error:
        raise UnusableCalendar("too_heavy") from error
    answer = json.loads(written)
    if "refused" in answer:
        raise UnusableCalendar(answer["refused"])
    busy = (
        Busy(datetime.datetime.fromisoformat(start), datetime.datetime.fromisoformat(end), title) for start, end, title in answer["busy"]
    )
    return Reading(tuple(busy), answer["skipped"])
