"""Recurrence rules (RFC 5545, 3.3.10). Unreadable parts make a rule larger, never smaller."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Callable, Iterator

from mentors.providers.calendar_times import Time, parse_time

_WEEKDAY = r"(?:[+-]?[1-9]\d?)?(?:MO|TU|WE|TH|FR|SA|SU)"
_WHOLE = r"[1-9]\d{0,17}"


def _numbers(largest: int, *, is_signed: bool) -> Callable[[str], bool]:
    """A check for lists of numbers up to `largest`: from 0, or if signed from 1 in either direction."""

    def check(text: str) -> bool:
        for part in text.split(","):
            if not re.fullmatch(r"[+-]?\d{1,3}" if is_signed else r"\d{1,3}", part, re.ASCII):
                return False
            if abs(int(part)) > largest or (is_signed and int(part) == 0):
                return False
        return True

    return check


def _matches(pattern: str) -> Callable[[str], bool]:
    return lambda text: re.fullmatch(pattern, text, re.ASCII) is not None


_PARTS: dict[str, Callable[[str], bool]] = {
    "FREQ": _matches("SECONDLY|MINUTELY|HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY"),
    "INTERVAL": _matches(_WHOLE),
    "COUNT": _matches(_WHOLE),
    "WKST": _matches("MO|TU|WE|TH|FR|SA|SU"),
    "BYDAY": _matches(f"{_WEEKDAY}(?:,{_WEEKDAY})*"),
    "BYMONTH": _numbers(12, is_signed=False),
    "BYMONTHDAY": _numbers(31, is_signed=True),
    "BYYEARDAY": _numbers(366, is_signed=True),
    "BYWEEKNO": _numbers(53, is_signed=True),
    "BYSETPOS": _numbers(366, is_signed=True),
    "BYHOUR": _numbers(23, is_signed=False),
    "BYMINUTE": _numbers(59, is_signed=False),
    "BYSECOND": _numbers(60, is_signed=False),
    "RSCALE": _matches("GREGORIAN"),
    "SKIP": _matches("OMIT"),
}
_WHOLE_DAYS = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")


@dataclasses.dataclass(frozen=True)
class Rule:
    """A recurrence rule. `text` is the rule for `dateutil`, without its end; None means at any time. `is_certain` is false if the rule was
    made larger because a part could not be read."""

    text: str | None
    until: Time | None
    is_certain: bool

    def walls(self, start: datetime.datetime, until: datetime.datetime | None) -> Iterator[datetime.datetime]:
        """The wall times of the rule from `start` on."""
        from dateutil.rrule import rrulestr

        assert self.text is not None  # checked by the caller
        for wall in rrulestr(f"RRULE:{self.text}", dtstart=start):
            if until is not None and wall > until:
                return
            yield wall


def parse_rule(text: str) -> Rule:
    """Parse a rule. Empty parts are ignored; an unknown part makes the rule daily or unbounded."""
    parts: dict[str, str] = {}
    is_certain = True
    for part in filter(None, (part.strip() for part in text.upper().split(";"))):
        name, _, value = (piece.strip() for piece in part.partition("="))
        value = value.replace(" ", "")
        is_certain = is_certain and bool(value) and name not in parts
        if value and name not in parts:
            parts[name] = value
    until = parse_time(parts["UNTIL"]) if "UNTIL" in parts else None
    is_certain = is_certain and ("UNTIL" not in parts or until is not None) and not {"UNTIL", "COUNT"} <= parts.keys()
    parts.pop("UNTIL", None)
    wrong = {name for name, value in parts.items() if name not in _PARTS or not _PARTS[name](value)}
    if until is not None or wrong & {"INTERVAL"}:
        # COUNT is meaningless if the occurrences that it counts are uncertain.
        wrong |= {"COUNT"} & parts.keys()
    for name in wrong & {"INTERVAL", "COUNT", "WKST"}:
        del parts[name]
    return Rule(_text_of(parts, wrong), until, is_certain and not wrong - ({"COUNT"} if until is not None else set()))


def rule_from_fragment(text: str) -> Rule:
    """The largest rule that a damaged line may mean: daily at the same time if it certainly repeats by days, else any time."""
    upper = text.upper()
    is_by_days = re.search(r"FREQ=(?:DAILY|WEEKLY|MONTHLY|YEARLY)", upper) and not re.search(r"BY(?:HOUR|MINUTE|SECOND)", upper)
    return Rule("FREQ=DAILY" if is_by_days else None, None, False)


def _text_of(parts: dict[str, str], wrong: set[str]) -> str | None:
    if "FREQ" not in parts or "FREQ" in wrong:
        return None
    if wrong - {"INTERVAL", "COUNT", "WKST"}:
        is_by_days = parts["FREQ"] in _WHOLE_DAYS and not parts.keys() & {"BYHOUR", "BYMINUTE", "BYSECOND"}
        return "FREQ=DAILY" if is_by_days else None
    return ";".join(f"{name}={value}" for name, value in parts.items() if name not in ("RSCALE", "SKIP"))
