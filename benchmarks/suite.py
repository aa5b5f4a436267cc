from __future__ import annotations

from collections.abc import Sequence

import numpy
from django.core.management import call_command
from django.db import connection

from ai.services.text import embed
from benchmarks import data, hybrid, retrieval
from benchmarks.measuring import Goal
from benchmarks.retrieval import Sample
from catalog.models import Opportunity
from catalog.services.generation import SOURCE
from catalog.services.reference import load_reference_catalogue
from core.querysets import columns_of

NAMES = ("p1", "p2", "p3", "p4", "p5", "p10", "p12")
_RACE_SECONDS = 6.0
_SITUATIONS = ("I am good at", "I would like to learn", "looking for a job in", "a course about", "volunteering with")
_SUBJECTS = (
    *("nursing and care", "welding", "teaching children", "web development", "data analysis", "forestry", "cooking", "accounting", "music"),
    *("law", "biology", "driving trucks", "graphic design", "fixing machines", "public speaking", "translation", "farming", "selling"),
    *("security", "construction", "photography", "physics", "dancing", "insurance", "tailoring", "logistics", "gardening", "history"),
)


def run(names: Sequence[str], *, rows: int, million: int, rounds: int) -> int:
    """Run the named benchmarks. Returns how many goals were missed."""
    call_command("migrate", verbosity=0, interactive=False)
    goals: list[Goal] = []
    if set(names) - {"p3", "p10", "p12"}:
        _fill(rows)
    if {"p1", "p2"} & set(names):
        goals += _retrieval(names, rounds)
    if "p4" in names:
        goals += hybrid.hybrid_beside_naive_fusion(rounds)
    if "p5" in names:
        from benchmarks import endpoint

        goals += endpoint.endpoint_beside_peers(rounds)
    if "p10" in names:
        from benchmarks import races

        goals += races.races_beside_other_safeguards(_RACE_SECONDS, rounds)
    if "p12" in names:
        from benchmarks import availability

        goals += availability.free_and_ranked(rounds)
    if "p3" in names:
        goals += retrieval.a_million_rows(million, rounds)
    print("\n".join(["", *map(str, goals)]))
    return sum(not goal.is_met for goal in goals)


def _fill(rows: int) -> None:
    load_reference_catalogue()
    if Opportunity.objects.filter(source=SOURCE).count() != rows:
        call_command("generate_opportunities", count=rows)


def _retrieval(names: Sequence[str], rounds: int) -> list[Goal]:
    texts = [f"{situation} {subject}" for subject in _SUBJECTS for situation in _SITUATIONS]
    embedded = embed(texts=texts, purpose="benchmark")
    ids, blends = data.read_vectors("catalog_opportunity", columns_of(embedded.model).vector, f"source = '{SOURCE}'")
    questions = numpy.asarray(embedded.vectors, dtype=numpy.float32)
    goals = _measure(names, Sample("blends of real phrases", ids, blends, questions, embedded.model), rounds)
    points, queries = data.clusters(len(ids), seed=3, queries=retrieval.QUERIES)
    retrieval.replace_vectors(ids, points)
    try:
        goals += _measure(names, Sample("clusters", ids, points, queries, embedded.model), rounds)
    finally:
        retrieval.replace_vectors(ids, blends)
    return goals


def _measure(names: Sequence[str], sample: Sample, rounds: int) -> list[Goal]:
    goals = []
    for name, step in (("p1", retrieval.rows_beside_libraries), ("p2", retrieval.filters_beside_plans)):
        if name in names:
            goals += step(sample, rounds)
            with connection.cursor() as cursor:
                cursor.execute("RESET hnsw.ef_search")
    return goals
