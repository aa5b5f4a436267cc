from __future__ import annotations

import random
from typing import Any

import pytest
from django.db import connection

from catalog.models import Skill
from core import querysets
from core.models import EmbeddingSpace
from core.vectors import COLUMNS, DIMENSIONS, Column, SpaceState

pytestmark = pytest.mark.django_db
MODEL = "test-model"


def unit(generator: random.Random) -> list[float]:
    vector = [generator.gauss(0, 1) for _ in range(DIMENSIONS)]
    length = sum(number * number for number in vector) ** 0.5
    return [number / length for number in vector]


@pytest.fixture
def skills() -> list[Skill]:
    generator = random.Random(7)
    rows = [
        Skill(
            source="common" if number % 20 else "rare",
            source_id=str(number),
            name=str(number),
            embedding=unit(generator),
            embedding_model=MODEL,
        )
        for number in range(600)
    ]
    return Skill.objects.bulk_create(rows)


def exact(query: list[float], rows: list[Skill], limit: int) -> list[str]:
    def similarity(row: Skill) -> float:
        return sum(a * b for a, b in zip(query, row.embedding, strict=True))

    return [row.name for row in sorted(rows, key=similarity, reverse=True)[:limit]]


@pytest.mark.parametrize("threshold", [0, 1_000])
def test_both_routes_find_the_nearest_and_never_too_few(skills: list[Skill], monkeypatch: pytest.MonkeyPatch, threshold: int) -> None:
    monkeypatch.setattr(querysets, "EXACT_BELOW_ROWS", threshold)
    connection.cursor().execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    names = {row.pk: row.name for row in skills}
    generator = random.Random(8)
    for source, limit in (("rare", 10), ("rare", 100), ("common", 10)):
        query = unit(generator)
        wanted = exact(query, [row for row in skills if row.source == source], limit)
        found = Skill.objects.filter(source=source).nearest(query, model=MODEL, limit=limit)
        assert len(found) == len(wanted)
        overlap = len({names[key] for key, _ in found} & set(wanted)) / len(wanted)
        assert overlap >= (0.9 if threshold == 0 else 1.0)
        similarities = [similarity for _, similarity in found]
        assert similarities == sorted(similarities, reverse=True)


def test_when_the_index_comes_up_short_the_scan_finishes_the_job(skills: list[Skill], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(querysets, "EXACT_BELOW_ROWS", 0)
    connection.cursor().execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    connection.cursor().execute("SET LOCAL hnsw.max_scan_tuples = 1; SET LOCAL hnsw.ef_search = 2")
    assert len(Skill.objects.filter(source="rare").nearest(unit(random.Random(9)), model=MODEL, limit=30)) == 30


def test_vectors_of_another_model_are_not_looked_at(skills: list[Skill]) -> None:
    assert Skill.objects.nearest(unit(random.Random(1)), model="another-model", limit=5) == []


def test_the_queue_is_what_has_no_vector_of_its_present_content() -> None:
    vector = unit(random.Random(2))
    fresh = {"embedding": vector, "embedding_model": MODEL, "embedded_hash": "h"}
    for number, fields in enumerate(({"content_hash": "h", **fresh}, {"content_hash": "new", **fresh}, {"content_hash": "h"}, {})):
        Skill.objects.create(source="s", source_id=str(number), name=str(number), **fields)
    assert set(Skill.objects.waiting_for(MODEL).values_list("name", flat=True)) == {"1", "2"}
    assert set(Skill.objects.waiting_for("another-model").values_list("name", flat=True)) == {"0", "1", "2"}


@pytest.mark.parametrize(("column", "index"), [(Column.FIRST, "skill_to_embed"), (Column.SECOND, "skill_twin_to_embed")])
def test_the_queue_of_a_space_is_read_by_its_index(column: Column, index: str) -> None:
    EmbeddingSpace.objects.create(model=MODEL, column=column, state=SpaceState.FILLING)
    done = {"content_hash": "h", COLUMNS[column].hash: "h"}
    Skill.objects.bulk_create(Skill(source="t", source_id=str(number), name=str(number), **done) for number in range(3_000))
    Skill.objects.create(source="t", source_id="new", name="new", content_hash="new")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE catalog_skill")
    waiting = Skill.objects.waiting_for(MODEL).order_by("id")[:10]
    assert [skill.name for skill in waiting] == ["new"]
    assert index in waiting.explain()


def test_the_route_is_decided_once_a_minute_for_each_filter(skills: list[Skill], django_assert_num_queries: Any) -> None:
    query = unit(random.Random(3))
    columns = COLUMNS[Column.FIRST]
    for source in ("rare", "common"):
        rows = Skill.objects.filter(source=source)
        rows.nearest(query, model=MODEL, limit=3, columns=columns)
        with django_assert_num_queries(1):
            found = Skill.objects.filter(source=source).nearest(query, model=MODEL, limit=3, columns=columns)
        assert {Skill.objects.get(pk=key).source for key, _ in found} == {source}


def test_the_connection_walks_the_index_until_the_filter_has_its_rows() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT '[1]'::vector, current_setting('hnsw.iterative_scan'), current_setting('hnsw.ef_search')")
        assert cursor.fetchone()[1:] == ("relaxed_order", "80")
