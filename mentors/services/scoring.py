"""The score of a match: would the learner want this mentor, would the mentor say yes, and how many others are led there already.

Two-sided scores that mind capacity follow Su et al., "Optimizing rankings for recommendation in matching markets" (arXiv 2106.01941): what
counts is the chance of a match, not of a click, and a place in a list is worth less with a mentor to whom many were sent. Pure functions,
so that the simulator tries out the very ones that serve.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

from mentors.enums import MatchTerm as Term

# Chosen by hand, and tried out with `manage.py simulate_matches`. Each side sums to 1, so that both are shares of the most that there is.
WANTING: Mapping[Term, float] = {
    Term.MEANING: 0.35,
    Term.SKILLS: 0.25,
    Term.EXPERIENCE: 0.05,
    Term.TIME: 0.15,
    Term.PRACTICES: 0.1,
    Term.RATING: 0.1,
}
ACCEPTING: Mapping[Term, float] = {Term.ACCEPTANCE: 0.6, Term.FOCUS: 0.4}
# Before a mentor has answered, they are taken to have accepted so many of so many requests.
PRIOR_ACCEPTED, PRIOR_ANSWERED = 3.5, 5
# Of people who were shown a mentor that they would want for sure, and at the first place, so many ask.
_ASKING = 0.2


@dataclasses.dataclass(frozen=True)
class Score:
    """`wanting` and `accepting` lie in 0..1; `total` is their product, lessened by how crowded the mentor is."""

    wanting: float
    accepting: float
    total: float


def score_of(terms: Mapping[Term, float], *, room: int, demand: float) -> Score:
    """The score of a match. `terms` lie in 0..1; `room` is how many more people the mentor takes, at least 1; `demand` is what `demand_of`
    says about those to whom the mentor was shown lately."""
    wanting = sum(weight * terms[term] for term, weight in WANTING.items())
    accepting = sum(weight * terms[term] for term, weight in ACCEPTING.items())
    crowding = room / (room + _ASKING * demand)
    return Score(wanting, accepting, round(wanting * accepting * crowding, 6))


def demand_of(wanting: float, place: int) -> float:
    """How much of a mentor's room it takes to be shown to somebody at a place, from 1 on: the further down, the fewer look."""
    return wanting / math.log2(1 + place)


def shares_of(terms: Mapping[Term, float]) -> list[tuple[Term, float]]:
    """The terms that speak for a match with their shares of all that do, largest first. Both sides count as much."""
    parts = [(term, weight * terms[term]) for weights in (WANTING, ACCEPTING) for term, weight in weights.items()]
    total = sum(part for _, part in parts)
    return sorted(((term, part / total) for term, part in parts if part > 0), key=lambda pair: (-pair[1], pair[0]))


def gini(exposures: Sequence[float]) -> float:
    """How unequally something is spread: 0 for all the same, towards 1 for all to one."""
    ordered = sorted(exposures)
    total, number = sum(ordered), len(ordered)
    if not total:
        return 0.0
    return sum((2 * place - number - 1) * value for place, value in enumerate(ordered, start=1)) / (number * total)
