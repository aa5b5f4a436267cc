"""Opportunities for a person. The ranking is computed once and kept for a while; whether each one may still be shown is asked of the
database on every request, so nothing that was blocked, dismissed, erased or has expired is ever served from the cache."""

from __future__ import annotations

import dataclasses
import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from accounts.models import User
from catalog.lexical import read_query
from core.cache import computed_once, kept_value
from profiling.enums import ReasonKind, RecommendationBasis, Term
from profiling.services.candidates import allowed_for, find_candidates
from profiling.services.ranking import LONGEST, Placed, order
from profiling.services.reasons import Reason, reasons_for
from profiling.services.scoring import TERMS, scored_candidates, weights_of
from profiling.services.servings import Circumstances, Places, serve
from profiling.services.situation import Situation, Taste, situation_of
from profiling.services.states import State, state_of

logger = structlog.get_logger(__name__)

# How long a ranking is kept, and so how soon what is new can appear in it.
_KEPT_SECONDS = 300
# What each step may take before the next, simpler one has its turn. The last step takes what it needs.
_BUDGETS_MS = {RecommendationBasis.PROFILE: 800, RecommendationBasis.WORDS: 400}
# Reasons are worked out for so many places first; a longer page works out all of them.
_SHORT = 30


@dataclasses.dataclass(frozen=True)
class Recommendation:
    """An opportunity as it is recommended to one person. `card` is its JSON object, `told` the one with score and reasons."""

    pk: uuid.UUID
    card: str
    told: str

    @property
    def fields(self) -> dict[str, Any]:
        """The members of the card."""
        found: dict[str, Any] = json.loads(self.card)
        return found

    @property
    def score(self) -> float:
        """What it was ranked by; comparable within one answer only."""
        return float(json.loads(self.told)["score"])

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What speaks for it, the strongest first."""
        told = json.loads(self.told)["reasons"]
        return tuple(Reason(ReasonKind(reason["kind"]), reason["text"], reason["share"]) for reason in told)


@dataclasses.dataclass(frozen=True)
class Recommendations:
    """`basis` names what ranked; `fallbacks` the steps that were left out, and why."""

    basis: RecommendationBasis
    fallbacks: tuple[str, ...]
    recommendations: list[Recommendation]

    def as_json(self) -> str:
        """The answer of the API."""
        cards = ",".join(f"{found.card[:-1]},{found.told[1:]}" for found in self.recommendations)
        fallbacks = json.dumps(self.fallbacks)
        return f'{{"basis":"{self.basis.value}","fallbacks":{fallbacks},"recommendations":[{cards}]}}'


@dataclasses.dataclass(frozen=True)
class Ranking:
    """A computed ranking: the weights that made it, and what is placed where."""

    basis: RecommendationBasis
    fallbacks: tuple[str, ...]
    situation: Situation
    placed: list[Placed]


def recommend_opportunities(*, user: User, limit: int) -> Recommendations:
    """The `limit` best open opportunities for a person, fewer only if there are no more. Logs what was shown.

    A kept ranking is shown by one statement, which also checks that it is of the present state. If it is not, or if so much of it may not
    be shown any more that the page would have a hole, the ranking is made anew."""
    started = time.perf_counter()
    depth = _SHORT if 3 * limit <= 2 * _SHORT else LONGEST
    key = f"recommend:{user.pk}:{depth}"
    kept = kept_value(key)
    if kept is not None:
        page = _served(user, kept, limit, _circumstances(kept, True, started), requires=(kept["state"], min(limit, len(kept["ids"]))))
        if page is not None:
            return page
    state, spent = state_of(user.pk), kept and kept["made"]
    kept, was_cached = computed_once(
        key,
        lambda: _kept(user, state, depth),
        seconds=_KEPT_SECONDS,
        is_good=lambda kept: kept["state"] == state.text and kept["made"] != spent,
    )
    page = _served(user, kept, limit, _circumstances(kept, was_cached, started))
    assert page is not None, "nothing was required"
    return page


def _circumstances(kept: dict[str, Any], was_cached: bool, started: float) -> Circumstances:
    milliseconds = round((time.perf_counter() - started) * 1000)
    return Circumstances(kept["version"], RecommendationBasis(kept["basis"]), kept["fallbacks"], was_cached, milliseconds)


def _served(
    user: User, kept: dict[str, Any], limit: int, circumstances: Circumstances, requires: tuple[str, int] | None = None
) -> Recommendations | None:
    page = serve(user=user, places=Places(**kept["places"]), limit=limit, circumstances=circumstances, requires=requires)
    if page is None:
        return None
    recommendations = [Recommendation(kept["ids"][index], card, kept["told"][index]) for index, card in page]
    return Recommendations(circumstances.basis, tuple(kept["fallbacks"]), recommendations)


def _kept(user: User, state: State, depth: int) -> dict[str, Any]:
    """A ranking in the form in which it is kept."""
    weights = weights_of(state.version)
    ranking = compute_ranking(situation_of(user), weights)
    placed = ranking.placed[:depth]
    reasons = reasons_for(ranking.situation, placed, weights)
    return {
        "made": uuid.uuid4().hex,
        "state": state.text,
        "version": state.version,
        "basis": ranking.basis.value,
        "fallbacks": list(ranking.fallbacks),
        "ids": [found.scored.pk for found in placed],
        "places": dataclasses.asdict(Places.of(placed)),
        "told": [_told(found.scored.score, reasons[found.scored.pk]) for found in placed],
    }


def _told(score: float, reasons: Sequence[Reason]) -> str:
    rows = [{"kind": reason.kind.value, "text": reason.text, "share": reason.share} for reason in reasons]
    return json.dumps({"score": score, "reasons": rows})


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
