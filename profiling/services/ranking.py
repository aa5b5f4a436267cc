"""From scored candidates to the order in which they are shown: duplicates out, posters and categories mixed, some places by chance."""

from __future__ import annotations

import dataclasses
import hashlib
import random
import uuid
from collections import Counter, deque
from collections.abc import Iterable, Sequence

from profiling.enums import CandidateSource
from profiling.services.scoring import Scored
from profiling.services.situation import Situation

# Among any ten neighbours at most so many of one poster and of one category, as long as there are others.
_WINDOW = 10
_MOST_OF_A_POSTER = 3
_MOST_OF_A_CATEGORY = 6
# Every tenth place, from the fifth on, goes to something drawn from the source of chance.
_FIRST_CHANCE = 4
_CHANCE_EVERY = 10
LONGEST = 120


@dataclasses.dataclass(frozen=True)
class Placed:
    """A candidate at its place. `propensity` is the probability with which it got there: 1, or one over the number of those drawn from."""

    scored: Scored
    propensity: float = 1.0

    @property
    def is_by_chance(self) -> bool:
        return self.propensity < 1.0


def order(situation: Situation, scored: Sequence[Scored]) -> list[Placed]:
    """The order in which candidates are shown, at most `LONGEST`. The same for the same person on the same day."""
    waiting = _without_duplicates(scored)
    chance = random.Random(hashlib.sha256(f"{situation.user.pk} {situation.today}".encode()).digest())
    placed: list[Placed] = []
    window: deque[Scored] = deque(maxlen=_WINDOW - 1)
    while waiting and len(placed) < LONGEST:
        drawn = _draw(chance, waiting) if len(placed) % _CHANCE_EVERY == _FIRST_CHANCE else None
        chosen = drawn or Placed(_best_that_mixes(waiting, window))
        placed.append(chosen)
        window.append(chosen.scored)
        waiting.remove(chosen.scored)
    return placed


def _without_duplicates(scored: Iterable[Scored]) -> list[Scored]:
    """Of postings that say nearly the same only the best."""
    seen: set[str] = set()
    kept = []
    for found in scored:
        if found.origin not in seen:
            kept.append(found)
        seen |= {found.origin, f"d {found.pk}"}
    return kept


def _draw(chance: random.Random, waiting: Sequence[Scored]) -> Placed | None:
    """One of those that only chance named, so that what the ranker overlooks can show itself. None if there are fewer than two."""
    pool = sorted((found for found in waiting if found.candidate.sources == {CandidateSource.CHANCE}), key=lambda found: found.pk)
    if len(pool) < 2:
        return None
    return Placed(chance.choice(pool), 1 / len(pool))


def _best_that_mixes(waiting: Sequence[Scored], window: Iterable[Scored]) -> Scored:
    posters: Counter[str] = Counter()
    categories: Counter[uuid.UUID | None] = Counter()
    for found in window:
        posters[found.poster] += 1
        categories[found.category_id] += 1
    for found in waiting:
        full = found.category_id is not None and categories[found.category_id] >= _MOST_OF_A_CATEGORY
        if posters[found.poster] < _MOST_OF_A_POSTER and not full:
            return found
    return waiting[0]
