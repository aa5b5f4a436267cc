"""Why something is not recommended, and what would change that: a promise that was tried out, by running the real ranker on the profile
as it would be with the evidence."""

from __future__ import annotations

import dataclasses
import itertools
import uuid
from collections.abc import Iterable, Mapping, Sequence

from accounts.errors import ConsentRequired
from accounts.models import User
from ai.errors import EngineError
from catalog.models import Opportunity, Reaction
from core.errors import NotFound
from profiling.enums import ClaimKind, ClaimSource, ClaimState
from profiling.models import Claim
from profiling.services.candidates import allowed_for
from profiling.services.claims import linked_skills
from profiling.services.profile import profile_text, profile_vectors
from profiling.services.recommending import compute_ranking
from profiling.services.scoring import weights_of
from profiling.services.situation import Situation, situation_of
from profiling.services.states import state_of

# What a person looks at: the first page.
PAGE = 10
_MOST_SKILLS = 6
_MOST_PAIRS = 10


@dataclasses.dataclass(frozen=True)
class Counterfactual:
    """With evidence of these skills the opportunity would stand at this rank. No smaller set brings it as far."""

    skills: tuple[str, ...]
    rank: int


@dataclasses.dataclass(frozen=True)
class Standing:
    """Where an opportunity stands for a person. `rank` counts from 1 and is None if it is left out, or beyond the last place that is
    ranked; `left_out_because` says what keeps it out altogether."""

    rank: int | None
    ranked: int
    left_out_because: str = ""
    counterfactual: Counterfactual | None = None

    @property
    def text(self) -> str:
        """The answer in a sentence."""
        if self.left_out_because:
            return self.left_out_because
        place = f"It is your {ordinal(self.rank)} of {self.ranked}." if self.rank else f"It is not among your first {self.ranked}."
        if self.counterfactual is None:
            return place
        instead = ordinal(self.rank) if self.rank else "further down"
        skills = " and ".join(self.counterfactual.skills)
        return f"{place} With evidence of {skills} it would be {ordinal(self.counterfactual.rank)} instead of {instead}."


def standing_of(*, user: User, opportunity_id: uuid.UUID) -> Standing:
    """Where an opportunity stands for this person now, and what would bring it onto the first page, or else further up.

    Raises:
        NotFound: there is no such opportunity for this person.
    """
    situation = situation_of(user)
    left_out_because = _left_out_because(situation, opportunity_id)
    if left_out_because:
        return Standing(None, 0, left_out_because)
    weights = weights_of(state_of(user.pk).version)
    rank, ranked = _rank(situation, weights, opportunity_id)
    if rank is not None and rank <= PAGE:
        return Standing(rank, ranked)
    try:
        found = _what_would_help(situation, weights, opportunity_id, rank)
    except (EngineError, ConsentRequired):
        # Without the engine, or the person's consent to be profiled, nothing can be tried out, so nothing is promised.
        found = None
    return Standing(rank, ranked, counterfactual=found)


def _left_out_because(situation: Situation, opportunity_id: uuid.UUID) -> str:
    user = situation.user
    reaction = Reaction.objects.visible_to(user).filter(opportunity_id=opportunity_id).first()
    if not Opportunity.objects.listed_for(user).filter(pk=opportunity_id).exists():
        if reaction is None:
            raise NotFound
        return "It is not open any more."
    if reaction and reaction.applied_at:
        return "You have applied for it already."
    if reaction and reaction.dismissed_at:
        return "You dismissed it."
    if not allowed_for(situation).filter(pk=opportunity_id).exists():
        return "You want to work remotely only, and this is not remote."
    return ""


def _rank(situation: Situation, weights: Mapping[str, float], opportunity_id: uuid.UUID) -> tuple[int | None, int]:
    placed = compute_ranking(situation, weights).placed
    ranks = {found.scored.pk: number for number, found in enumerate(placed, start=1)}
    return ranks.get(opportunity_id), len(placed)


def _what_would_help(
    situation: Situation, weights: Mapping[str, float], opportunity_id: uuid.UUID, rank: int | None
) -> Counterfactual | None:
    """The smallest set of skills that brings it onto the first page: each skill alone is tried before any two together. If nothing does,
    the skill that brings it furthest up."""
    claims = _possible_evidence(situation, opportunity_id)
    alone = _tried(situation, weights, opportunity_id, [(claim,) for claim in claims])
    found = _best(alone)
    if found is None or found.rank > PAGE:
        together = _tried(situation, weights, opportunity_id, itertools.islice(itertools.combinations(claims, 2), _MOST_PAIRS))
        pair = _best(together)
        found = pair if pair is not None and pair.rank <= PAGE else found
    if found is None or (rank is not None and found.rank >= rank):
        return None
    return found


def _tried(
    situation: Situation, weights: Mapping[str, float], opportunity_id: uuid.UUID, sets: Iterable[Sequence[Claim]]
) -> list[Counterfactual]:
    tried = []
    for claims in sets:
        rank, _ = _rank(with_claims(situation, claims), weights, opportunity_id)
        if rank is not None:
            tried.append(Counterfactual(tuple(claim.label for claim in claims), rank))
    return tried


def _best(tried: Sequence[Counterfactual]) -> Counterfactual | None:
    return min(tried, key=lambda found: (found.rank, found.skills), default=None)


def _possible_evidence(situation: Situation, opportunity_id: uuid.UUID) -> list[Claim]:
    """The claims as they would be once proven: of skills that the opportunity asks for and the person has not proven yet. What the person
    rejected is not suggested to them."""
    links = Opportunity.skills.through.objects.filter(opportunity_id=opportunity_id)
    wanted = dict.fromkeys(links.order_by("id").values_list("skill__name", flat=True))
    held = {claim.label.lower(): claim for claim in Claim.objects.filter(user=situation.user, kind=ClaimKind.SKILL)}
    settled = {label for label, claim in held.items() if claim.state == ClaimState.REJECTED or claim.source == ClaimSource.VERIFIED}
    names = [name for name in wanted if name.lower() not in settled][:_MOST_SKILLS]
    skills = linked_skills(names, situation.user.pk)
    return [_proven(held.get(name.lower()), situation, name, skills.get(name)) for name in names]


def _proven(claim: Claim | None, situation: Situation, name: str, skill: object) -> Claim:
    """A copy of the claim, or a new one, as `verification.verify_claim` would leave it."""
    if claim is None:
        return Claim(user=situation.user, kind=ClaimKind.SKILL, label=name, skill=skill, source=ClaimSource.VERIFIED)
    return Claim(
        pk=claim.pk,
        user=situation.user,
        kind=claim.kind,
        label=claim.label,
        skill_id=claim.skill_id,
        quote=claim.quote,
        source=ClaimSource.VERIFIED,
    )


def with_claims(situation: Situation, added: Sequence[Claim]) -> Situation:
    """The situation as it would be with these claims, each in place of the one that has its key. The vector is made of the same texts in
    the same order as it would be then, so it is the same number by number."""
    replaced = {claim.pk for claim in added}
    claims = [claim for claim in situation.claims if claim.pk not in replaced]
    claims = sorted([*claims, *added], key=lambda claim: (claim.kind, -claim.confidence, claim.pk))
    text = profile_text(claims)
    vector, _ = profile_vectors(text, claims, user_id=situation.user.pk, model=situation.space.model)
    return dataclasses.replace(situation, claims=tuple(claims), text=text, vector=vector)


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
