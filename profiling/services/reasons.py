"""Why something is recommended: the weighted terms of its score, the largest first, in plain words. Nothing is said that did not count."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Mapping, Sequence

from django.db import connection

from catalog.models import Opportunity
from profiling.enums import ClaimKind, ClaimSource, ReasonKind, Term
from profiling.models import Claim
from profiling.services.questions import MATCHED_BY_MEANING
from profiling.services.ranking import Placed
from profiling.services.scoring import TERMS, Scored
from profiling.services.situation import Situation

# A claim is named as a reason only if it really lies near to the opportunity.
_NEAR_ENOUGH = 0.3
_MOST_REASONS = 3
# A term is told only if it makes at least this share of all that speaks for the opportunity.
_SMALLEST_SHARE = 0.05


@dataclasses.dataclass(frozen=True)
class Reason:
    """Why something is recommended. `share` is how much of what speaks for it this term makes, 0..1."""

    kind: ReasonKind
    text: str
    share: float = 0.0


@dataclasses.dataclass(frozen=True)
class _Evidence:
    """What is needed to put the terms of some opportunities into words."""

    named: dict[uuid.UUID, list[Claim]]
    nearest: dict[uuid.UUID, Claim]
    shared: dict[uuid.UUID, list[Claim]]
    rows: dict[uuid.UUID, Opportunity]


def reasons_for(situation: Situation, placed: Sequence[Placed], weights: Mapping[str, float]) -> dict[uuid.UUID, list[Reason]]:
    """The reasons of each placed opportunity; four queries."""
    keys = [found.scored.pk for found in placed]
    rows = Opportunity.objects.filter(pk__in=keys).select_related("category")
    evidence = _Evidence(
        named=_claims_named_in(keys, situation.claims),
        nearest=_nearest_claims(keys, situation),
        shared=_claims_shared_with(keys, situation.claims),
        rows={row.pk: row for row in rows.only("is_remote", "location", "deadline_on", "ends_on", "category__name")},
    )
    return {found.scored.pk: _reasons(found, situation, evidence, weights) for found in placed}


def shares_of(scored: Scored, weights: Mapping[str, float]) -> list[tuple[Term, float]]:
    """The terms that speak for an opportunity with their shares of the sum of all that do, largest first."""
    parts = [(term, weights.get(term, 0.0) * value) for term, value in zip(TERMS, scored.terms, strict=True)]
    positive = [(term, part) for term, part in parts if part > 0]
    total = sum(part for _, part in positive)
    return sorted(((term, part / total) for term, part in positive), key=lambda pair: -pair[1])


def _reasons(placed: Placed, situation: Situation, evidence: _Evidence, weights: Mapping[str, float]) -> list[Reason]:
    shares = dict(shares_of(placed.scored, weights))
    # The most exact wording of a claim is the one that is told, whichever term it made most of.
    told: set[uuid.UUID] = set()
    spoken = {term: say(placed.scored, situation, evidence, told) for term, say in _WORDING.items() if term in shares}
    reasons = [
        Reason(kind, text, round(share, 4))
        for number, (term, share) in enumerate(shares.items())
        if share >= _SMALLEST_SHARE or number == 0
        for kind, text in spoken[term]
    ]
    if placed.is_by_chance:
        reasons.insert(0, Reason(ReasonKind.CHANCE, "Chosen by chance, so that we learn what else may interest you."))
    if not reasons:
        reasons.append(Reason(ReasonKind.MEANING, "Taken as a whole, it is close to what you told us."))
    return reasons[:_MOST_REASONS]


Sentences = list[tuple[ReasonKind, str]]


def _say_skills(scored: Scored, situation: Situation, evidence: _Evidence, told: set[uuid.UUID]) -> Sentences:
    shared = evidence.shared.get(scored.pk, [])
    told |= {claim.pk for claim in shared}
    return [(ReasonKind.SKILL, _skill_sentence(claim)) for claim in shared]


def _skill_sentence(claim: Claim) -> str:
    if claim.source == ClaimSource.VERIFIED:
        return f"It is about {claim.label}, which you have proven."
    return f"It is about {claim.label}, which is one of your strengths or interests."


def _say_words(scored: Scored, situation: Situation, evidence: _Evidence, told: set[uuid.UUID]) -> Sentences:
    named = [claim for claim in evidence.named.get(scored.pk, []) if claim.pk not in told]
    told |= {claim.pk for claim in named}
    return [(ReasonKind.WORDS, f"It mentions “{claim.label}”, as you did.") for claim in named]


def _say_meaning(scored: Scored, situation: Situation, evidence: _Evidence, told: set[uuid.UUID]) -> Sentences:
    near = evidence.nearest.get(scored.pk)
    if near is None or near.pk in told:
        return []
    told.add(near.pk)
    return [(ReasonKind.MEANING, f"It is close in meaning to what you said: “{near.quote or near.label}”")]


def _say_taste(scored: Scored, situation: Situation, evidence: _Evidence, told: set[uuid.UUID]) -> Sentences:
    return [(ReasonKind.TASTE, "It is like what you saved, opened or applied for.")]


def _say_category(scored: Scored, situation: Situation, evidence: _Evidence, told: set[uuid.UUID]) -> Sentences:
    category = evidence.rows[scored.pk].category
    return [(ReasonKind.TASTE, f"It belongs to {category.name}, like others that you chose.")] if category else []


def _say_place(scored: Scored, situation: Situation, evidence: _Evidence, told: set[uuid.UUID]) -> Sentences:
    row = evidence.rows[scored.pk]
    if situation.wants_remote and row.is_remote:
        return [(ReasonKind.PLACE, "It can be done remotely, as you want it.")]
    return [(ReasonKind.PLACE, f"It is where you are: {row.location}.")]


def _say_language(scored: Scored, situation: Situation, evidence: _Evidence, told: set[uuid.UUID]) -> Sentences:
    return [(ReasonKind.LANGUAGE, "It is in a language that you speak.")]


def _say_fresh(scored: Scored, situation: Situation, evidence: _Evidence, told: set[uuid.UUID]) -> Sentences:
    if situation.text or situation.taste.liked:
        return [(ReasonKind.NEWEST, "It is new.")]
    return [(ReasonKind.NEWEST, "It is new. Tell us about yourself, and we will find what fits you.")]


def _say_urgent(scored: Scored, situation: Situation, evidence: _Evidence, told: set[uuid.UUID]) -> Sentences:
    row = evidence.rows[scored.pk]
    day = min(day for day in (row.deadline_on, row.ends_on) if day)
    return [(ReasonKind.URGENT, f"It ends soon: {day:%d %B %Y}.")]


def _say_popular(scored: Scored, situation: Situation, evidence: _Evidence, told: set[uuid.UUID]) -> Sentences:
    return [(ReasonKind.POPULAR, "Others saved it or applied for it.")]


def _say_nothing(scored: Scored, situation: Situation, evidence: _Evidence, told: set[uuid.UUID]) -> Sentences:
    return []


_WORDING: dict[Term, Callable[[Scored, Situation, _Evidence, set[uuid.UUID]], Sentences]] = {
    Term.SKILLS: _say_skills,
    Term.WORDS: _say_words,
    Term.MEANING: _say_meaning,
    Term.TASTE: _say_taste,
    # Its weight is negative, so it never speaks for anything.
    Term.DISTASTE: _say_nothing,
    Term.CATEGORY: _say_category,
    Term.PLACE: _say_place,
    Term.LANGUAGE: _say_language,
    Term.FRESH: _say_fresh,
    Term.URGENT: _say_urgent,
    Term.POPULAR: _say_popular,
}

_NAMED = """
SELECT row.id, claim.id
FROM catalog_opportunity AS row
CROSS JOIN unnest(%s::uuid[], %s::text[]) AS claim(id, label)
WHERE row.id = ANY(%s) AND row.search_vector @@ phraseto_tsquery('soosh', claim.label)
"""
_NEAREST = """
SELECT DISTINCT ON (row.id) row.id, claim.id
FROM catalog_opportunity AS row JOIN profiling_claim AS claim ON claim.id = ANY(%s) AND claim.{model} = row.{model}
WHERE row.id = ANY(%s) AND row.{model} = %s AND 1 - (row.{vector} <=> claim.{vector}) >= %s
ORDER BY row.id, row.{vector} <=> claim.{vector}
"""


def _claims_named_in(keys: Sequence[uuid.UUID], claims: Sequence[Claim]) -> dict[uuid.UUID, list[Claim]]:
    by_id = {claim.pk: claim for claim in claims if claim.kind in (ClaimKind.SKILL, ClaimKind.INTEREST) and _is_own_word(claim)}
    found: dict[uuid.UUID, list[Claim]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_NAMED, ([*by_id], [claim.label for claim in by_id.values()], list(keys)))
        for row_id, claim_id in cursor.fetchall():
            found.setdefault(row_id, []).append(by_id[claim_id])
    return found


def _is_own_word(claim: Claim) -> bool:
    """A label that the taxonomy lent is not a word that the person used."""
    return claim.source == ClaimSource.MINE or claim.label.lower() in claim.quote.lower()


def _nearest_claims(keys: Sequence[uuid.UUID], situation: Situation) -> dict[uuid.UUID, Claim]:
    by_id = {claim.pk: claim for claim in situation.claims if claim.kind in MATCHED_BY_MEANING}
    space = situation.space
    sql = _NEAREST.format(model=space.columns.model, vector=space.columns.vector)
    with connection.cursor() as cursor:
        cursor.execute(sql, ([*by_id], list(keys), space.model, _NEAR_ENOUGH))
        return {row_id: by_id[claim_id] for row_id, claim_id in cursor.fetchall()}


def _claims_shared_with(keys: Sequence[uuid.UUID], claims: Sequence[Claim]) -> dict[uuid.UUID, list[Claim]]:
    by_skill = {claim.skill_id: claim for claim in claims if claim.skill_id and claim.kind in (ClaimKind.SKILL, ClaimKind.INTEREST)}
    links = Opportunity.skills.through.objects.filter(opportunity_id__in=keys, skill_id__in=list(by_skill))
    found: dict[uuid.UUID, list[Claim]] = {}
    for row_id, skill_id in links.order_by("id").values_list("opportunity_id", "skill_id"):
        found.setdefault(row_id, []).append(by_skill[skill_id])
    return found
