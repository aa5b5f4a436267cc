"""Shows a ranking and logs what was shown, in one statement: what may not be shown any more is left out by the database itself, the cards
are built there, and the log holds exactly what was answered. The learned ranker is made from this log."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import json
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
from profiling.services.ranking import Placed
from profiling.services.states import STATE

KEPT_DAYS = 180

# Losing the last moments of the log in a crash harms nobody, so nobody waits for the disk. The row without a place says that it was logged.
_SERVE = """
WITH allowed AS MATERIALIZED ({allowed}),
shown AS MATERIALIZED (
    SELECT asked.id, asked.place, asked.propensity, asked.terms, {card} AS card
    FROM unnest(%(ids)s::uuid[], %(propensities)s::float[], %(terms)s::text[]) WITH ORDINALITY AS asked(id, propensity, terms, place)
    JOIN allowed ON allowed.id = asked.id
    JOIN catalog_opportunity AS row ON row.id = asked.id
    LEFT JOIN catalog_category AS category ON category.id = row.category_id
    WHERE %(state)s::text IS NULL OR %(state)s::text = (SELECT {state})
    ORDER BY asked.place LIMIT %(limit)s::int
),
logged AS (
    INSERT INTO profiling_serving (
        id, created_at, updated_at, user_id, ranker_version, basis, fallbacks, was_cached, milliseconds,
        opportunity_ids, propensities, terms
    )
    SELECT %(key)s::uuid, now(), now(), %(user)s::uuid, %(version)s::int, %(basis)s, %(fallbacks)s::varchar[], %(was_cached)s::bool,
        %(milliseconds)s::int, page.ids, page.propensities, page.terms
    FROM (
        SELECT coalesce(array_agg(id ORDER BY place), '{{}}') AS ids,
            coalesce(array_agg(propensity ORDER BY place), '{{}}') AS propensities,
            coalesce(json_agg(terms::json ORDER BY place)::jsonb, '[]') AS terms
        FROM shown
    ) AS page, (SELECT set_config('synchronous_commit', 'off', true)) AS relaxed
    WHERE cardinality(page.ids) >= %(at_least)s::int
    RETURNING 0
)
SELECT place, card FROM shown WHERE EXISTS (SELECT FROM logged) UNION ALL SELECT 0, '' FROM logged ORDER BY 1
"""


@dataclasses.dataclass(frozen=True)
class Places:
    """The places of a ranking: what stands there, how likely chance put it there, and the terms of its score as JSON, as PostgreSQL writes
    arrays: it is kept in the form in which it is sent."""

    opportunity_ids: str
    propensities: str
    terms: str

    @classmethod
    def of(cls, placed: Sequence[Placed]) -> Places:
        # None of these texts holds a quotation mark or a backslash.
        columns = (
            [str(found.scored.pk) for found in placed],
            [str(found.propensity) for found in placed],
            [f'"{json.dumps(found.scored.terms)}"' for found in placed],
        )
        return cls(*("{" + ",".join(column) + "}" for column in columns))


@dataclasses.dataclass(frozen=True)
class Circumstances:
    """What is logged beside the places."""

    ranker_version: int
    basis: RecommendationBasis
    fallbacks: Sequence[str]
    was_cached: bool
    milliseconds: int


def serve(
    *, user: User, places: Places, limit: int, circumstances: Circumstances, requires: tuple[str, int] | None = None
) -> list[tuple[int, str]] | None:
    """The first `limit` places that may still be shown to this person: (index, card as JSON), in order. Logs them. None, and nothing is
    logged, if a state and a number of places are required and this is not the state or fewer may be shown."""
    state, at_least = requires or (None, 0)
    seen = circumstances
    parameters = _template()[1] | {
        "user": user.pk,
        "ids": places.opportunity_ids,
        "propensities": places.propensities,
        "terms": places.terms,
        "state": state,
        "limit": limit,
        "key": new_id(),
        "version": seen.ranker_version,
        "basis": seen.basis.value,
        "fallbacks": list(seen.fallbacks),
        "was_cached": seen.was_cached,
        "milliseconds": seen.milliseconds,
        "at_least": at_least,
    }
    rows = fetch_all(_statement(), parameters)
    return [(place - 1, card) for place, card in rows[1:]] if rows else None


@functools.cache
def _statement() -> str:
    return _SERVE.format(allowed=_template()[0], card=RECOMMENDATION_CARD, state=STATE)


@functools.cache
def _template() -> tuple[str, dict[str, Any]]:
    """SQL of the ids that may be shown, over the parameters `user` and `ids`, and the values of its further parameters. The rules are those
    of the queryset; they are compiled once, with stand-ins for person and ids."""
    somebody, some = User(pk=uuid.UUID(int=1)), ["stand-in"]
    rows = Opportunity.objects.listed_for(somebody).untouched_by(somebody)
    among = RawSQL('"catalog_opportunity"."id" = ANY(%s::uuid[])', (some,), output_field=models.BooleanField())
    sql, parameters = rows.filter(among).order_by().values("id").query.sql_with_params()
    names = {repr(somebody.pk): "user", repr(some): "ids"}
    constants = {f"constant_{number}": value for number, value in enumerate(parameters) if repr(value) not in names}
    placeholders = [f"%({names.get(repr(value), f'constant_{number}')})s" for number, value in enumerate(parameters)]
    return sql % tuple(placeholders), constants


def prune_servings() -> int:
    """Forget what was shown longer ago than anybody learns from it."""
    return Serving.objects.filter(created_at__lt=timezone.now() - datetime.timedelta(days=KEPT_DAYS)).delete()[0]
