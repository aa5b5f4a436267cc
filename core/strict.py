"""Strict readers of values that arrive as text: one form for each type, so that nothing is understood that was not written.

Python's and Django's own readers also take week dates, dates without a time, other scripts' digits, underscores and spaces.
"""

from __future__ import annotations

import datetime
import re
import uuid
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

_INSTANT = re.compile(
    r"(?P<year>[0-9]{4,6})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})[Tt]"
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<offset_hour>[0-9]{2}):(?P<offset_minute>[0-9]{2}))"
)
_WITHOUT_OFFSET = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_WALL_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,10})?")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Malformed(ValueError):
    """A text is not of the form that its type has. `code` names the rule, `detail` says how to write it."""

    def __init__(self, code: str, detail: Any) -> None:
        super().__init__(code)
        self.code = code
        # A translation that is made when it is shown.
        self.detail = detail


def parse_instant(text: str) -> datetime.datetime:
    """An RFC 3339 `date-time` with its offset, as aware UTC. Fractions beyond microseconds are cut off.

    Raises:
        Malformed: code `offset_missing`, `leap_second`, `out_of_range` or `invalid`.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        if _WITHOUT_OFFSET.fullmatch(text):
            raise Malformed("offset_missing", _("The offset from UTC is missing. Write 2026-12-20T10:00:00Z or …+01:00."))
        raise Malformed("invalid", _("Write a date and time with its offset (RFC 3339), such as 2026-12-20T10:00:00Z."))
    if match["second"] == "60":
        raise Malformed("leap_second", _("Leap seconds are not accepted. Write second 59, or the minute that follows."))
    return _instant_of(match)


def _instant_of(match: re.Match[str]) -> datetime.datetime:
    names = ("year", "month", "day", "hour", "minute", "second")
    year, month, day, hour, minute, second = (int(match[name]) for name in names)
    offset_hour, offset_minute = int(match["offset_hour"] or 0), int(match["offset_minute"] or 0)
    if len(match["year"]) > 4 or year == 0:
        raise Malformed("out_of_range", _("The year must be between 0001 and 9999."))
    if offset_hour > 23 or offset_minute > 59:
        raise Malformed("invalid", _("An offset is between -23:59 and +23:59."))
    offset = datetime.timedelta(hours=offset_hour, minutes=offset_minute) * (-1 if match["sign"] == "-" else 1)
    microsecond = int((match["fraction"] or "").ljust(6, "0")[:6])
    try:
        wall = datetime.datetime(year, month, day, hour, minute, second, microsecond, tzinfo=datetime.UTC)
    except ValueError as error:
        raise Malformed("invalid", _("There is no such date or time of day.")) from error
    try:
        return wall - offset
    except OverflowError as error:
        raise Malformed("out_of_range", _("The year must be between 0001 and 9999.")) from error


def parse_date(text: str) -> datetime.date:
    """A date as YYYY-MM-DD.

    Raises:
        Malformed: code `invalid`.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        raise Malformed("invalid", _("Write a date as YYYY-MM-DD, such as 2026-12-20."))
    try:
        return datetime.date(*(int(part) for part in match.groups()))
    except ValueError as error:
        raise Malformed("invalid", _("There is no such date.")) from error


def parse_wall_time(text: str) -> datetime.time:
    """A time of day as HH:MM, from 00:00 to 23:59.

    Raises:
        Malformed: code `invalid`.
    """
    match = _WALL_TIME.fullmatch(text)
    if match is None:
        raise Malformed("invalid", _("Write a time of day as HH:MM, such as 09:30."))
    return datetime.time(int(match[1]), int(match[2]))


def parse_local_time(text: str) -> datetime.datetime:
    """A naive wall time as YYYY-MM-DDTHH:MM, as browsers send it.

    Raises:
        Malformed: code `invalid`.
    """
    date, separator, time = text.partition("T")
    if not separator:
        raise Malformed("invalid", _("Write a date and a time of day, such as 2026-12-20T09:30."))
    return datetime.datetime.combine(parse_date(date), parse_wall_time(time))


def parse_integer(text: str) -> int:
    """A whole number in ASCII digits, without sign, space, separator or leading zero, but for the minus of a negative one.

    Raises:
        Malformed: code `invalid`.
    """
    if not _INTEGER.fullmatch(text):
        raise Malformed("invalid", _("Write a whole number in digits, such as 60."))
    return int(text)


def parse_decimal(text: str) -> Decimal:
    """A decimal number in ASCII digits with a point.

    Raises:
        Malformed: code `invalid`.
    """
    if not _DECIMAL.fullmatch(text):
        raise Malformed("invalid", _("Write a number in digits, such as 12.5."))
    return Decimal(text)


def parse_uuid(text: str) -> uuid.UUID:
    """An id in its canonical form: 32 hexadecimal digits with four hyphens.

    Raises:
        Malformed: code `invalid`.
    """
    if not _UUID.fullmatch(text):
        raise Malformed("invalid", _("Write an id as 8-4-4-4-12 hexadecimal digits."))
    return uuid.UUID(text)


def parse_boolean(text: str) -> bool:
    """`true` or `false`.

    Raises:
        Malformed: code `invalid`.
    """
    if text not in ("true", "false"):
        raise Malformed("invalid", _("Write true or false."))
    return text == "true"
