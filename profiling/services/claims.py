"""Writes what an answer told into claims. The person's own word is never touched by what an engine concludes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from ai.errors import EngineError
from ai.services.text import Mention, TurnResult
from catalog.models import Skill
from profiling.enums import ClaimKind, ClaimSource, ClaimState, SuggestionReason
from profiling.models import Answer, Claim
from profiling.services.distress import sounds_like_distress
from profiling.services.suggestions import suggest
from profiling.services.vocabulary import skills_named

MOST_CLAIMS_AN_ANSWER = 16
# From here on a claim stands until the person says otherwise; below, they are asked; lower still it is dropped.
SURE, WORTH_ASKING = 0.75, 0.25
_LINKED = (ClaimKind.SKILL, ClaimKind.INTEREST)
_LONGEST_LABEL = 300


def linked_skills(labels: Sequence[str], user_id: uuid.UUID) -> dict[str, Skill]:
    """The skills of the taxonomy behind labels; none while no engine can compare."""
    try:
        return skills_named(list(dict.fromkeys(labels)), user_id)
    except EngineError:
        return {}


def labels_to_link(result: TurnResult) -> list[str]:
    """The labels of a reading that may be skills of the taxonomy."""
    return [mention.label for mention in _counted(result) if mention.kind in _LINKED]


def store_mentions(answer: Answer, result: TurnResult, skills: dict[str, Skill]) -> list[Claim]:
    """Turn what was read into claims, in the order in which it was said, so that the last word counts. Needs an open transaction."""
    said = answer.text.lower()
    stored: dict[uuid.UUID, Claim] = {}
    for mention in sorted(_counted(result), key=lambda mention: said.find(mention.quote.lower())):
        if mention.is_denied:
            _take_back(answer, mention, skills)
            continue
        claim = _store(answer, mention, result, skills)
        if claim is not None:
            stored[claim.pk] = claim
    return [claim for claim in stored.values() if Claim.objects.filter(pk=claim.pk).exists()]


def store_choice(answer: Answer, labels: Sequence[str], kind: ClaimKind, skills: dict[str, Skill]) -> list[Claim]:
    """What a person chose from options is their own word. Needs an open transaction."""
    return [_store_own(answer, kind, label, ClaimState.ACTIVE, skills) for label in labels]


def settle_proposal(answer: Answer, labels: Sequence[str] | None, skills: dict[str, Skill]) -> list[Claim]:
    """End the doubt about a proposed claim: what was chosen stands; if nothing was, all of it is rejected; None leaves all open.

    Needs an open transaction.
    """
    proposal = answer.confirms
    if proposal is None or labels is None:
        return []
    kind = ClaimKind(proposal.kind)
    if not labels:
        for label in (proposal.label, *proposal.alternatives):
            _store_own(answer, kind, label, ClaimState.REJECTED, skills)
    elif proposal.label not in labels:
        proposal.delete()
        answer.confirms = None
    return store_choice(answer, labels, kind, skills)


def forget_answer(answer: Answer) -> None:
    """Undo what an answer told, before it is given anew. What the person edited since does not hang on it any more."""
    Claim.objects.filter(answer=answer).delete()


def _counted(result: TurnResult) -> Sequence[Mention]:
    """What of a reading may become claims. Words of crisis are met by people; nobody wants to read them as a goal."""
    return [mention for mention in result.mentions if not sounds_like_distress(mention.quote)][:MOST_CLAIMS_AN_ANSWER]


def _known(user_id: uuid.UUID, kind: str, label: str) -> Claim | None:
    return Claim.objects.filter(user_id=user_id, kind=kind, label__iexact=label).first()


def _label(mention: Mention, skills: dict[str, Skill]) -> str:
    skill = skills.get(mention.label) if mention.kind in _LINKED else None
    return (skill.name if skill else mention.label)[:_LONGEST_LABEL]


def _store(answer: Answer, mention: Mention, result: TurnResult, skills: dict[str, Skill]) -> Claim | None:
    if mention.confidence < WORTH_ASKING:
        return None
    user_id, label = answer.interview.user_id, _label(mention, skills)
    known = _known(user_id, mention.kind, label)
    if known is not None and (known.source != ClaimSource.INFERRED or known.confidence >= mention.confidence):
        return known if known.state == ClaimState.ACTIVE else None
    claim = known or Claim(user_id=user_id, kind=mention.kind, label=label)
    claim.source, claim.answer = ClaimSource.INFERRED, answer
    claim.state = ClaimState.ACTIVE if mention.confidence >= SURE else ClaimState.PROPOSED
    claim.skill = skills.get(mention.label) if mention.kind in _LINKED else None
    claim.quote, claim.confidence, claim.alternatives = mention.quote, mention.confidence, list(mention.alternatives)
    claim.engine, claim.model, claim.prompt = result.engine, result.model[:120], result.prompt
    claim.save()
    return claim


def _store_own(answer: Answer, kind: ClaimKind, label: str, state: ClaimState, skills: dict[str, Skill]) -> Claim:
    user_id = answer.interview.user_id
    claim = _known(user_id, kind, label) or Claim(user_id=user_id, kind=kind, label=label[:_LONGEST_LABEL])
    if claim.source != ClaimSource.VERIFIED:
        claim.source = ClaimSource.MINE
    claim.state, claim.confidence, claim.answer, claim.alternatives = state, 1.0, answer, []
    claim.skill = skills.get(label) or claim.skill if kind in _LINKED else None
    claim.save()
    return claim


def _take_back(answer: Answer, mention: Mention, skills: dict[str, Skill]) -> None:
    """Somebody says that it is not so. What an engine concluded goes; what they stated themselves stays until they decide."""
    known = _known(answer.interview.user_id, mention.kind, _label(mention, skills))
    if known is None or known.state == ClaimState.REJECTED:
        return
    if known.source == ClaimSource.INFERRED:
        known.delete()
    else:
        suggest(claim=known, reason=SuggestionReason.CONTRADICTION, quote=mention.quote)
