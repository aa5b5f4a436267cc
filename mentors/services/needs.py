"""What somebody needs to take part, and which practices of mentors answer it."""

from __future__ import annotations

from collections.abc import Mapping

from mentors.enums import AccessibilityPractice as Practice
from profiling.enums import ClaimKind
from profiling.services.situation import Situation

_ANSWERS: Mapping[str, Practice] = {
    "screen reader": Practice.SCREEN_READER,
    "captions": Practice.CAPTIONS,
    "sign language": Practice.SIGN_LANGUAGE,
    "more time": Practice.SLOW_PACE,
    "plain language": Practice.PLAIN_LANGUAGE,
    "breaks": Practice.BREAKS,
}


def needed_practices(situation: Situation) -> list[str]:
    """Those that the person would need of a mentor; what only concerns places and devices is left out."""
    needs = {claim.label for claim in situation.claims if claim.kind == ClaimKind.ACCESS_NEED}
    return sorted(_ANSWERS[need].value for need in needs if need in _ANSWERS)
