"""Which opportunities are considered for a person: several sources, each with its own idea of what could fit, in one statement."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import Count
from django.db.models.expressions import RawSQL

from catalog.lexical import LexicalQuery
from catalog.models import Opportunity
from catalog.querysets import OpportunityQuerySet
from profiling.enums import CandidateSource
from profiling.services.situation import Situation

Source = CandidateSource
# How many each source may name.
_POOLS = {Source.MEANING: 150, Source.WORDS: 120, Source.SKILLS: 80, Source.TASTE: 60, Source.FRESH: 40, Source.CHANCE: 40}


@dataclasses.dataclass(frozen=True)
class Candidate:
    """An opportunity and the sources that named it."""

    pk: uuid.UUID
    sources: frozenset[Source]


def allowed_for(situation: Situation) -> OpportunityQuerySet:
    """What may be recommended at all: listed for the person, not dismissed, not applied for, and within their constraints. A remote-only
    person is not shown what is known not to be remote."""
    rows = Opportunity.objects.listed_for(situation.user).untouched_by(situation.user)
    return rows.exclude(is_remote=False) if situation.wants_remote else rows


def find_candidates(situation: Situation, words: LexicalQuery | None, *, rows: OpportunityQuerySet) -> list[Candidate]:
    """The candidates of every source that has something to go by. Always the same for the same person on the
    same day, as long as neither their profile nor the catalogue changes."""
    legs = {
        Source.MEANING: _meaning(situation, rows),
        Source.WORDS: _words(words, rows),
        Source.SKILLS: _skills(situation, rows),
        Source.TASTE: _taste(situation, rows),
        Source.FRESH: rows.order_by("-published_at", "-pk").values("pk"),
        Source.CHANCE: _chance(situation, rows),
    }
    parts: list[str] = []
    parameters: list[Any] = []
    for source, leg in legs.items():
        for part in leg if isinstance(leg, list) else [leg]:
            sql = _sql(part, _POOLS[source])
            if sql is not None:
                parts.append(f"SELECT leg.pk, '{source}' AS source FROM ({sql[0]}) AS leg(pk)")
                parameters += sql[1]
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pk, array_agg(DISTINCT source) FROM ({' UNION ALL '.join(parts)}) AS named GROUP BY pk", parameters)
        return [Candidate(key, frozenset(map(Source, sources))) for key, sources in cursor.fetchall()]


def _sql(leg: models.QuerySet[Any, Any] | None, limit: int) -> tuple[str, Sequence[Any]] | None:
    if leg is None:
        return None
    try:
        return leg[:limit].query.sql_with_params()
    except EmptyResultSet:
        # Django knows without asking that nothing matches.
        return None


def _nearest(rows: OpportunityQuerySet, situation: Situation, literal: Callable[[], Sequence[float]]) -> models.QuerySet[Any, Any]:
    space = situation.space
    exact = rows.is_scanned_exactly(space.columns, space.model)
    return rows.nearest_first(literal(), model=space.model, exact=exact, columns=space.columns).values("pk")


def _meaning(situation: Situation, rows: OpportunityQuerySet) -> models.QuerySet[Any, Any] | None:
    vector = situation.vector
    return _nearest(rows, situation, lambda: vector) if vector is not None else None


def _taste(situation: Situation, rows: OpportunityQuerySet) -> models.QuerySet[Any, Any] | None:
    liked = situation.taste.liked
    return _nearest(rows, situation, lambda: json.loads(liked)) if liked else None


def _words(words: LexicalQuery | None, rows: OpportunityQuerySet) -> models.QuerySet[Any, Any] | None:
    return rows.matching_words(words).values("pk") if words is not None and words.candidates else None


def _skills(situation: Situation, rows: OpportunityQuerySet) -> models.QuerySet[Any, Any] | None:
    skills = situation.skills
    if not skills:
        return None
    shared = rows.filter(skills__in=list(skills)).values("pk").annotate(shared=Count("skills", distinct=True))
    return shared.order_by("-shared", "-pk").values("pk")


def _chance(situation: Situation, rows: OpportunityQuerySet) -> list[models.QuerySet[Any, Any]]:
    """A stretch of the order of digests from a point that the person and the day give; from its start too, if the point is near its end."""
    point = hashlib.sha256(f"{situation.user.pk} {situation.today}".encode()).hexdigest()
    ordered = rows.exclude(content_hash="").order_by("content_hash", "pk")
    half = RawSQL('"catalog_opportunity"."content_hash" >= %s', (point,), output_field=models.BooleanField())
    return [ordered.filter(half).values("pk"), ordered.exclude(half).values("pk")]
