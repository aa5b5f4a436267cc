"""Shows a ranking and logs what was shown, in one statement: what may not be shown any more is left out by the database itself, the cards
are built there, and the log holds exactly what was answered. The learned ranker is made from this log."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import uuid
from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models.expressions import RawSQL
from django.utils import timezone

from accounts.models import User
from catalog.cards import RECOMMENDATION_CARD
from catalog.models import Opportunity
from core.models import new_id
from core.prepared import fetch_all
from profiling.enums import RecommendationBasis
from profiling.models import Serving

KEPT_DAYS = 180

# Losing the last moments of the log in a crash harms nobody, so nobody waits for the disk.
_SERVE = """
WITH allowed AS MATERIALIZED ({allowed}),
shown AS MATERIALIZED (
    SELECT asked.id, asked.place, asked.propensity, asked.terms, {card} AS card
    FROM unnest(%s::uuid[], %s::float[], %s::text[]) WITH ORDINALITY AS asked(id, propensity, terms, place)
    JOIN allowed ON allowed.id = asked.id
    JOIN catalog_opportunity AS row ON row.id = asked.id
    LEFT JOIN catalog_category AS category ON category.id = row.category_id
    ORDER BY asked.place LIMIT %s::int
),
logged AS (
    INSERT INTO profiling_serving (
        id, created_at, updated_at, user_id, ranker_version, basis, fallbacks, was_cached, milliseconds,
        opportunity_ids, propensities, terms
    )
    SELECT %s::uuid, now(), now(), %s::uuid, %s::int, %s, %s::varchar[], %s::bool, %s::int, page.ids, page.propensities, page.terms
    FROM (
        SELECT coalesce(array_agg(id ORDER BY place), '{{}}') AS ids,
            coalesce(array_agg(propensity ORDER BY place), '{{}}') AS propensities,
            coalesce(json_agg(terms::json ORDER BY place)::jsonb, '[]') AS terms
        FROM shown
    ) AS page, (SELECT set_config('synchronous_commit', 'off', true)) AS relaxed
    WHERE cardinality(page.ids) >= %s::int
    RETURNING id
)
SELECT place, card FROM shown WHERE EXISTS (SELECT FROM logged) ORDER BY place
"""


@dataclasses.dataclass(frozen=True)
class Place:
    """One place of a ranking: what stands there, how likely chance put it there, and the terms of its score as JSON."""

    opportunity_id: str
    propensity: float
    terms: str


@dataclasses.dataclass(frozen=True)
class Circumstances:
    """What is logged beside the places."""

    ranker_version: int
    basis: RecommendationBasis
    fallbacks: Sequence[str]
    was_cached: bool
    milliseconds: int


def serve(*, user: User, places: Sequence[Place], limit: int, circumstances: Circumstances, at_least: int = 0) -> list[tuple[int, str]]:
    """The first `limit` places that may still be shown to this person: (index, card as JSON), in order. Logs them. If fewer than `at_least`
    may be, nothing is logged and nothing returned."""
    ids = [place.opportunity_id for place in places]
    allowed, parameters = _allowed(user.pk, ids)
    seen = circumstances
    arguments = (
        *parameters,
        *(ids, [place.propensity for place in places], [place.terms for place in places], limit),
        *(new_id(), user.pk, seen.ranker_version, seen.basis, list(seen.fallbacks), seen.was_cached, seen.milliseconds, at_least),
    )
    return [(place - 1, card) for place, card in fetch_all(_statement(allowed), arguments)]


@functools.cache
def _statement(allowed: str) -> str:
    return _SERVE.format(allowed=allowed, card=RECOMMENDATION_CARD)


def _allowed(user_id: uuid.UUID, ids: Sequence[str]) -> tuple[str, list[Any]]:
    """SQL of the ids that may be shown. The rules are those of the queryset; they are compiled once, with stand-ins for person and ids."""
    sql, parameters = _template()
    values = {id(_SOMEBODY): user_id, id(_SOME): list(ids)}
    return sql, [values.get(id(parameter), parameter) for parameter in parameters]


_SOMEBODY = uuid.UUID(int=1)
_SOME: list[str] = []


@functools.cache
def _template() -> tuple[str, tuple[Any, ...]]:
    somebody = User(pk=_SOMEBODY)
    rows = Opportunity.objects.listed_for(somebody).untouched_by(somebody)
    among = RawSQL('"catalog_opportunity"."id" = ANY(%s::uuid[])', (_SOME,), output_field=models.BooleanField())
    sql, parameters = rows.filter(among).order_by().values("id").query.sql_with_params()
    # The values may have been copied on the way; nothing else in the rules is this person or an empty list.
    stand_ins = {repr(_SOMEBODY): _SOMEBODY, repr(_SOME): _SOME}
    return sql, tuple(stand_ins.get(repr(parameter), parameter) for parameter in parameters)


def prune_servings() -> int:
    """Forget what was shown longer ago than anybody learns from it."""
    return Serving.objects.filter(created_at__lt=timezone.now() - datetime.timedelta(days=KEPT_DAYS)).delete()[0]
