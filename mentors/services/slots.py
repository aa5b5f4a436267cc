"""The slots of one mentor: listed, or asked about one by one. See `mentors.bookable` for the rules."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from core.prepared import fetch_one
from mentors.bookable import AGAINST, FROM_SLOTS_WITHIN, WANTED, starts_from
from mentors.enums import Refusal
from mentors.querysets import Windows

MOST_DAYS = 62
_MOST_SLOTS = 5_000

_LIST = f"""
SELECT DISTINCT start
FROM mentors_schedule AS schedule
CROSS JOIN unnest(schedule.grids) AS grid
CROSS JOIN LATERAL {starts_from("%(from)s", "%(to)s")} AS start
CROSS JOIN {WANTED}
WHERE schedule.profile_id = %(profile_id)s AND grid && tstzrange(%(from)s, %(to)s) AND NOT ({AGAINST})
ORDER BY start LIMIT {_MOST_SLOTS}
"""
# Whether something overdue is held matters to who is refused alone.
_ASK = """
SELECT asked.refusals, asked.refusals <> '{}' AND mentors_has_overdue(
    ARRAY[%(learner_id)s, (SELECT user_id FROM mentors_mentorprofile WHERE id = %(profile_id)s)], %(now)s
)
FROM (SELECT mentors_refusals(%(profile_id)s, %(learner_id)s, %(start)s, %(minutes)s, %(now)s) AS refusals OFFSET 0) AS asked
"""
# The first slot of each mentor on a page of cards, for a given length or the shortest offer.
# Searched in the next days first, which is enough for most mentors.
_LOOKED_AHEAD = (2, 14)
_NEXT = f"""
SELECT schedule.profile_id, min(start)
FROM mentors_schedule AS schedule
CROSS JOIN LATERAL (
    SELECT coalesce(%(length)s, min(offer.duration_minutes)) AS minutes FROM mentors_offer AS offer
    WHERE offer.profile_id = schedule.profile_id AND offer.is_active AND offer.kind <> 'group'
) AS shortest
CROSS JOIN unnest(schedule.grids) AS grid
CROSS JOIN LATERAL {starts_from("%(from)s", "%(to)s")} AS start
CROSS JOIN {WANTED}
WHERE schedule.profile_id = ANY(%(profile_ids)s) AND grid && tstzrange(%(from)s, %(to)s) AND NOT ({AGAINST})
GROUP BY schedule.profile_id
""".replace("%(minutes)s", "shortest.minutes")
_NEXT_WITHIN = f"""
SELECT schedule.profile_id, (SELECT min(start) {FROM_SLOTS_WITHIN})
FROM mentors_schedule AS schedule WHERE schedule.profile_id = ANY(%(profile_ids)s)
"""


@dataclasses.dataclass(frozen=True)
class Question:
    """A session that somebody would have with a mentor. `learner_id` may be unknown; `now` is what the clock shows."""

    profile_id: uuid.UUID
    minutes: int
    learner_id: uuid.UUID | None = None
    now: datetime.datetime = dataclasses.field(default_factory=lambda: timezone.now())  # noqa: PLW0108  (looked up when it is called)


def slots_between(question: Question, start: datetime.datetime, end: datetime.datetime) -> list[datetime.datetime]:
    """Every instant from `start` up to, not at, `end` at which the session may start, in order; at most 5,000. None if that is before
    `start`."""
    if end <= start:
        return []
    parameters = vars(question) | {"from": start, "to": end}
    with connection.cursor() as cursor:
        cursor.execute(_LIST, parameters)
        return [row[0] for row in cursor.fetchall()]


def next_slots(
    profile_ids: Sequence[uuid.UUID], *, learner_id: uuid.UUID | None, minutes: int | None = None
) -> dict[uuid.UUID, datetime.datetime]:
    """The next slot of each mentor, for `minutes` or their shortest offer. Leaves out mentors without one within two weeks."""
    now = timezone.now()
    found: dict[uuid.UUID, datetime.datetime] = {}
    for days in _LOOKED_AHEAD:
        missing = [profile_id for profile_id in profile_ids if profile_id not in found]
        parameters: dict[str, Any] = {"profile_ids": missing, "learner_id": learner_id, "now": now, "length": minutes}
        with connection.cursor() as cursor:
            cursor.execute(_NEXT, parameters | {"from": now, "to": now + datetime.timedelta(days=days)})
            found |= dict(cursor.fetchall())
    return found


def next_slots_within(profile_ids: Sequence[uuid.UUID], windows: Windows) -> dict[uuid.UUID, datetime.datetime]:
    """The first slot of each mentor within the windows. Leaves out mentors without one."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_WITHIN, windows.parameters | {"profile_ids": list(profile_ids)})
        return {profile_id: start for profile_id, start in cursor.fetchall() if start is not None}


def refusals_of(question: Question, start: datetime.datetime) -> list[Refusal]:
    """The rules by which the session may not start then; none if it may. A mentor without a schedule is not open."""
    return refusals_and_overdue(question, start)[0]


def refusals_and_overdue(question: Question, start: datetime.datetime) -> tuple[list[Refusal], bool]:
    """The same, and, if there are some, whether either of the two has something held for too long, which may be in the way."""
    refusals, has_overdue = fetch_one(_ASK, vars(question) | {"start": start})
    return [Refusal(refusal) for refusal in refusals], has_overdue
