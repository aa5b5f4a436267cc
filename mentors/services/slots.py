"""What is bookable: the one place that decides it, for lists, for a booking, for search and for the question why not.

It reads the schedule's row as `services.keeping` keeps it, and a session is possible where no rule below is against it. Rules are
SQL over `schedule` (the row), `start`, `wanted` (its range, from start up to its end) and the members of a `Question`.
"""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.utils import timezone

from mentors.enums import Refusal

MOST_DAYS = 62
_MOST_SLOTS = 5_000
_MINUTE = "interval '1 minute'"

RULES: Mapping[Refusal, str] = {
    Refusal.WRONG_DURATION: """NOT EXISTS (
        SELECT FROM mentors_offer AS offer
        WHERE offer.profile_id = schedule.profile_id AND offer.is_active AND offer.duration_minutes = %(minutes)s
    )""",
    Refusal.NOT_OPEN: "NOT wanted <@ schedule.open_time",
    Refusal.OFF_GRID: """NOT EXISTS (
        SELECT FROM unnest(schedule.grids) AS grid
        WHERE start <@ grid AND mod(extract(epoch FROM start - lower(grid)), schedule.increment_minutes * 60) = 0
    )""",
    Refusal.TOO_SOON: f"start < %(now)s + schedule.notice_minutes * {_MINUTE}",
    Refusal.TOO_FAR: f"start > %(now)s + schedule.horizon_days * 1440 * {_MINUTE}",
    Refusal.TAKEN: "wanted <@ schedule.open_time AND NOT wanted <@ schedule.free_time",
    Refusal.LIMIT_REACHED: "start <@ schedule.full_time",
    Refusal.LEARNER_BUSY: """EXISTS (
        SELECT FROM mentors_occupiedtime AS occupied
        WHERE occupied.person_id = %(learner_id)s AND occupied.source IN ('session', 'hold') AND occupied.during && wanted
    )""",
}
# Starts that are counted off a grid need not be looked for on it.
_AGAINST = " OR ".join(f"({rule})" for refusal, rule in RULES.items() if refusal != Refusal.OFF_GRID)
_SESSION = f"LATERAL (SELECT tstzrange(start, start + %(minutes)s * {_MINUTE}) AS wanted) AS asked_for"
_LIST = f"""
SELECT DISTINCT start
FROM mentors_schedule AS schedule
CROSS JOIN unnest(schedule.grids) AS grid
CROSS JOIN LATERAL generate_series(
    lower(grid) + ceil(greatest(extract(epoch FROM %(from)s - lower(grid)), 0) / (schedule.increment_minutes * 60))
        * schedule.increment_minutes * {_MINUTE},
    upper(grid) - interval '1 microsecond',
    schedule.increment_minutes * {_MINUTE}
) AS start
CROSS JOIN {_SESSION}
WHERE schedule.profile_id = %(profile_id)s AND grid && tstzrange(%(from)s, %(to)s) AND start < %(to)s AND NOT ({_AGAINST})
ORDER BY start LIMIT {_MOST_SLOTS}
"""
_ASK = f"""
SELECT {", ".join(f"({rule})" for rule in RULES.values())}
FROM mentors_schedule AS schedule CROSS JOIN (SELECT %(from)s AS start) AS asked CROSS JOIN {_SESSION}
WHERE schedule.profile_id = %(profile_id)s
"""


@dataclasses.dataclass(frozen=True)
class Question:
    """A session that somebody would have with a mentor. `learner_id` may be unknown; `now` is what the clock shows."""

    profile_id: uuid.UUID
    minutes: int
    learner_id: uuid.UUID | None = None
    now: datetime.datetime = dataclasses.field(default_factory=lambda: timezone.now())  # noqa: PLW0108  (looked up when it is called)


def slots_between(question: Question, start: datetime.datetime, end: datetime.datetime) -> list[datetime.datetime]:
    """Every instant from `start` up to, not at, `end` at which the session may start, in order; at most 5,000."""
    return [row[0] for row in _fetch(_LIST, question, start, end)]


def refusals_of(question: Question, start: datetime.datetime) -> list[Refusal]:
    """The rules by which the session may not start then; none if it may. A mentor without a schedule is not open."""
    rows = _fetch(_ASK, question, start, start)
    if not rows:
        return [Refusal.NOT_OPEN]
    return [refusal for refusal, is_against in zip(RULES, rows[0], strict=True) if is_against]


def _fetch(sql: str, question: Question, start: datetime.datetime, end: datetime.datetime) -> list[tuple[Any, ...]]:
    parameters = dataclasses.asdict(question) | {"from": start, "to": end}
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()
