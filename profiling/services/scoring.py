"""The terms of a recommendation's score, computed for all candidates in one statement, and the rankers that weigh them."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import uuid
from collections.abc import Mapping, Sequence

from django.db import connection

from catalog.lexical import LexicalQuery
from core.querysets import vector_literal
from profiling.enums import RankerState, Term
from profiling.models import Ranker
from profiling.services.candidates import Candidate
from profiling.services.situation import Situation

TERMS = tuple(Term)
# Chosen by hand. Words and meaning weigh the same, as in search (docs/decisions/0005-fusion.md); the rest orders what both find.
RULE_WEIGHTS: dict[Term, float] = {
    Term.MEANING: 1.0,
    Term.WORDS: 1.0,
    Term.SKILLS: 0.5,
    Term.TASTE: 0.4,
    Term.DISTASTE: -0.3,
    Term.CATEGORY: 0.1,
    Term.PLACE: 0.15,
    Term.LANGUAGE: 0.1,
    Term.FRESH: 0.1,
    Term.URGENT: 0.05,
    Term.POPULAR: 0.05,
}
_FRESH_HALF_LIFE_DAYS = 10
_URGENT_HALF_LIFE_DAYS = 5
# So many others make an opportunity as popular as it gets.
_MOST_OTHERS = 100
# An opportunity that asks for one skill is not a full match because the person has that one.
_FEWEST_SKILLS = 2

# Ages are counted in whole days, so that a ranking stays the same for a day.
_TERMS = """
SELECT row.id, row.category_id,
    coalesce('o ' || row.posting_organisation_id, nullif('t ' || lower(btrim(row.organisation)), 't '), 'r ' || row.id) AS poster,
    coalesce('d ' || row.duplicate_of_id, 'd ' || row.id) AS origin,
    row.published_at,
    CASE WHEN row.{model} = %(model)s THEN coalesce(1 - (row.{vector} <=> %(vector)s::halfvec), 0) ELSE 0 END AS meaning,
    CASE WHEN %(best)s > 0 THEN coalesce(-(row.lexical_weights <#> %(words)s::sparsevec) / nullif(%(best)s, 0), 0) ELSE 0 END AS words,
    coalesce((
        SELECT sum(coalesce(own.strength, 0)) / greatest(count(*), %(fewest_skills)s)
        FROM catalog_opportunity_skills AS link
        LEFT JOIN unnest(%(skills)s::uuid[], %(strengths)s::float[]) AS own(id, strength) ON own.id = link.skill_id
        WHERE link.opportunity_id = row.id
    ), 0) AS skills,
    CASE WHEN row.{model} = %(model)s THEN coalesce(1 - (row.{vector} <=> %(liked)s::halfvec), 0) ELSE 0 END AS taste,
    CASE WHEN row.{model} = %(model)s THEN coalesce(1 - (row.{vector} <=> %(disliked)s::halfvec), 0) ELSE 0 END AS distaste,
    coalesce((
        SELECT share FROM unnest(%(categories)s::uuid[], %(shares)s::float[]) AS liked(id, share) WHERE liked.id = row.category_id
    ), 0) AS category,
    ((%(wants_remote)s AND row.is_remote IS TRUE) OR row.location ILIKE ANY(%(places)s::text[]))::int AS place,
    CASE WHEN row.language = '' OR cardinality(%(languages)s::text[]) = 0 THEN 0
        WHEN split_part(row.language, '-', 1) = ANY(%(languages)s::text[]) THEN 1 ELSE -1 END AS language,
    power(0.5, greatest(0, %(today)s::date - row.published_at::date)::float / %(fresh)s) AS fresh,
    CASE WHEN row.open_until IS NULL THEN 0
        ELSE power(0.5, greatest(0, row.open_until::date - %(today)s::date)::float / %(urgent)s) END AS urgent,
    least(1, ln(1 + (
        SELECT count(*) FROM catalog_reaction AS other
        WHERE other.opportunity_id = row.id AND other.user_id <> %(user)s AND (other.saved_at IS NOT NULL OR other.applied_at IS NOT NULL)
    )) / ln(1 + %(most_others)s)) AS popular
FROM catalog_opportunity AS row WHERE row.id = ANY(%(ids)s)
"""


@dataclasses.dataclass(frozen=True)
class Scored:
    """A candidate with the terms of its score, in the order of `Term`."""

    candidate: Candidate
    category_id: uuid.UUID | None
    poster: str
    origin: str
    published_at: datetime.datetime
    terms: tuple[float, ...]
    score: float

    @property
    def pk(self) -> uuid.UUID:
        return self.candidate.pk


def scored_candidates(
    situation: Situation, words: LexicalQuery | None, candidates: Sequence[Candidate], weights: Mapping[str, float]
) -> list[Scored]:
    """Every candidate with its terms and its score, best first; equals by age, newest first."""
    columns = situation.space.columns
    places = [f"%{place.translate(_ESCAPED)}%" for place in situation.places]
    skills, categories = situation.skills, situation.taste.categories
    parameters = {
        "model": situation.space.model,
        "vector": vector_literal(situation.vector) if situation.vector is not None else None,
        "words": words.weights if words else None,
        "best": words.best_score if words else 0.0,
        "skills": list(skills),
        "strengths": list(skills.values()),
        "fewest_skills": _FEWEST_SKILLS,
        "liked": situation.taste.liked,
        "disliked": situation.taste.disliked,
        "categories": list(categories),
        "shares": list(categories.values()),
        "wants_remote": situation.wants_remote,
        "places": places,
        "languages": situation.languages,
        "today": situation.today,
        "fresh": _FRESH_HALF_LIFE_DAYS,
        "urgent": _URGENT_HALF_LIFE_DAYS,
        "user": situation.user.pk,
        "most_others": _MOST_OTHERS,
        "ids": [candidate.pk for candidate in candidates],
    }
    by_key = {candidate.pk: candidate for candidate in candidates}
    with connection.cursor() as cursor:
        cursor.execute(_TERMS.format(model=columns.model, vector=columns.vector), parameters)
        rows = cursor.fetchall()
    scored = []
    for key, category_id, poster, origin, published_at, *values in rows:
        terms = tuple(round(float(value), 6) for value in values)
        score = round(sum(weights.get(term, 0.0) * value for term, value in zip(TERMS, terms, strict=True)), 6)
        scored.append(Scored(by_key[key], category_id, poster, origin, published_at, terms, score))
    return sorted(scored, key=lambda found: (-found.score, -found.published_at.timestamp(), found.pk.hex))


_ESCAPED = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})


def version_for(user_id: uuid.UUID, rankers: Sequence[tuple[int, str, int]]) -> int:
    """The version of the ranker that serves this person, of (version, state, share): the one in force, or, for a share of the people, the
    one that is being rolled out. 0, before any was learned, is the one whose weights were chosen by hand."""
    by_state = {state: (version, share) for version, state, share in rankers}
    version, share = by_state.get(RankerState.ROLLING_OUT, (0, 0))
    if draw_of(user_id, version) < share:
        return version
    return by_state.get(RankerState.IN_FORCE, (0, 100))[0]


def weights_of(version: int) -> Mapping[str, float]:
    """The weights of a ranker."""
    learned: dict[str, float] | None = Ranker.objects.filter(version=version).values_list("weights", flat=True).first() if version else None
    return learned or {str(term): weight for term, weight in RULE_WEIGHTS.items()}


def draw_of(user_id: uuid.UUID, version: int) -> int:
    """A number below a hundred that stays the same for a person as long as one ranker is rolled out."""
    return int(hashlib.sha256(f"{user_id} {version}".encode()).hexdigest()[:8], 16) % 100
