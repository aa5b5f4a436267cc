"""Learns the weights of the ranker from what people did, and adopts them only if they are surely better."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from core.locks import only_here
from profiling.enums import RankerState, Term
from profiling.errors import NothingToRollBackTo, TrainingIsRunning
from profiling.models import Ranker
from profiling.services.examples import Page, pages_of_the_log, suspicious_people
from profiling.services.replay import examination, replay
from profiling.services.scoring import RULE_WEIGHTS, TERMS

# The older part of the log is learned from, the newer part judges.
_LEARNED_SHARE = 0.7
_FEWEST_PEOPLE = 50
# More than this share of all yeses by people who are no ordinary readers: somebody is pushing, and nothing is learned from such a log.
_MOST_SUSPICIOUS = 0.2
_LOUDEST = 10.0
FIRST_SHARE = 10


@dataclasses.dataclass(frozen=True)
class Log:
    """The part to learn from, the part to judge by, and what was left out."""

    learned: Sequence[Page]
    judged: Sequence[Page]
    suspicious: int
    suspicious_share: float


def retrain_ranker(*, seed: int = 1, at_once: bool = False) -> Ranker:
    """Learn a ranker and keep it with its report. If nothing speaks against it, it is rolled out to a first share of the people, or put in
    force at once; otherwise it is kept as refused, with the reasons.

    Raises:
        TrainingIsRunning: elsewhere, right now.
    """
    with only_here("profiling.retrain_ranker") as is_ours:
        if not is_ours:
            raise TrainingIsRunning
        log = _log()
        before = _in_force()
        objections = _objections_to(log)
        weights = dict(before.weights) if objections else _learn(log.learned, seed)
        report: dict[str, object] = {
            "pages_learned_from": len(log.learned),
            "pages_judged_by": len(log.judged),
            "suspicious_people": log.suspicious,
            "suspicious_share_of_yeses": round(log.suspicious_share, 4),
            "compared_with": before.version,
        }
        if not objections:
            outcome = replay(log.judged, before=before.weights, after=weights, seed=seed)
            objections = _too_few(outcome.people) or outcome.objections()
            report["replay"] = {name: round(value, 6) for name, value in dataclasses.asdict(outcome).items()}
        return _keep(weights, report | {"objections": objections}, at_once=at_once)


def _in_force() -> Ranker:
    found = Ranker.objects.filter(state=RankerState.IN_FORCE).first()
    return found or Ranker(version=0, weights=dict(RULE_WEIGHTS), state=RankerState.IN_FORCE)


def _log() -> Log:
    pages = pages_of_the_log()
    suspicious = suspicious_people(pages)
    yes = [sum(float(page.gains.sum()) for page in pages if (page.user_id in suspicious) is side) for side in (True, False)]
    kept = [page for page in pages if page.user_id not in suspicious]
    cut = int(len(kept) * _LEARNED_SHARE)
    return Log(kept[:cut], kept[cut:], len(suspicious), yes[0] / (sum(yes) or 1.0))


def _objections_to(log: Log) -> list[str]:
    if log.suspicious_share > _MOST_SUSPICIOUS:
        return [f"{log.suspicious_share:.0%} of all yeses come from people who do not read like people."]
    return _too_few(len({page.user_id for page in log.learned if page.gains.any()}))


def _too_few(people: int) -> list[str]:
    return [] if people >= _FEWEST_PEOPLE else [f"Only {people} people reacted; {_FEWEST_PEOPLE} are needed."]


def _learn(pages: Sequence[Page], seed: int) -> dict[str, float]:
    """Logistic regression of yes or no on the terms. A yes at a place where few look counts for more, a no there for less; each person has
    one vote. No term may turn around: dislike only ever speaks against, the others only for."""
    # Costs a second to import, and only training needs it.
    from sklearn.linear_model import LogisticRegression

    terms = numpy.concatenate([page.terms for page in pages])
    yes = numpy.concatenate([page.gains > 0 for page in pages])
    model = LogisticRegression(C=10.0, max_iter=500, random_state=seed)
    model.fit(terms, yes, sample_weight=_votes(pages))
    return _scaled(dict(zip(TERMS, model.coef_[0], strict=True)))


def _votes(pages: Sequence[Page]) -> numpy.ndarray:
    loud = []
    for page in pages:
        looked_at = examination(len(page.gains))
        said_no = numpy.where(page.dismissed > 0, 1.0, looked_at)
        loud.append(numpy.where(page.gains > 0, numpy.minimum(page.gains / looked_at, _LOUDEST), said_no))
    whole: defaultdict[object, float] = defaultdict(float)
    for page, votes in zip(pages, loud, strict=True):
        whole[page.user_id] += float(votes.sum())
    mean = sum(whole.values()) / len(whole)
    return numpy.concatenate([votes * mean / whole[page.user_id] for page, votes in zip(pages, loud, strict=True)])


def _scaled(weights: Mapping[Term, float]) -> dict[str, float]:
    """Without signs that make no sense, and as large as those chosen by hand, so that scores stay comparable to the eye."""
    sensible = {term: min(weight, 0.0) if term == Term.DISTASTE else max(weight, 0.0) for term, weight in weights.items()}
    largest = max(abs(weight) for weight in sensible.values()) or 1.0
    return {str(term): round(float(weight) / largest * max(RULE_WEIGHTS.values()), 6) for term, weight in sensible.items()}


def _keep(weights: dict[str, float], report: dict[str, object], *, at_once: bool) -> Ranker:
    with transaction.atomic():
        # A newer one takes the place of one that is still being rolled out.
        version = (Ranker.objects.aggregate(newest=Max("version"))["newest"] or 0) + 1
        if report["objections"]:
            return Ranker.objects.create(version=version, weights=weights, state=RankerState.REFUSED, share=0, report=report)
        Ranker.objects.filter(state=RankerState.ROLLING_OUT).update(state=RankerState.STOPPED, share=0)
        ranker = Ranker.objects.create(version=version, weights=weights, state=RankerState.ROLLING_OUT, share=FIRST_SHARE, report=report)
        if at_once:
            put_in_force(ranker)
        return ranker


def put_in_force(ranker: Ranker) -> None:
    """Let a ranker serve everybody; the one before stands by. Needs an open transaction."""
    Ranker.objects.filter(state=RankerState.STANDBY).update(state=RankerState.STOPPED)
    Ranker.objects.filter(state=RankerState.IN_FORCE).update(state=RankerState.STANDBY)
    ranker.state, ranker.share, ranker.in_force_since = RankerState.IN_FORCE, 100, timezone.now()
    ranker.save()


def roll_back_ranker() -> int:
    """Take back the ranker that is being rolled out, or else the one in force. The one before serves again; before the first learned one
    that is the one whose weights were chosen by hand. Returns the version that serves now.

    Raises:
        NothingToRollBackTo: none was ever adopted.
    """
    with transaction.atomic():
        adopted = Ranker.objects.select_for_update().filter(state__in=(RankerState.ROLLING_OUT, RankerState.IN_FORCE))
        last = adopted.order_by("-version").first()
        if last is None:
            raise NothingToRollBackTo
        was_in_force = last.state == RankerState.IN_FORCE
        last.state, last.share = RankerState.STOPPED, 0
        last.save()
        if was_in_force:
            before = Ranker.objects.filter(state=RankerState.STANDBY).first()
            if before is not None:
                put_in_force(before)
    return _in_force().version
