"""When somebody has time, as they told it: the hours of their days, in their own zone."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

from mentors.services.expanding import Hours, Rules, expand
from profiling.enums import ClaimKind
from profiling.services.situation import Situation

# Who says nothing is awake from eight to ten.
_AWAKE = Hours(8 * 60, 22 * 60)
_PARTS = {
    "mornings": Hours(6 * 60, 12 * 60),
    "afternoons": Hours(12 * 60, 18 * 60),
    "evenings": Hours(18 * 60, 22 * 60),
    "nights": Hours(22 * 60, 24 * 60),
}
_DAYS = {
    "weekdays": (0, 1, 2, 3, 4),
    "weekends": (5, 6),
    **{f"{day}s": (number,) for number, day in enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"))},
}
_DAY = datetime.timedelta(days=1)


def hours_of(
    situation: Situation, start: datetime.datetime, end: datetime.datetime
) -> tuple[tuple[datetime.datetime, datetime.datetime], ...]:
    """The spans between two instants in which the person has time, by the days and parts of days that they named."""
    said = [claim.label for claim in situation.claims if claim.kind == ClaimKind.AVAILABILITY]
    parts = sorted({_PARTS[label] for label in said if label in _PARTS}) or [_AWAKE]
    days = {day for label in said for day in _DAYS.get(label, ())} or set(range(7))
    zone = ZoneInfo(situation.user.time_zone)
    rules = Rules(zone, dict.fromkeys(days, tuple(parts)), {}, (), _DAY)
    found = expand(rules, start.astimezone(zone).date(), end.astimezone(zone).date()).open
    return tuple((max(span.start, start), min(span.end, end)) for span in found if span.end > start and span.start < end)
