"""What to ask next: the question from whose answer most is to be expected, and when to stop.

The expected gain of a question is `weight x (1 - known) x chance`: the share of a good match that hangs on the slot, times how much of
the slot is still unknown, times the chance that this person tells something when asked this way. `known` is 1 - product(1 - share x
confidence) over the claims of the slot. Asking about one doubtful claim gains its share times 4c(1-c), which is 1 where it is as likely
wrong as right and 0 where it is sure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from profiling.enums import AnswerMeaning, ClaimSource, ClaimState, QuestionKind, Slot
from profiling.models import Answer, Claim
from profiling.services.questions import NONE_OF_THESE, PLANS, SLOT_OF_KIND, SLOTS

MOST_QUESTIONS = 16
MOST_CONFIRMATIONS = 4
# Of what an interview of the past told only half is taken as known: people change, and they chose to talk again.
_OLD_CLAIMS_COUNT = 0.5
# The chance to be told something: at first asking; asked once more after an answer that told something, or nothing; and when the
# question only has to be confirmed.
_CHANCE_FIRST, _CHANCE_MORE, _CHANCE_AGAIN, _CHANCE_CONFIRM = 0.9, 0.45, 0.6, 0.95
_MOST_ASKED_PER_SLOT = 2
# A question that is worth less than this is not worth the person's time.
_LEAST_GAIN = 0.025


@dataclasses.dataclass(frozen=True)
class Proposal:
    """A question that could be asked, and what is to be expected of it."""

    slot: Slot
    gain: float
    text: str
    kind: QuestionKind
    options: tuple[str, ...] = ()
    claim: Claim | None = None


def next_question(answers: Sequence[Answer], claims: Sequence[Claim]) -> Proposal | None:
    """The best question to ask now; None when enough is known. `claims` are all of the person's."""
    if len(answers) >= MOST_QUESTIONS:
        return None
    proposals = _proposals(answers, claims)
    best = max(proposals, key=lambda proposal: proposal.gain, default=None)
    if best is None or (best.gain < _LEAST_GAIN and answers):
        return None
    return best


def progress_of(answers: Sequence[Answer], claims: Sequence[Claim]) -> float:
    """How much of what can be gained was gained, 0..1, two decimals."""
    if next_question(answers, claims) is None:
        return 1.0
    left = sum(proposal.gain for proposal in _proposals(answers, claims) if proposal.gain >= _LEAST_GAIN)
    return round(min(0.99, max(0.0, 1 - left / _CHANCE_FIRST)), 2)


def _proposals(answers: Sequence[Answer], claims: Sequence[Claim]) -> list[Proposal]:
    known = {slot: _known(slot, answers, claims) for slot in SLOTS}
    about_slots = [proposal for slot in SLOTS if (proposal := _about_slot(slot, known[slot], answers)) is not None]
    if sum(answer.question_kind == QuestionKind.CONFIRM for answer in answers) >= MOST_CONFIRMATIONS:
        return about_slots
    doubtful = [claim for claim in claims if claim.state == ClaimState.PROPOSED and not _was_asked_about(claim, answers)]
    return [*about_slots, *(_about_claim(claim, known[SLOT_OF_KIND[claim.kind]]) for claim in doubtful)]


def _known(slot: Slot, answers: Sequence[Answer], claims: Sequence[Claim]) -> float:
    if any(answer.slot == slot and answer.meaning == AnswerMeaning.NOTHING for answer in answers):
        return 1.0
    mine = {answer.pk for answer in answers}
    unknown = 1.0
    for claim in claims:
        if claim.kind == PLANS[slot].kind and claim.state == ClaimState.ACTIVE:
            is_fresh = claim.answer_id in mine or claim.source != ClaimSource.INFERRED
            unknown *= 1 - PLANS[slot].claim_share * claim.confidence * (1 if is_fresh else _OLD_CLAIMS_COUNT)
    return 1 - unknown


def _about_slot(slot: Slot, known: float, answers: Sequence[Answer]) -> Proposal | None:
    asked = [answer for answer in answers if answer.slot == slot and answer.question_kind != QuestionKind.CONFIRM]
    plan = PLANS[slot]
    if len(asked) >= _MOST_ASKED_PER_SLOT or any(answer.meaning == AnswerMeaning.SKIPPED for answer in asked):
        return None
    if not asked:
        return Proposal(slot, plan.weight * (1 - known) * _CHANCE_FIRST, plan.question, QuestionKind.TEXT)
    chance = _CHANCE_MORE if known > 0 else _CHANCE_AGAIN
    kind = QuestionKind.CHOICE if plan.options else QuestionKind.TEXT
    return Proposal(slot, plan.weight * (1 - known) * chance, plan.follow_up, kind, plan.options)


def _about_claim(claim: Claim, known: float) -> Proposal:
    slot = SLOT_OF_KIND[claim.kind]
    plan = PLANS[slot]
    doubt = 4 * claim.confidence * (1 - claim.confidence)
    options = tuple(dict.fromkeys((claim.label, *claim.alternatives, NONE_OF_THESE)))
    text = f"You said: “{claim.quote}” Which of these fits?"
    gain = plan.weight * plan.claim_share * doubt * (1 - known / 2) * _CHANCE_CONFIRM
    return Proposal(slot, gain, text, QuestionKind.CONFIRM, options, claim)


def _was_asked_about(claim: Claim, answers: Sequence[Answer]) -> bool:
    return any(answer.confirms_id == claim.pk for answer in answers)
