"""A market in which learners look for mentors, to try out rankings before people meet them.

People are made of what no ranking sees: how good a mentor really is, how likely they say yes, what a learner would choose. Rankings see
what Soosh would: noisy closeness, shared skills, free time, stars and answers so far, room, and how often a mentor was shown.
"""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Callable, Sequence

from mentors.enums import MatchTerm as Term
from mentors.services.scoring import PRIOR_ACCEPTED, PRIOR_ANSWERED, demand_of, gini, score_of

_TOPICS = 12
_SHOWN = 10
_MEMORY_DAYS = 7
_SESSION_DAYS = 14


@dataclasses.dataclass(eq=False)
class Mentor:
    """One mentor: what they are, which is hidden, and what became known of them."""

    direction: tuple[float, ...]
    skills: frozenset[int]
    capacity: int
    quality: float
    yes: float
    is_new: bool
    answered: int = 0
    accepted: int = 0
    stars: list[int] = dataclasses.field(default_factory=list)
    busy_until: list[int] = dataclasses.field(default_factory=list)
    shown: list[tuple[int, float]] = dataclasses.field(default_factory=list)
    exposure: float = 0.0

    def room(self, day: int) -> int:
        return self.capacity - sum(until > day for until in self.busy_until)

    def demand(self, day: int) -> float:
        return sum(demand for seen, demand in self.shown if seen > day - _MEMORY_DAYS)


@dataclasses.dataclass(frozen=True)
class Learner:
    direction: tuple[float, ...]
    skills: frozenset[int]
    minimum: float


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a ranking did. `impact_ratio` is the mean exposure of new mentors over that of others (1 is even)."""

    learners: int
    requests: int
    accepted: int
    value: float
    exposure_gini: float
    impact_ratio: float


# A ranking gives each mentor with room a number, larger is better.
Ranking = Callable[[dict[Term, float], Mentor, int], float]


def two_sided(terms: dict[Term, float], mentor: Mentor, day: int) -> float:
    """The ranking that serves."""
    return score_of(terms, room=mentor.room(day), demand=mentor.demand(day)).total


def greedy(terms: dict[Term, float], mentor: Mentor, day: int) -> float:
    """The baseline: what the learner would like best, whatever becomes of it."""
    return score_of(terms, room=1, demand=0).wanting


def simulate(ranking: Ranking, *, seed: int, mentors: int = 150, learners_a_day: int = 25, days: int = 60) -> Outcome:
    """Run the market with one ranking. The same seed makes the same people, whatever the ranking."""
    chance = random.Random(seed)
    people = [_mentor(chance) for _ in range(mentors)]
    arrivals = [[_learner(chance) for _ in range(learners_a_day)] for _ in range(days)]
    requests = accepted = 0
    value = 0.0
    for day, learners in enumerate(arrivals):
        asked: list[tuple[Mentor, Learner]] = []
        for number, learner in enumerate(learners):
            own = random.Random(f"{seed} {day} {number}")
            chosen = _choose(own, learner, _shown_to(own, learner, people, ranking, day))
            if chosen is not None:
                asked.append((chosen, learner))
        requests += len(asked)
        for mentor, learner in asked:
            if _answer(random.Random(f"{seed} {day} {learner.minimum}"), mentor, learner, day):
                accepted += 1
                value += _worth(learner, mentor)
    new = [mentor.exposure for mentor in people if mentor.is_new]
    known = [mentor.exposure for mentor in people if not mentor.is_new]
    ratio = (sum(new) / len(new)) / (sum(known) / len(known))
    fairness = gini([mentor.exposure / mentor.capacity for mentor in people])
    return Outcome(learners_a_day * days, requests, accepted, value, fairness, ratio)


def _mentor(chance: random.Random) -> Mentor:
    # Some topics have more mentors, and not the same as have more learners.
    topic = min(int(chance.expovariate(0.35)), _TOPICS - 1)
    is_new = chance.random() < 0.3
    mentor = Mentor(
        direction=_direction(chance, topic),
        skills=_skills(chance, topic),
        capacity=chance.choice((1, 2, 2, 3, 3, 4, 6, 8)),
        quality=chance.gauss(0, 1),
        yes=chance.betavariate(5, 2),
        is_new=is_new,
    )
    if not is_new:
        mentor.answered = chance.randrange(3, 20)
        mentor.accepted = sum(chance.random() < mentor.yes for _ in range(mentor.answered))
        mentor.stars = [_stars(chance, mentor) for _ in range(mentor.accepted)]
    return mentor


def _learner(chance: random.Random) -> Learner:
    topic = min(int(chance.expovariate(0.25)), _TOPICS - 1)
    return Learner(_direction(chance, topic), _skills(chance, topic), chance.gauss(1.2, 0.4))


def _direction(chance: random.Random, topic: int) -> tuple[float, ...]:
    numbers = [chance.gauss(1.0 if place == topic else 0, 0.25) for place in range(_TOPICS)]
    length = math.hypot(*numbers)
    return tuple(number / length for number in numbers)


def _skills(chance: random.Random, topic: int) -> frozenset[int]:
    return frozenset(chance.sample(range(topic * 10, topic * 10 + 14), chance.randrange(2, 6)))


def _stars(chance: random.Random, mentor: Mentor) -> int:
    return max(1, min(5, round(4 + 0.7 * mentor.quality + chance.gauss(0, 0.7))))


def _closeness(learner: Learner, mentor: Mentor) -> float:
    return sum(one * other for one, other in zip(learner.direction, mentor.direction, strict=True))


def _shared(learner: Learner, mentor: Mentor) -> int:
    return len(learner.skills & mentor.skills)


def _worth(learner: Learner, mentor: Mentor) -> float:
    """What a match is worth to the learner, which nobody sees beforehand."""
    return 1.5 * _closeness(learner, mentor) + 0.4 * _shared(learner, mentor) + 0.4 * mentor.quality


def _terms(chance: random.Random, learner: Learner, mentor: Mentor) -> dict[Term, float]:
    """What is seen of a pair."""
    stars = (4 * 5 + sum(mentor.stars)) / (5 + len(mentor.stars))
    return {
        Term.MEANING: max(0.0, min(1.0, _closeness(learner, mentor) + chance.gauss(0, 0.1))),
        Term.SKILLS: min(1.0, _shared(learner, mentor) / 2),
        Term.EXPERIENCE: 0.5 if _shared(learner, mentor) else 0.0,
        Term.TIME: chance.random(),
        Term.PRACTICES: 0.0,
        Term.RATING: (stars - 1) / 4,
        Term.ACCEPTANCE: (mentor.accepted + PRIOR_ACCEPTED) / (mentor.answered + PRIOR_ANSWERED),
        Term.FOCUS: _shared(learner, mentor) / min(5, len(mentor.skills)),
    }


def _shown_to(chance: random.Random, learner: Learner, people: Sequence[Mentor], ranking: Ranking, day: int) -> list[Mentor]:
    # Who is full cannot be booked, so no ranking shows them.
    seen = [(mentor, _terms(chance, learner, mentor)) for mentor in people]
    rated = [(ranking(terms, mentor, day), place, mentor, terms) for place, (mentor, terms) in enumerate(seen) if mentor.room(day) > 0]
    best = sorted(rated, key=lambda each: (-each[0], each[1]))[:_SHOWN]
    for place, (_, _, mentor, terms) in enumerate(best, start=1):
        mentor.exposure += 1 / math.log2(1 + place)
        mentor.shown.append((day, demand_of(score_of(terms, room=1, demand=0).wanting, place)))
    return [mentor for _, _, mentor, _ in best]


def _choose(chance: random.Random, learner: Learner, shown: Sequence[Mentor]) -> Mentor | None:
    """The one that pleases most of those that are looked at, if any is good enough."""
    pleasing: list[tuple[float, int, Mentor]] = []
    for place, mentor in enumerate(shown, start=1):
        looks = chance.random() < 1 / math.log2(1 + place)
        pleases = _worth(learner, mentor) + chance.gauss(0, 0.3)
        if looks and pleases > learner.minimum:
            pleasing.append((pleases, place, mentor))
    return max(pleasing, key=lambda each: (each[0], -each[1]))[2] if pleasing else None


def _answer(chance: random.Random, mentor: Mentor, learner: Learner, day: int) -> bool:
    """Whether the mentor says yes: if there is room still, as is their way, and rather to what they do most."""
    fit = _shared(learner, mentor) / min(5, len(mentor.skills))
    is_accepted = mentor.room(day) > 0 and chance.random() < mentor.yes * (0.6 + 0.4 * fit)
    mentor.answered += 1
    if is_accepted:
        mentor.accepted += 1
        mentor.busy_until.append(day + _SESSION_DAYS)
        mentor.stars.append(_stars(chance, mentor))
    return is_accepted
