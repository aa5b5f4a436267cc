"""Why a mentor is a match: the terms of the score, the largest first, in plain words. Nothing is said that did not count."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Mapping, Sequence

from mentors.enums import AccessibilityPractice
from mentors.enums import MatchTerm as Term
from mentors.models import MentorProfile, MentorSkill
from mentors.services.matching import Match
from mentors.services.needs import needed_practices
from mentors.services.scoring import shares_of
from mentors.services.standing import answering_of, rating_of
from profiling.services.situation import Situation

_MOST_REASONS = 4
# A term is told only if it makes at least this share of all that speaks for the match. What somebody needs to take part is always told.
_SMALLEST_SHARE = 0.05


@dataclasses.dataclass(frozen=True)
class Reason:
    """Why somebody is a match. `share` is how much of what speaks for it this term makes, 0..1."""

    term: Term
    text: str
    share: float


@dataclasses.dataclass(frozen=True)
class _Told:
    """What the sentences about one mentor are made of."""

    profile: MentorProfile
    skills: Sequence[MentorSkill]
    practices: Sequence[str]


def reasons_for(situation: Situation, matches: Sequence[Match], cards: Mapping[uuid.UUID, MentorProfile]) -> dict[uuid.UUID, list[Reason]]:
    """The reasons of each match whose card is there; no queries beyond those of the cards."""
    needed = needed_practices(situation)
    found = {}
    for match in matches:
        profile = cards.get(match.profile_id)
        if profile is not None:
            shared = [link for link in profile.skill_links.all() if link.skill_id in situation.skills]
            told = _Told(profile, shared, [practice for practice in needed if practice in profile.accessibility_practices])
            found[match.profile_id] = _reasons(match, told)
    return found


def _reasons(match: Match, told: _Told) -> list[Reason]:
    reasons = []
    for term, share in shares_of(match.terms):
        is_told = share >= _SMALLEST_SHARE or term == Term.PRACTICES
        text = _WORDING[term](told) if is_told else ""
        if text:
            reasons.append(Reason(term, text, round(share, 4)))
    # A stable sort: needs first, then as they were; what is left is told by share.
    chosen = sorted(reasons, key=lambda reason: reason.term != Term.PRACTICES)[:_MOST_REASONS]
    return sorted(chosen, key=lambda reason: -reason.share)


def _skills(told: _Told) -> str:
    return f"They pass on {_listed([link.skill.name for link in told.skills])}, which you named." if told.skills else ""


def _experience(told: _Told) -> str:
    link = max((link for link in told.skills if link.years), key=lambda link: link.years or 0, default=None)
    return f"They have {link.years} years of {link.skill.name}." if link else ""


def _practices(told: _Told) -> str:
    names = [AccessibilityPractice(practice).label for practice in told.practices]
    return f"They offer what you need: {_listed(names)}." if names else ""


def _rating(told: _Told) -> str:
    rating = rating_of(told.profile)
    return f"People give them {rating.stars} of 5 stars, in {rating.number} reviews." if rating else ""


def _acceptance(told: _Told) -> str:
    answering = answering_of(told.profile)
    return f"They said yes to {answering.acceptance:.0%} of {answering.number} requests lately." if answering else ""


def _listed(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


_WORDING: dict[Term, Callable[[_Told], str]] = {
    Term.MEANING: lambda told: "Taken as a whole, what they do is close to what you told us.",
    Term.SKILLS: _skills,
    Term.EXPERIENCE: _experience,
    Term.TIME: lambda told: "They have time when you do.",
    Term.PRACTICES: _practices,
    Term.RATING: _rating,
    Term.ACCEPTANCE: _acceptance,
    Term.FOCUS: lambda told: "It is what they do most." if told.skills else "",
}
