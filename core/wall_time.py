"""Times as the clock on a wall shows them. Clocks that are put forward or back are the rule here, not the exception: a wall time may come
twice or never, and a whole day may be left out."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

from django.db.models import IntegerChoices


class Weekday(IntegerChoices):
    """As `datetime.date.weekday` counts them."""

    MONDAY = 0, "Monday"
    TUESDAY = 1, "Tuesday"
    WEDNESDAY = 2, "Wednesday"
    THURSDAY = 3, "Thursday"
    FRIDAY = 4, "Friday"
    SATURDAY = 5, "Saturday"
    SUNDAY = 6, "Sunday"


def as_text(instant: datetime.datetime) -> str:
    """An instant as the API writes it: RFC 3339, in UTC."""
    return instant.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")


def instant_of(wall: datetime.datetime, zone: ZoneInfo, *, last: bool = False) -> datetime.datetime:
    """When the clock in this zone shows this naive time, in UTC: the first or the last time where it does so twice, and where it never
    does, the moment at which it jumps over it."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(datetime.UTC) for fold in (0, 1))
    if first <= second:
        return second if last else first
    # In a gap the two offsets are swapped, and the jump lies between what they give.
    before, after = second, first
    while after - before > datetime.timedelta(seconds=1):
        middle = before + (after - before) / 2
        before, after = (before, middle) if middle.astimezone(zone).replace(tzinfo=None) >= wall else (middle, after)
    return after.replace(microsecond=0)
