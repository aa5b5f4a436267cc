"""Texts about problems of an outside calendar for its owner: the problem, its consequence, and the remedy."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from mentors.enums import CalendarProblem
from mentors.models import OutsideCalendar
from mentors.providers.calendars import Problem

_WIDE = "It keeps you busy for as long as it may have been meant."
# For each code: the problem, with the value in place of `%s`; the consequence; the remedy.
_WORDS: dict[CalendarProblem, tuple[str, str, str]] = {
    CalendarProblem.UNKNOWN_ZONE: (
        "names the time zone “%s”, which nobody knows",
        _WIDE,
        "Choose a time zone with the name of a city for it.",
    ),
    CalendarProblem.AMBIGUOUS_TIME: (
        "has the time “%s”, which can be read in two ways",
        "Both times keep you busy.",
        "Open it in your calendar program, check its time and its time zone, and save it again.",
    ),
    CalendarProblem.UNREADABLE_START: ("has the start “%s”, which cannot be read", _WIDE, "Set its date and time again, or delete it."),
    CalendarProblem.UNREADABLE_END: (
        "has the end “%s”, which cannot be read",
        "It keeps you busy until the end of the day.",
        "Set its end again.",
    ),
    CalendarProblem.END_BEFORE_START: (
        "has the end “%s”, which is before its start",
        "It keeps you busy from its start on for as long.",
        "Set its start and its end again.",
    ),
    CalendarProblem.UNREADABLE_RULE: (
        "repeats by the rule “%s”, which cannot be read",
        "It keeps you busy whenever the rule may have meant.",
        "Set again how it repeats.",
    ),
    CalendarProblem.UNREADABLE_PERIOD: ("repeats at “%s”, which cannot be read", _WIDE, "Set again when it repeats."),
    CalendarProblem.UNREADABLE_EXCEPTION: (
        "has the exception “%s”, which cannot be read",
        "The dates that it takes out keep you busy.",
        "Delete these dates of the series again.",
    ),
    CalendarProblem.BROKEN_EVENT: (
        "is incomplete or mixed with another event",
        _WIDE,
        "Open it, save it again, and check what follows it.",
    ),
    CalendarProblem.UNREADABLE_EVENT: ("cannot be read", _WIDE, "Set it up again, or delete it."),
    CalendarProblem.TOO_SLOW: ("repeats in a way that takes too long to follow", _WIDE, "Set again how it repeats, or delete it."),
    CalendarProblem.TOO_MANY: ("repeats more often than can be followed", _WIDE, "Set again how it repeats, or delete it."),
    CalendarProblem.STRAY_LINE: ("“%s” is not a line of a calendar", "It is left out.", "Tell whoever makes the calendar file."),
}
_FAILURES = {
    "": "",
    "not_a_calendar": "The address does not lead to a calendar file. Copy the address of the calendar in iCalendar (.ics) format.",
    "incomplete": "The calendar arrived incomplete, so what was known before still keeps you busy. It is read again soon.",
    "too_heavy": "The calendar is too large or too complex to read. Share one with fewer events.",
    "too_large": "The calendar is too large to read. Share one with fewer events.",
    "unauthorised": "The server refused the user name or the password. Remove the calendar, and add it again with the right ones.",
    "gone": "Nothing is at this address any more. Copy the address again from your calendar program.",
    "redirected": "The address leads on to another one. Add the calendar with that other address.",
    "not_caldav": "This is not the address of a CalDAV calendar.",
    "private_address": "The address leads into a private network, which cannot be reached from here.",
    "unknown_host": "There is no server of this name. Check the address.",
    "bad_certificate": "The server could not prove who it is. Ask whoever runs it to renew its certificate.",
}
_UNREACHABLE = "The server did not answer as it should. It is asked again soon."


@dataclasses.dataclass(frozen=True)
class ToldProblem:
    """The texts about a problem. `line` is a line of the calendar file."""

    code: CalendarProblem
    line: int
    event: str
    text: str
    remedy: str


def problems_of(calendar: OutsideCalendar) -> list[ToldProblem]:
    """Texts about the problems of the last reading."""
    return [_told(Problem(each["code"], each["line"], each["event"], each["value"])) for each in calendar.problems]


def failure_text(calendar: OutsideCalendar) -> str:
    """Why the last attempt to read the calendar failed; empty if it did not."""
    return _FAILURES.get(calendar.failure, _UNREACHABLE)


def stored_problems(problems: Sequence[Problem]) -> list[dict[str, str | int]]:
    """Problems in the form that the row of a calendar stores."""
    return [dataclasses.asdict(problem) for problem in problems]


def has_news(before: Sequence[dict[str, str | int]], after: Sequence[dict[str, str | int]]) -> bool:
    """Whether there is a new problem that keeps the owner busy. The same problem on another line is not new."""
    known = {(each["code"], each["event"], each["value"]) for each in before}
    doubtful = (each for each in after if each["code"] != CalendarProblem.STRAY_LINE)
    return any((each["code"], each["event"], each["value"]) not in known for each in doubtful)


def _told(problem: Problem) -> ToldProblem:
    code = CalendarProblem(problem.code)
    words, consequence, remedy = _WORDS[code]
    words = words.replace("%s", problem.value)
    if code == CalendarProblem.STRAY_LINE:
        text = f"Line {problem.line}: {words}. {consequence}"
    else:
        text = f"{f'“{problem.event}”' if problem.event else 'An event'} (line {problem.line}) {words}. {consequence}"
    return ToldProblem(code, problem.line, problem.event, text, remedy)
