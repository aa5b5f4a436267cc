"""P1 to P3: ranked retrieval beside the fastest libraries in memory, filters beside the better plan, and a million rows."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import faiss
import numpy
import qdrant_edge
from django.db import connection

from benchmarks import data
from benchmarks.measuring import Goal, interleaved, median, recall
from catalog.models import Opportunity
from catalog.services.generation import LANGUAGE_SHARES, SOURCE
from core.prepared import fetch_all, fetch_planned
from core.querysets import QueryVector, columns_of, vector_literal
from core.vectors import GRAPH

K = 10
QUERIES = 150
_RECALL = 0.98
_FIELDS = ("id", "kind", "title", "description", "organisation", "location", "is_remote", "url", "language", "starts_on", "deadline_on")


def replace_vectors(ids: Sequence[Any], points: numpy.ndarray) -> None:
    """Give the generated opportunities these vectors, and build the index anew."""
    index = next(index for index in Opportunity._meta.indexes if index.name == "opportunity_nearest")
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX IF EXISTS opportunity_nearest")
        cursor.execute("CREATE TEMP TABLE new_vectors (id uuid PRIMARY KEY, v halfvec(384))")
    data.copy_vectors("new_vectors", ids, points)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_opportunity AS row SET embedding = v FROM new_vectors WHERE new_vectors.id = row.id")
        cursor.execute("DROP TABLE new_vectors")
        cursor.execute("SET maintenance_work_mem = '2GB'; SET max_parallel_maintenance_workers = 2")
    with connection.schema_editor() as editor:
        editor.add_index(Opportunity, index)
    with connection.cursor() as cursor:
        cursor.execute("RESET maintenance_work_mem")
        cursor.execute("VACUUM ANALYZE catalog_opportunity")


def _statement(model: str) -> tuple[str, Callable[[numpy.ndarray], tuple[Any, ...]]]:
    """The product's own statement for ten full rows, compiled once, and its parameters for a vector."""
    columns = columns_of(model)
    stand_in = [0.0] * data.DIMENSIONS
    rows = Opportunity.objects.filter(source=SOURCE).nearest_first(stand_in, model=model, exact=False, columns=columns)
    sql, parameters = rows.values_list(*_FIELDS)[:K].query.sql_with_params()
    return sql, lambda vector: tuple(QueryVector(vector) if isinstance(parameter, QueryVector) else parameter for parameter in parameters)


def _faiss(points: numpy.ndarray) -> Any:
    index = faiss.IndexHNSWFlat(points.shape[1], GRAPH["m"], faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = GRAPH["ef_construction"]
    faiss.omp_set_num_threads(2)
    index.add(points)
    faiss.omp_set_num_threads(1)
    return index


def _qdrant(points: numpy.ndarray, folder: str) -> Any:
    vectors = qdrant_edge.EdgeVectorParams(size=points.shape[1], distance=qdrant_edge.Distance.Dot)
    hnsw = qdrant_edge.HnswIndexConfig(m=GRAPH["m"], ef_construct=GRAPH["ef_construction"], full_scan_threshold=10)
    shard = qdrant_edge.EdgeShard.create(folder, qdrant_edge.EdgeConfig(vectors=vectors, hnsw_config=hnsw))
    for start in range(0, len(points), 5_000):
        part = [qdrant_edge.Point(start + place, vector.tolist()) for place, vector in enumerate(points[start : start + 5_000])]
        shard.update(qdrant_edge.UpdateOperation.upsert_points(part))
    while shard.optimize():
        pass
    return shard


@dataclasses.dataclass(frozen=True)
class Sample:
    """Rows with their vectors, and what is asked of them."""

    kind: str
    ids: Sequence[Any]
    points: numpy.ndarray
    queries: numpy.ndarray
    model: str


def rows_beside_libraries(sample: Sample, rounds: int) -> list[Goal]:
    """P1: ten full rows by one statement, and by a library in memory plus a fetch by id; each with as few neighbours in view as will do."""
    kind, ids, points, queries = sample.kind, sample.ids, sample.points, sample.queries
    sql, parameters_for = _statement(sample.model)
    fetch = f"SELECT {', '.join(_FIELDS)} FROM catalog_opportunity WHERE id = ANY(%s)"
    index = _faiss(points)
    vectors = queries.tolist()
    with tempfile.TemporaryDirectory() as folder:
        shard = _qdrant(points, folder)

        def by_faiss(item: int) -> list[int]:
            return [int(place) for place in index.search(queries[item : item + 1], K)[1][0] if place >= 0]

        def by_qdrant(item: int) -> list[int]:
            query = qdrant_edge.Query.Nearest(queries[item].tolist())
            parameters = qdrant_edge.SearchParams(hnsw_ef=ef_search)
            return [hit.id for hit in shard.query(qdrant_edge.QueryRequest(limit=K, query=query, params=parameters))]

        place_of = {key: place for place, key in enumerate(ids)}
        calls: dict[str, Callable[[int], Any]] = {
            "one statement": lambda item: [place_of[row[0]] for row in fetch_planned(sql, parameters_for(vectors[item]), once=True)],
            "faiss + fetch": lambda item: [place_of[row[0]] for row in fetch_all(fetch, ([ids[place] for place in by_faiss(item)],))],
            "qdrant + fetch": lambda item: [place_of[row[0]] for row in fetch_all(fetch, ([ids[place] for place in by_qdrant(item)],))],
        }
        wanted = data.nearest(points, queries, K)
        enough: dict[str, float] = {}
        for ef_search in (40, 48, 64, 80):
            with connection.cursor() as cursor:
                cursor.execute(f"SET hnsw.ef_search = {ef_search}")
            index.hnsw.efSearch = ef_search
            times, found = interleaved(calls, items=len(queries), rounds=rounds)
            p50 = {name: median(taken) for name, taken in times.items()}
            right = {name: recall(hits, wanted) for name, hits in found.items()}
            print(f"P1 {kind}, ef {ef_search}: " + ", ".join(f"{name} {p50[name]:.2f} ms at {right[name]:.4f}" for name in calls))
            enough = {name: p50[name] for name in calls if right[name] >= _RECALL} | enough
    ours = enough.get("one statement", p50["one statement"])
    faiss_and_fetch, qdrant_and_fetch = (enough.get(f"{peer} + fetch", p50[f"{peer} + fetch"]) for peer in ("faiss", "qdrant"))
    return [
        Goal(f"P1 {kind}: time of one statement over faiss + fetch", ours / faiss_and_fetch, 1.5),
        Goal(f"P1 {kind}: time of one statement over qdrant + fetch", ours / qdrant_and_fetch, 1.0),
        Goal(f"P1 {kind}: recall@10 as the product searches", right["one statement"], _RECALL, at_most=False),
    ]


def filters_beside_plans(sample: Sample, rounds: int) -> list[Goal]:
    """P2: the route that the product takes beside both plans, at every selectivity."""
    kind, ids, points, queries, model = sample.kind, sample.ids, sample.points, sample.queries, sample.model
    columns = columns_of(model)
    languages = dict(Opportunity.objects.filter(source=SOURCE).values_list("id", "language"))
    goals = []
    filters = {"100 %": None, **{f"{share:.1%}": code for code, share in LANGUAGE_SHARES.items()}}
    for name, code in filters.items():
        rows = Opportunity.objects.filter(source=SOURCE, **({"language": code} if code else {}))
        allowed = numpy.array([code is None or languages[key] == code for key in ids])

        def nearest(item: int, exact: bool, rows: Any = rows) -> list[Any]:
            return rows.all()._nearest(queries[item], model, columns, K, exact=exact)

        calls: dict[str, Callable[[int], Any]] = {
            "product": lambda item, rows=rows: rows.all().nearest(queries[item], model=model, limit=K, columns=columns),
            "index": lambda item: nearest(item, False),
            "exact": lambda item: nearest(item, True),
        }
        times, found = interleaved(calls, items=len(queries), rounds=rounds)
        p50 = {plan: median(taken) for plan, taken in times.items()}
        wanted = data.nearest(points, queries, K, allowed)
        place_of = {key: place for place, key in enumerate(ids)}
        right = recall([[place_of[key] for key, _ in hits] for hits in found["product"]], wanted)
        short = sum(len(hits) < min(K, int(allowed.sum())) for hits in found["product"])
        print(
            f"P2 {kind}, {name} ({allowed.sum()} rows): product {p50['product']:.2f} ms at {right:.4f}, {short} short; "
            f"index {p50['index']:.2f}, exact {p50['exact']:.2f}"
        )
        better = min(p50["index"], p50["exact"])
        goals += [
            Goal(f"P2 {kind}, {name}: time over the better plan", p50["product"] / better, 1.2),
            Goal(f"P2 {kind}, {name}: recall@10", right, _RECALL, at_most=False),
            Goal(f"P2 {kind}, {name}: answers with too few rows", short, 0),
        ]
    return goals


def a_million_rows(count: int, rounds: int) -> list[Goal]:
    """P3: halfvec with HNSW beside the exact scan."""
    points, queries = data.clusters(count, seed=11, queries=100)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_million")
        cursor.execute("CREATE UNLOGGED TABLE bench_million (id bigint, v halfvec(384))")
    data.copy_vectors("bench_million", range(count), points)
    with connection.cursor() as cursor:
        cursor.execute(
            "SET maintenance_work_mem = '6GB'; SET max_parallel_maintenance_workers = 2; SET max_parallel_workers_per_gather = 0"
        )
        graph = ", ".join(f"{name} = {value}" for name, value in GRAPH.items())
        cursor.execute(f"CREATE INDEX bench_million_v ON bench_million USING hnsw (v halfvec_cosine_ops) WITH ({graph})")
        cursor.execute("SELECT pg_relation_size('bench_million_v')")
        size = cursor.fetchone()[0]
        cursor.execute("VACUUM ANALYZE bench_million")
    wanted = data.nearest(points, queries, K)

    def search(item: int, exact: bool) -> list[int]:
        order = "(v <=> %s::halfvec) + 0" if exact else "v <=> %s::halfvec"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id FROM bench_million ORDER BY {order} LIMIT {K}", (vector_literal(queries[item]),))
            return [key for (key,) in cursor.fetchall()]

    exact_times, _ = interleaved({"exact": lambda item: search(item, True)}, items=5, rounds=rounds)
    exact = median(exact_times["exact"])
    ratio, reached = 0.0, 0.0
    for ef in (48, 64, 80, 100, 160, 240, 320, 480):
        with connection.cursor() as cursor:
            cursor.execute(f"SET hnsw.ef_search = {ef}")
        times, found = interleaved({"index": lambda item: search(item, False)}, items=len(queries), rounds=rounds)
        reached, p50 = recall(found["index"], wanted), median(times["index"])
        print(f"P3 {count} rows, ef {ef}: {p50:.2f} ms at {reached:.4f}; exact scan {exact:.0f} ms, {exact / p50:.0f} times slower")
        ratio = exact / p50
        if reached >= 0.95:
            break
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_million")
        cursor.execute("RESET hnsw.ef_search")
    return [
        Goal("P3: recall@10 at which it was measured", reached, 0.95, at_most=False),
        Goal("P3: times faster than the exact scan", ratio, 150, at_most=False),
        Goal("P3: kilobytes of index a row", size / count / 1000, 1.3),
    ]
