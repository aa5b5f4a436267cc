"""Made-up opportunities in any number, for measuring. Their texts and vectors blend real phrases, so neighbours are real neighbours."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import islice

import numpy
from django.db import connection
from django.db.models import F

from ai.services.text import embed
from catalog.enums import OpportunityKind, TermState
from catalog.models import Occupation, Opportunity, Skill
from catalog.services.indexing import index_opportunities, refresh_statistics

SOURCE = "generated"
_BATCH = 1_000
_PHRASES_A_DOCUMENT = 3
_NOISE = 0.15
# How often each language stands in the catalogue: filters of 100, 10, 1 and 0.1 percent.
LANGUAGE_SHARES = {"de": 0.10, "fr": 0.01, "sw": 0.001}
_INDEX = "opportunity_nearest"


def generate_opportunities(*, count: int, seed: int, progress: Callable[[int], object] = lambda done: None) -> int:
    """Replace what was generated before by `count` opportunities, each a blend of three occupations or skills, embedded and indexed."""
    Opportunity.objects.filter(source=SOURCE).delete()
    phrases = _phrases()
    embeddings = embed(texts=phrases, purpose="catalog.generate")
    vectors = numpy.asarray(embeddings.vectors)
    _drop_vector_index()
    try:
        rows = _rows(count, random.Random(seed), phrases, vectors, embeddings.model)
        done = 0
        while batch := list(islice(rows, _BATCH)):
            Opportunity.objects.bulk_create(batch)
            index_opportunities([row.id for row in batch])
            done += len(batch)
            progress(done)
        # The vectors are made, not embedded: they count as those of the enriched texts too.
        Opportunity.objects.filter(source=SOURCE).update(embedded_hash=F("content_hash"))
        refresh_statistics()
    finally:
        _build_vector_index()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE catalog_opportunity")
    return done


def _phrases() -> list[str]:
    titles = Occupation.objects.filter(state=TermState.ACTIVE).order_by("source_id").values_list("title", flat=True)
    return [*titles, *Skill.objects.active().order_by("source_id").values_list("name", flat=True)]


def _rows(count: int, chance: random.Random, phrases: list[str], vectors: numpy.ndarray, model: str) -> Iterator[Opportunity]:
    noise = numpy.random.default_rng(chance.randrange(2**32))
    for number in range(count):
        chosen = chance.sample(range(len(phrases)), _PHRASES_A_DOCUMENT)
        shares = numpy.array([chance.uniform(0.3, 1.0) for _ in chosen])
        vector = shares @ vectors[chosen] + noise.normal(0, _NOISE / numpy.sqrt(vectors.shape[1]), vectors.shape[1])
        first, second, third = (phrases[index] for index in chosen)
        yield Opportunity(
            source=SOURCE,
            source_id=str(number),
            kind=chance.choice(OpportunityKind.values),
            title=f"{first} {number}",
            description=f"You bring {second}. You learn {third}.",
            language=_language(chance.random()),
            is_remote=chance.choice((True, False, None)),
            embedding=(vector / numpy.linalg.norm(vector)).tolist(),
            embedding_model=model,
        )


def _language(draw: float) -> str:
    for language, share in LANGUAGE_SHARES.items():
        if draw < share:
            return language
        draw -= share
    return "en"


def _drop_vector_index() -> None:
    """One build over all rows costs a fifth of as many single inserts."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX IF EXISTS {_INDEX}")


def _build_vector_index() -> None:
    index = next(index for index in Opportunity._meta.indexes if index.name == _INDEX)
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute("SET max_parallel_maintenance_workers = 2")
    with connection.schema_editor() as editor:
        editor.add_index(Opportunity, index)
    with connection.cursor() as cursor:
        cursor.execute("RESET maintenance_work_mem")
