"""All that is scored of the engines in force, on frozen sets, as one flat list of figures; and what became worse since the last time."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

from ai.services.review import review_hearing
from ai.services.spaces import embedding_model
from ai.services.text import Turn, converse, embed
from catalog.models import Skill
from catalog.services.evaluation import evaluate, read_grades, read_queries
from profiling.enums import ClaimKind, Slot
from profiling.services.review import Review, Score, review_fixed_form, review_interview
from profiling.services.routing import router
from profiling.services.simulation import PEOPLE, Person
from profiling.services.vocabulary import kinds_for

FOLDER = PEOPLE.parent
BASELINE = FOLDER / "baseline.json"
_FORM_QUESTIONS = len(Slot)
# Figures of which less is better; of all others more is.
_LESS_IS_BETTER = ("questions", "word error rate", "invented words")
# How much a figure may get worse before a review fails: two points of a share, half a question, no invented word.
_TOLERANCES = {"questions": 0.5, "invented words": 0.0}
_TOLERANCE = 0.02


@dataclasses.dataclass(frozen=True)
class Topic:
    """A thing that people say in three ways, and the labels of the taxonomy that fit it."""

    gerund: str
    sentence: str
    terse: str
    labels: frozenset[str]


def read_topics() -> list[Topic]:
    """The labelled phrases of the repository."""
    rows = (line.split("\t") for line in (FOLDER / "topics.tsv").read_text(encoding="utf-8").splitlines())
    return [
        Topic(gerund, sentence, terse, frozenset(label.lower() for label in labels.split("|"))) for gerund, sentence, terse, labels in rows
    ]


def review_engines(
    people: Sequence[Person], *, data: Path | None = None, progress: Callable[[], object] = lambda: None
) -> dict[str, float]:
    """Score the interview, extraction, hearing and retrieval. `data` adds recordings of people and larger labelled sets.

    Takes about a second per person and engine.
    """
    figures = interview_figures(review_interview(people, progress=progress), review_fixed_form(people, progress=progress))
    figures |= extraction_figures() | retrieval_figures()
    hearing = review_hearing(recordings=data / "audio" if data else None)
    figures |= {
        "hearing: word error rate, clean": hearing.clean,
        "hearing: word error rate, quiet": hearing.quiet,
        "hearing: word error rate, noisy": hearing.noisy,
        "hearing: invented words": float(hearing.invented),
    }
    if hearing.people is not None:
        figures["hearing: word error rate, people"] = hearing.people
    return figures | (labelled_figures(data) if data else {})


def interview_figures(interview: Review, form: Review) -> dict[str, float]:
    """Questions, precision, recall and F1 at the end; F1 after as many questions as the form has; and the form's own."""
    figures = {"interview: questions": interview.questions}
    figures |= _shares("interview", interview.score())
    figures[f"interview: F1 after {_FORM_QUESTIONS} questions"] = interview.score(questions=_FORM_QUESTIONS).f1
    figures[f"form: F1 after {_FORM_QUESTIONS} questions"] = form.score().f1
    for slot in Slot:
        figures |= {f"interview: {slot}, F1": interview.score(slot=slot).f1}
    return {name: round(value, 4) for name, value in figures.items()}


def _shares(what: str, score: Score) -> dict[str, float]:
    return {f"{what}: precision": score.precision, f"{what}: recall": score.recall, f"{what}: F1": score.f1}


def extraction_figures() -> dict[str, float]:
    """What is read of single labelled sentences, asked about skills: every mention counts, sure or not."""
    total = Score()
    for topic in read_topics():
        for text in (topic.sentence, f"I am good at {topic.gerund}"):
            turn = Turn("What are you good at?", f"{text}.", kinds_for(None), router(ClaimKind.SKILL))
            labels = [mention.label.lower() for mention in converse(turn=turn, purpose="review.extraction").mentions]
            right = sum(label in topic.labels for label in labels)
            total += Score(right, len(labels), int(right > 0), 1)
    return {name: round(value, 4) for name, value in _shares("extraction", total).items()}


def retrieval_figures() -> dict[str, float]:
    """nDCG@10 of the taxonomy's skills for labelled phrases, by meaning alone. Every fitting label counts the same."""
    gains = []
    topics = read_topics()
    vectors = embed(texts=[topic.terse for topic in topics], purpose="review.retrieval").vectors
    model = embedding_model()
    for topic, vector in zip(topics, vectors, strict=True):
        found = Skill.objects.active().nearest(vector, model=model, limit=10)
        names = dict(Skill.objects.filter(pk__in=[key for key, _ in found]).values_list("pk", "name"))
        fits = [names[key].lower() in topic.labels for key, _ in found]
        best = sum(1 / math.log2(rank + 2) for rank in range(min(10, len(topic.labels))))
        gains.append(min(1.0, sum(1 / math.log2(rank + 2) for rank, fit in enumerate(fits) if fit) / best))
    return {"retrieval: skills, nDCG@10": round(sum(gains) / len(gains), 4)}


def labelled_figures(data: Path) -> dict[str, float]:
    """nDCG@10 of hybrid search on the labelled occupations, full texts."""
    folder = data / "eval_dev" / "occupations"
    queries = [query for query in read_queries(folder / "queries.jsonl") if query.id.endswith("full")]
    scores = evaluate(corpus=data / "taxonomy" / "onet" / "occupations.jsonl", queries=queries, grades=read_grades(folder / "qrels.tsv"))
    return {f"retrieval: occupations, {leg}, nDCG@10": round(score.ndcg, 4) for leg, score in scores.items()}


def regressions(figures: dict[str, float], baseline: dict[str, float]) -> list[str]:
    """What became worse than the baseline by more than is tolerated, and what is missing of it, in words."""
    worse = [f"{name}: was {before}, is no longer measured" for name, before in baseline.items() if name not in figures]
    for name, before in baseline.items():
        if name in figures and _loss(name, before, figures[name]) > _tolerance(name):
            worse.append(f"{name}: was {before}, is {figures[name]}")
    return worse


def _loss(name: str, before: float, after: float) -> float:
    is_less_better = any(word in name for word in _LESS_IS_BETTER) and "F1" not in name
    return round(after - before if is_less_better else before - after, 6)


def _tolerance(name: str) -> float:
    return next((value for word, value in _TOLERANCES.items() if name.endswith(word)), _TOLERANCE)


def read_baseline(engine: str) -> dict[str, float]:
    """The figures that were last accepted for an engine; empty if there are none."""
    return dict(json.loads(BASELINE.read_text(encoding="utf-8")).get(engine, {})) if BASELINE.is_file() else {}


def write_baseline(engine: str, figures: dict[str, float]) -> None:
    """Accept figures as what later ones are compared with."""
    known = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.is_file() else {}
    BASELINE.write_text(json.dumps(known | {engine: figures}, indent=1, sort_keys=True) + "\n", encoding="utf-8")
