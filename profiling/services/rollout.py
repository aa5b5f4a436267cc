"""Rolls an adopted ranker out step by step, and stops it by itself if people dismiss more or say yes less than with the one before."""

from __future__ import annotations

import dataclasses
import datetime
import math

from django.db import connection, transaction
from django.utils import timezone

from profiling.enums import RankerState
from profiling.models import Ranker
from profiling.services.training import put_in_force

STEPS = (10, 50, 100)
_DAYS_A_STEP = 3
_FEWEST_SERVINGS = 200
# One in a hundred harmless rankers is stopped at a step.
_SURE = 2.33

_COUNTS = """
SELECT
    count(DISTINCT (serving.user_id, shown.id))
        FILTER (WHERE reaction.saved_at >= serving.created_at OR reaction.applied_at >= serving.created_at),
    count(DISTINCT (serving.user_id, shown.id)) FILTER (WHERE reaction.dismissed_at >= serving.created_at),
    count(DISTINCT (serving.user_id, shown.id)),
    count(DISTINCT serving.id)
FROM profiling_serving AS serving
CROSS JOIN LATERAL unnest(serving.opportunity_ids) AS shown(id)
LEFT JOIN catalog_reaction AS reaction ON reaction.user_id = serving.user_id AND reaction.opportunity_id = shown.id
WHERE serving.created_at >= %s AND (serving.ranker_version = %s) IS {same}
"""


@dataclasses.dataclass(frozen=True)
class Counts:
    """What people did with what one ranker showed them; each person counts once for each opportunity."""

    yes: int
    dismissed: int
    shown: int
    servings: int


def advance_rollout() -> str:
    """Look at the ranker that is being rolled out: stop it, let it rank for more people, put it in force, or wait. Says what it did."""
    with transaction.atomic():
        ranker = Ranker.objects.select_for_update().filter(state=RankerState.ROLLING_OUT).first()
        if ranker is None:
            return "nothing is rolled out"
        theirs, others = _counts(ranker, "TRUE"), _counts(ranker, "FALSE")
        objection = _objection(theirs, others)
        if objection:
            ranker.state, ranker.share = RankerState.STOPPED, 0
            ranker.report = ranker.report | {"stopped_because": objection}
            ranker.save()
            return f"stopped: {objection}"
        waited = timezone.now() - ranker.updated_at
        if theirs.servings < _FEWEST_SERVINGS or waited < datetime.timedelta(days=_DAYS_A_STEP):
            return f"waits at {ranker.share} %"
        ranker.share = next(step for step in STEPS if step > ranker.share)
        ranker.save()
        if ranker.share == STEPS[-1]:
            put_in_force(ranker)
        return f"ranks for {ranker.share} % now"


def _counts(ranker: Ranker, same: str) -> Counts:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS.format(same=same), (ranker.created_at, ranker.version))
        return Counts(*cursor.fetchone())


def _objection(theirs: Counts, others: Counts) -> str:
    if _above(theirs.dismissed, theirs.shown, others.dismissed, others.shown) > _SURE:
        return "people dismiss more of what it shows"
    if _above(others.yes, others.shown, theirs.yes, theirs.shown) > _SURE:
        return "people save and apply for less of what it shows"
    return ""


def _above(hits: int, shown: int, other_hits: int, other_shown: int) -> float:
    """The z value of a two-proportion test: by how many standard errors the first share lies above the second."""
    if not shown or not other_shown:
        return 0.0
    together = (hits + other_hits) / (shown + other_shown)
    error = math.sqrt(together * (1 - together) * (1 / shown + 1 / other_shown))
    return (hits / shown - other_hits / other_shown) / error if error else 0.0
