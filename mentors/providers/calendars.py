"""Busy times of an outside calendar, read in a process of its own with bounded memory and time."""

from __future__ import annotations

import dataclasses
import datetime
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_EXPANDER = Path(__file__).with_name("calendar_expander.py")
_DEADLINE_SECONDS = 60


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
    command = [sys.executable, "-I", "-W", "ignore", str(_EXPANDER)]
    try:
        done = subprocess.run(command, input=head.encode() + b"\n" + content, capture_output=True, timeout=_DEADLINE_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnusableCalendar("too_heavy") from error
    if done.returncode != 0:
        raise UnusableCalendar("too_heavy")
    answer = json.loads(done.stdout)
    if "refused" in answer:
        raise UnusableCalendar(answer["refused"])
    busy = (
        Busy(datetime.datetime.fromisoformat(start), datetime.datetime.fromisoformat(end), title) for start, end, title in answer["busy"]
    )
    return Reading(tuple(busy), answer["skipped"])
