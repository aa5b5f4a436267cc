"""Measures retrieval beside the exact scan of the same rows: recall@10, rows returned, and latency, at four selectivities."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from ai.services.text import embed
from catalog.models import Opportunity
from catalog.querysets import OpportunityQuerySet
from catalog.services.generation import LANGUAGE_SHARES, SOURCE

K = 10
# Questions of people, not sentences of the generated documents.
_SITUATIONS = ("I am good at", "I would like to learn", "looking for a job in", "a course about", "volunteering with")
_SUBJECTS = (
    *("nursing and care", "welding", "teaching children", "web development", "data analysis", "forestry", "cooking", "accounting"),
    *("music", "law", "biology", "driving trucks", "graphic design", "fixing machines", "public speaking", "translation", "farming"),
    *("selling things", "security", "construction"),
)


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One selectivity. Latencies in milliseconds; `shortfalls` counts answers with fewer than min(k, matching) rows."""

    filter: str
    matching: int
    recall: float
    shortfalls: int
    p50: float
    p95: float
    exact_p50: float
    exact_p95: float


def measure_retrieval(*, queries: int = 100) -> list[Measurement]:
    """Run the product's route and the exact scan by turns, query by query, for each filter."""
    texts = [f"{situation} {subject}" for subject in _SUBJECTS for situation in _SITUATIONS][:queries]
    embeddings = embed(texts=texts, purpose="catalog.benchmark")
    rows = Opportunity.objects.filter(source=SOURCE)
    filters: dict[str, OpportunityQuerySet] = {"none": rows} | {f"language={code}": rows.filter(language=code) for code in LANGUAGE_SHARES}
    return [_measure(name, matching, embeddings.vectors, embeddings.model) for name, matching in filters.items()]


def _measure(name: str, rows: OpportunityQuerySet, vectors: Sequence[Sequence[float]], model: str) -> Measurement:
    matching = rows.embedded_with(model).count()
    recalls, shortfalls = [], 0
    product_times: list[float] = []
    exact_times: list[float] = []
    for vector in vectors:
        found, seconds = _timed(lambda vector=vector: rows.nearest(vector, model=model, limit=K))  # type: ignore[misc]
        product_times.append(seconds)
        scan = rows.nearest_first(vector, model=model, exact=True)
        exact, seconds = _timed(lambda scan=scan: list(scan.values_list("pk", "distance")[:K]))  # type: ignore[misc]
        exact_times.append(seconds)
        recalls.append(_recall(found, exact))
        shortfalls += len(found) < min(K, matching)
    return Measurement(name, matching, statistics.fmean(recalls), shortfalls, *_percentiles(product_times), *_percentiles(exact_times))


def _recall(found: Sequence[tuple[Any, float]], exact: Sequence[tuple[Any, float]]) -> float:
    wanted = {key for key, _ in exact}
    return len(wanted & {key for key, _ in found}) / len(wanted) if wanted else 1.0


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    result = call()
    return result, (time.perf_counter() - started) * 1000


def _percentiles(times: Sequence[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(times, n=20)
    return statistics.median(times), cuts[18]
