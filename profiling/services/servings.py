"""The log of what was recommended. The learned ranker is made from it."""

from __future__ import annotations

import dataclasses
import datetime
import json
import uuid
from collections.abc import Sequence

from django.db import connection
from django.utils import timezone

from core.models import new_id
from profiling.enums import RecommendationBasis
from profiling.models import Serving

KEPT_DAYS = 180

# Losing the last moments of this log in a crash harms nobody, so nobody waits for the disk.
_INSERT = """
INSERT INTO profiling_serving
    (id, created_at, updated_at, user_id, ranker_version, basis, fallbacks, was_cached, milliseconds, opportunity_ids, propensities, terms)
SELECT %s, now(), now(), %s, %s, %s, %s, %s, %s, %s, %s, %s
FROM (SELECT set_config('synchronous_commit', 'off', true)) AS relaxed
"""


@dataclasses.dataclass(frozen=True)
class Shown:
    """One place of an answer."""

    opportunity_id: uuid.UUID
    propensity: float
    terms: Sequence[float]


def log_serving(
    *,
    user_id: uuid.UUID,
    ranker_version: int,
    basis: RecommendationBasis,
    fallbacks: Sequence[str],
    was_cached: bool,
    milliseconds: int,
    shown: Sequence[Shown],
) -> None:
    """Keep what was shown to whom, in its order."""
    parameters = (
        *(new_id(), user_id, ranker_version, basis, list(fallbacks), was_cached, milliseconds),
        *([place.opportunity_id for place in shown], [place.propensity for place in shown]),
        json.dumps([list(place.terms) for place in shown]),
    )
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, parameters)


def prune_servings() -> int:
    """Forget what was shown longer ago than anybody learns from it."""
    return Serving.objects.filter(created_at__lt=timezone.now() - datetime.timedelta(days=KEPT_DAYS)).delete()[0]
