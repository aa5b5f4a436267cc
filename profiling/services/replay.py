"""How a ranker would have done on what was shown: inverse propensity scoring on the log (Joachims, Swaminathan, Schnabel 2017), one vote a
person, with guards for who gets exposure and for what people dismiss."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy

from profiling.services.examples import Page
from profiling.services.scoring import TERMS

# How likely somebody looks at a place: 1 / place ** 0.5. A weaker fall than often measured on the web, so that late yeses are not blown up.
_EXAMINATION_FALL = 0.5
_TOP = 5
_RESAMPLES = 1_000
# A new ranker may cost the posters' spread of exposure and new opportunities no more than this share, and raise dismissals by no more.
_EXPOSURE_KEPT = 0.95
_DISMISSALS_RAISED = 1.05


@dataclasses.dataclass(frozen=True)
class Replay:
    """`before` and `after` are mean IPS-DCG per person; `gain_at_least` the lower end of the 95 % interval of their difference."""

    people: int
    before: float
    after: float
    gain_at_least: float
    spread_before: float
    spread_after: float
    new_before: float
    new_after: float
    new_is_surely_less: bool
    dismissed_before: float
    dismissed_after: float

    def objections(self) -> list[str]:
        """Why this ranker must not be adopted; empty if nothing speaks against it."""
        found = []
        if self.gain_at_least <= 0:
            found.append("It is not surely better on replay.")
        if self.spread_after < _EXPOSURE_KEPT * self.spread_before:
            found.append("Exposure would be spread over fewer posters.")
        if self.new_is_surely_less:
            found.append("What is new would be shown less.")
        if self.dismissed_after > _DISMISSALS_RAISED * self.dismissed_before:
            found.append("People would be shown more of what they dismiss.")
        return found


def examination(places: int) -> numpy.ndarray:
    """How likely somebody looks at each place."""
    return numpy.arange(1, places + 1, dtype=float) ** -_EXAMINATION_FALL


def replay(pages: Sequence[Page], *, before: Mapping[str, float], after: Mapping[str, float], seed: int) -> Replay:
    """Rank each page anew with both sets of weights and compare."""
    columns = [numpy.array([weights.get(term, 0.0) for term in TERMS]) for weights in (before, after)]
    gains: list[dict[object, list[float]]] = [defaultdict(list), defaultdict(list)]
    exposure: list[Counter[str]] = [Counter(), Counter()]
    new: list[list[float]] = [[], []]
    dismissed = [0.0, 0.0]
    for page in pages:
        ips = page.gains / examination(len(page.gains))
        for side, weights in enumerate(columns):
            ranks = numpy.argsort(-(page.terms @ weights), kind="stable")
            discounts = 1 / numpy.log2(numpy.arange(2, len(ranks) + 2))
            if page.gains.any():
                gains[side][page.user_id].append(float(ips[ranks] @ discounts))
            top = ranks[:_TOP]
            for place, discount in zip(top, discounts, strict=False):
                exposure[side][page.posters[place]] += discount
            new[side].append(float(page.is_new[top] @ discounts[: len(top)]))
            dismissed[side] += float((page.dismissed / examination(len(page.gains)))[ranks] @ discounts)
    new_lost = _EXPOSURE_KEPT * numpy.array(new[0]) - numpy.array(new[1])
    means = [numpy.array([numpy.mean(values) for values in side.values()]) for side in gains]
    return Replay(
        people=len(means[0]),
        before=_mean(means[0]),
        after=_mean(means[1]),
        gain_at_least=_lower_end(means[1] - means[0], seed),
        spread_before=_entropy(exposure[0]),
        spread_after=_entropy(exposure[1]),
        new_before=sum(new[0]),
        new_after=sum(new[1]),
        new_is_surely_less=_lower_end(new_lost, seed) > 0,
        dismissed_before=dismissed[0],
        dismissed_after=dismissed[1],
    )


def _mean(values: numpy.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def _lower_end(differences: numpy.ndarray, seed: int) -> float:
    """The 2.5th percentile of the mean difference over bootstrap samples."""
    if not len(differences):
        return 0.0
    chance = numpy.random.default_rng(seed)
    samples = chance.integers(0, len(differences), (_RESAMPLES, len(differences)))
    return float(numpy.percentile(differences[samples].mean(axis=1), 2.5))


def _entropy(exposure: Mapping[str, float]) -> float:
    """Shannon entropy of the shares of exposure, in bits."""
    total = sum(exposure.values()) or 1.0
    return -sum(part / total * math.log2(part / total) for part in exposure.values() if part > 0)
