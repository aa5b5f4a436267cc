"""Opportunities for a person. The ranking is computed once and kept for a while; whether each one may still be shown is asked of the
database on every request, so nothing that was blocked, dismissed, erased or has expired is ever served from the cache."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from accounts.models import User
from ai.services.spaces import serving_space
from catalog.lexical import read_query
from catalog.models import Opportunity
from catalog.services.documents import digest
from core.cache import computed_once
from profiling.enums import ReasonKind, RecommendationBasis, Term
from profiling.models import Ranker
from profiling.services.candidates import allowed_for, find_candidates
from profiling.services.ranking import LONGEST, Placed, order
from profiling.services.reasons import Reason, reasons_for
from profiling.services.scoring import TERMS, ranker_for, scored_candidates
from profiling.services.servings import Shown, log_serving
from profiling.services.situation import Situation, Taste, situation_of

logger = structlog.get_logger(__name__)

# How long a ranking is kept, and so how soon what is new can appear in it.
_KEPT_SECONDS = 300
# What each step may take before the next, simpler one has its turn. The last step takes what it needs.
_BUDGETS_MS = {RecommendationBasis.PROFILE: 800, RecommendationBasis.WORDS: 400}
# Reasons are worked out for so many places first; a longer page works out all of them.
_SHORT = 30


@dataclasses.dataclass(frozen=True)
class Recommendation:
    """An opportunity as it is recommended to one person."""

    opportunity: Opportunity
    score: float
    reasons: tuple[Reason, ...]


@dataclasses.dataclass(frozen=True)
class Recommendations:
    """`basis` names what ranked; `fallbacks` the steps that were left out, and why."""

    basis: RecommendationBasis
    fallbacks: tuple[str, ...]
    recommendations: list[Recommendation]


@dataclasses.dataclass(frozen=True)
class Ranking:
    """A computed ranking: the weights that made it, and what is placed where."""

    basis: RecommendationBasis
    fallbacks: tuple[str, ...]
    situation: Situation
    placed: list[Placed]


def recommend_opportunities(*, user: User, limit: int) -> Recommendations:
    """The `limit` best open opportunities for a person, fewer only if there are no more. Logs what was shown."""
    started = time.perf_counter()
    ranker = ranker_for(user.pk)
    depth = _SHORT if 3 * limit <= 2 * _SHORT else LONGEST
    key = f"recommend:{user.pk}:{depth}:{ranker.version}:{_digest_of_versions(user)}"
    kept, was_cached = computed_once(key, lambda: _kept(user, ranker, depth), seconds=_KEPT_SECONDS)
    rows = _still_allowed(user, kept)
    if was_cached and len(rows) < limit and len(rows) < len(kept["entries"]):
        kept, was_cached = _kept(user, ranker, depth), False
        rows = _still_allowed(user, kept)
    entries = [entry for entry in kept["entries"] if entry["id"] in rows][:limit]
    shown = [Shown(uuid.UUID(entry["id"]), entry["propensity"], entry["terms"]) for entry in entries]
    basis, milliseconds = RecommendationBasis(kept["basis"]), round((time.perf_counter() - started) * 1000)
    log_serving(
        user_id=user.pk,
        ranker_version=ranker.version,
        basis=basis,
        fallbacks=kept["fallbacks"],
        was_cached=was_cached,
        milliseconds=milliseconds,
        shown=shown,
    )
    found = [Recommendation(rows[entry["id"]], entry["score"], _reasons(entry)) for entry in entries]
    return Recommendations(basis, tuple(kept["fallbacks"]), found)


def _reasons(entry: dict[str, Any]) -> tuple[Reason, ...]:
    return tuple(Reason(ReasonKind(kind), text, share) for kind, text, share in entry["reasons"])


_VERSIONS = """
SELECT
    (SELECT updated_at FROM profiling_profile WHERE user_id = %(user)s),
    (SELECT {hash} FROM profiling_profile WHERE user_id = %(user)s),
    (SELECT max(updated_at) FROM catalog_reaction WHERE user_id = %(user)s),
    (SELECT count(*) FROM catalog_reaction WHERE user_id = %(user)s),
    (SELECT updated_at FROM accounts_user WHERE id = %(user)s),
    current_date
"""


def _digest_of_versions(user: User) -> str:
    """What of the person a ranking depends on, and the day; when any of it changes a kept ranking is found no more."""
    space = serving_space()
    with connection.cursor() as cursor:
        cursor.execute(_VERSIONS.format(hash=space.columns.hash), {"user": user.pk})
        return digest(space.model, *map(str, cursor.fetchone()))


def _still_allowed(user: User, kept: dict[str, Any]) -> dict[str, Opportunity]:
    rows = Opportunity.objects.listed_for(user).untouched_by(user).filter(pk__in=[entry["id"] for entry in kept["entries"]])
    return {str(row.pk): row for row in rows.for_cards()}


def _kept(user: User, ranker: Ranker, depth: int) -> dict[str, Any]:
    """A ranking in the form in which it is kept."""
    ranking = compute_ranking(situation_of(user), ranker.weights)
    placed = ranking.placed[:depth]
    reasons = reasons_for(ranking.situation, placed, ranker.weights)
    entries = [
        {
            "id": str(found.scored.pk),
            "score": found.scored.score,
            "propensity": found.propensity,
            "terms": found.scored.terms,
            "reasons": [(reason.kind.value, reason.text, reason.share) for reason in reasons[found.scored.pk]],
        }
        for found in placed
    ]
    return {"basis": ranking.basis.value, "fallbacks": list(ranking.fallbacks), "entries": entries}


def compute_ranking(situation: Situation, weights: Mapping[str, float]) -> Ranking:
    """Rank for a situation, in steps of which each is simpler and surer than the one before: everything that is known; the words of the
    profile and the skills; what is new. A step that takes too long is left out by name."""
    fallbacks: list[str] = []
    for step in _steps(situation):
        budget = _BUDGETS_MS.get(step)
        reduced = _reduced(situation, step)
        try:
            with _time_limit(budget):
                placed = _ranked(reduced, weights)
        except _TookTooLong:
            logger.warning("recommendation step took too long", step=step)
            fallbacks.append(f"{step}: took more than {budget} ms")
            continue
        return Ranking(_basis(reduced, placed), tuple(fallbacks), reduced, placed)
    raise AssertionError("the last step has no limit")


def _steps(situation: Situation) -> Sequence[RecommendationBasis]:
    if situation.vector is not None or situation.taste.liked:
        return (RecommendationBasis.PROFILE, RecommendationBasis.WORDS, RecommendationBasis.NEWEST)
    return (RecommendationBasis.WORDS, RecommendationBasis.NEWEST) if situation.text else (RecommendationBasis.NEWEST,)


def _reduced(situation: Situation, step: RecommendationBasis) -> Situation:
    if step == RecommendationBasis.PROFILE:
        return situation
    without_vectors = dataclasses.replace(situation, vector=None, taste=Taste(categories=situation.taste.categories))
    return without_vectors if step == RecommendationBasis.WORDS else dataclasses.replace(without_vectors, text="")


def _ranked(situation: Situation, weights: Mapping[str, float]) -> list[Placed]:
    words = read_query(situation.text) if situation.text else None
    candidates = find_candidates(situation, words, rows=allowed_for(situation))
    return order(situation, scored_candidates(situation, words, candidates, weights))


def _basis(situation: Situation, placed: Sequence[Placed]) -> RecommendationBasis:
    """What really ranked: a profile that nothing matches has not."""
    if not situation.text:
        return RecommendationBasis.TASTE if situation.taste.liked else RecommendationBasis.NEWEST
    matching = [TERMS.index(term) for term in (Term.MEANING, Term.WORDS, Term.SKILLS, Term.TASTE)]
    if not any(found.scored.terms[index] > 0 for found in placed for index in matching):
        return RecommendationBasis.NEWEST
    return RecommendationBasis.PROFILE if situation.vector is not None else RecommendationBasis.WORDS


class _TookTooLong(Exception):
    """A step went over its budget."""


@contextmanager
def _time_limit(milliseconds: int | None) -> Iterator[None]:
    """A transaction in which no statement runs for longer."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if milliseconds is not None:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", (str(milliseconds),))
            yield
            if milliseconds is not None:
                # Inside a transaction of the caller the setting would outlive this one.
                cursor.execute("SELECT set_config('statement_timeout', '0', true)")
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise _TookTooLong from error
        raise
