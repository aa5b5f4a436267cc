from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence

from django.db import connection

from accounts.models import User
from ai.services.spaces import serving_space
from catalog.models import Opportunity
from catalog.querysets import OpportunityQuerySet
from core.vectors import Columns
from profiling.enums import ClaimKind, ClaimSource, ClaimState, ReasonKind, RecommendationBasis, SuggestionReason
from profiling.models import Claim, Profile, Suggestion
from profiling.services.questions import MATCHED_BY_MEANING, REMOTE_ONLY

# A claim is named as a reason only if it really lies near to the opportunity.
_NEAR_ENOUGH = 0.3
_MOST_REASONS = 3


@dataclasses.dataclass(frozen=True)
class Reason:
    """Why something is recommended, in plain words."""

    kind: ReasonKind
    text: str


@dataclasses.dataclass(frozen=True)
class Recommendation:
    """An opportunity as it is recommended to one person."""

    opportunity: Opportunity
    score: float
    reasons: tuple[Reason, ...]


@dataclasses.dataclass(frozen=True)
class Recommendations:
    """`basis` names the step that ranked: the whole profile, its words alone, or nothing but age."""

    basis: RecommendationBasis
    recommendations: list[Recommendation]


@dataclasses.dataclass(frozen=True)
class ProfileView:
    """What is held about a person now; empty before the first interview."""

    summary: str
    claims: list[Claim]
    unconfirmed: list[Claim]


def profile_of(user: User) -> ProfileView:
    """A person's profile with its claims; two queries."""
    profile = Profile.objects.visible_to(user).only("summary").first()
    claims = list(Claim.objects.visible_to(user).exclude(state=ClaimState.REJECTED).defer("embedding", "twin_embedding"))
    return ProfileView(
        profile.summary if profile else "",
        [claim for claim in claims if claim.state == ClaimState.ACTIVE],
        [claim for claim in claims if claim.state == ClaimState.PROPOSED],
    )


def suggestions_for(user: User) -> list[Suggestion]:
    """What a person is asked to look at again; at most one."""
    return list(Suggestion.objects.visible_to(user).open().select_related("claim").defer("claim__embedding", "claim__twin_embedding"))


def why(suggestion: Suggestion) -> str:
    """The reason for a suggestion as a sentence for the person."""
    label = suggestion.claim.label
    if suggestion.reason == SuggestionReason.CONTRADICTION:
        return f"Your profile says “{label}”, but you said: “{suggestion.quote}” Is it still so?"
    return f"You told us “{label}” on {suggestion.claim.updated_at:%d %B %Y}. Is it still so?"


def recommendations_for(user: User, *, limit: int) -> Recommendations:
    """Open opportunities that fit a person, best first. The same number of queries, whatever the size of profile and answer."""
    profile = Profile.objects.visible_to(user).first()
    claims = list(Claim.objects.visible_to(user).active())
    rows = _allowed(Opportunity.objects.listed_for(user).untouched_by(user), claims)
    if profile is None or not profile.text:
        return _newest(rows, limit)
    space = serving_space()
    model, columns = space.model, space.columns
    stored = getattr(profile, columns.vector) if getattr(profile, columns.model) == model else None
    vector = list(stored) if stored is not None else None
    hits = rows.ranked_for(vector, model=model, columns=columns, text=profile.text, limit=limit)
    if not hits:
        return _newest(rows, limit)
    reasons = reasons_for(hits, claims, model=model, columns=columns)
    basis = RecommendationBasis.PROFILE if vector is not None else RecommendationBasis.WORDS
    return Recommendations(basis, [Recommendation(hit, hit.score, tuple(reasons[hit.pk])) for hit in hits])


def _allowed(rows: OpportunityQuerySet, claims: Sequence[Claim]) -> OpportunityQuerySet:
    """Without what the person's constraints rule out."""
    constraints = {claim.label for claim in claims if claim.kind == ClaimKind.CONSTRAINT}
    return rows.exclude(is_remote=False) if REMOTE_ONLY in constraints else rows


def _newest(rows: OpportunityQuerySet, limit: int) -> Recommendations:
    reason = Reason(ReasonKind.NEWEST, "It is new. Tell us about yourself, and we will find what fits you.")
    found = [Recommendation(row, 0.0, (reason,)) for row in rows.for_cards().order_by("-id")[:limit]]
    return Recommendations(RecommendationBasis.NEWEST, found)


def reasons_for(hits: Sequence[Opportunity], claims: Sequence[Claim], *, model: str, columns: Columns) -> dict[uuid.UUID, list[Reason]]:
    """For each hit what really matched: shared skills, words of a claim that stand in it, and the claim nearest in meaning."""
    named = _claims_named_in(hits, claims)
    near = _nearest_claims(hits, claims, model, columns)
    return {hit.pk: _reasons(hit, claims, named.get(hit.pk, []), near.get(hit.pk)) for hit in hits}


def _reasons(hit: Opportunity, claims: Sequence[Claim], named: list[Claim], near: Claim | None) -> list[Reason]:
    skill_ids = {skill.id for skill in hit.skills.all()}
    shared = [claim for claim in claims if claim.skill_id in skill_ids]
    reasons = [Reason(ReasonKind.SKILL, f"It is about {claim.label}, which is one of your strengths or interests.") for claim in shared]
    told = {claim.pk for claim in shared}
    reasons += [Reason(ReasonKind.WORDS, f"It mentions “{claim.label}”, as you did.") for claim in named if claim.pk not in told]
    told |= {claim.pk for claim in named}
    if near is not None and near.pk not in told:
        reasons.append(Reason(ReasonKind.MEANING, f"It is close in meaning to what you said: “{near.quote or near.label}”"))
    if not reasons:
        reasons.append(Reason(ReasonKind.MEANING, "Taken as a whole, it is close to what you told us."))
    return reasons[:_MOST_REASONS]


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


def _claims_named_in(hits: Sequence[Opportunity], claims: Sequence[Claim]) -> dict[uuid.UUID, list[Claim]]:
    by_id = {claim.pk: claim for claim in claims if claim.kind in (ClaimKind.SKILL, ClaimKind.INTEREST) and _is_own_word(claim)}
    found: dict[uuid.UUID, list[Claim]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_NAMED, ([*by_id], [claim.label for claim in by_id.values()], [hit.pk for hit in hits]))
        for row_id, claim_id in cursor.fetchall():
            found.setdefault(row_id, []).append(by_id[claim_id])
    return found


def _is_own_word(claim: Claim) -> bool:
    """A label that the taxonomy lent is not a word that the person used."""
    return claim.source == ClaimSource.MINE or claim.label.lower() in claim.quote.lower()


def _nearest_claims(hits: Sequence[Opportunity], claims: Sequence[Claim], model: str, columns: Columns) -> dict[uuid.UUID, Claim]:
    by_id = {claim.pk: claim for claim in claims if claim.kind in MATCHED_BY_MEANING}
    sql = _NEAREST.format(model=columns.model, vector=columns.vector)
    with connection.cursor() as cursor:
        cursor.execute(sql, ([*by_id], [hit.pk for hit in hits], model, _NEAR_ENOUGH))
        return {row_id: by_id[claim_id] for row_id, claim_id in cursor.fetchall()}
