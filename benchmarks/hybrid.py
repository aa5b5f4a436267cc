"""P4: words with slips, and meaning, in one statement, beside the usual three queries that are fused afterwards."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db import connection

from ai.services.text import embed
from benchmarks.measuring import Goal, interleaved, median
from catalog.models import Lexeme, Opportunity
from catalog.services.generation import SOURCE
from core.querysets import columns_of, vector_literal

_POOL = 50
_RRF = 60
_SELECTIVE = (
    *("welding machines", "nurse practitioner", "tax accountant", "forest ranger", "piano teacher", "truck driver", "network security"),
    *("graphic designer", "marine biology", "translation services", "carpneter furniture", "elecrtician wiring", "photograhper studio"),
)
_VECTOR = "SELECT id FROM catalog_opportunity WHERE source = %s AND {model} = %s ORDER BY {vector} <=> %s::halfvec LIMIT %s"
_TEXT = """
SELECT id FROM catalog_opportunity, websearch_to_tsquery('soosh', %s) AS query
WHERE source = %s AND search_vector @@ query ORDER BY ts_rank(search_vector, query) DESC LIMIT %s
"""
_SLIPS = "SELECT id FROM catalog_opportunity WHERE source = %s AND %s <%% title ORDER BY %s <<-> title LIMIT %s"


def hybrid_beside_naive_fusion(rounds: int) -> list[Goal]:
    """The product's statement beside vector, full text and trigrams on titles, each on its own, fused by reciprocal rank in Python."""
    common = Lexeme.objects.order_by("-document_count").first()
    texts = [*_SELECTIVE, *(f"{text} {common.lexeme if common else 'learn'}" for text in _SELECTIVE[:4])]
    embedded = embed(texts=texts, purpose="benchmark")
    columns = columns_of(embedded.model)
    rows = Opportunity.objects.filter(source=SOURCE)
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX IF NOT EXISTS bench_titles ON catalog_opportunity USING gist (title gist_trgm_ops(siglen=64))")
        cursor.execute("ANALYZE catalog_opportunity")

    def product(item: int) -> list[Any]:
        hits = rows.all().ranked_for(embedded.vectors[item], model=embedded.model, columns=columns, text=texts[item], limit=10)
        return [hit.pk for hit in hits]

    def naive(item: int) -> list[Any]:
        scores: dict[Any, float] = defaultdict(float)
        vector = _VECTOR.format(model=columns.model, vector=columns.vector)
        queries = (
            (vector, (SOURCE, embedded.model, vector_literal(embedded.vectors[item]), _POOL)),
            (_TEXT, (texts[item].replace(" ", " or "), SOURCE, _POOL)),
            (_SLIPS, (SOURCE, texts[item], texts[item], _POOL)),
        )
        for sql, parameters in queries:
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                for rank, (key,) in enumerate(cursor.fetchall(), start=1):
                    scores[key] += 1 / (_RRF + rank)
        best = sorted(scores, key=lambda key: -scores[key])[:10]
        found = Opportunity.objects.filter(pk__in=best).for_cards().in_bulk()
        return [key for key in best if key in found]

    times, _ = interleaved({"product": product, "naive": naive}, items=len(texts), rounds=rounds)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX bench_titles")
    by_query = {name: [median(taken[item :: len(texts)]) for item in range(len(texts))] for name, taken in times.items()}
    p50 = {name: median(values) for name, values in by_query.items()}
    worst = max(by_query["product"])
    slowest = texts[by_query["product"].index(worst)]
    naive_worst = max(by_query["naive"])
    print(f"P4: one statement {p50['product']:.1f} ms, naive fusion {p50['naive']:.1f} ms (worst {naive_worst:.0f})")
    print(f"P4: slowest of ours: {slowest!r}, {worst:.1f} ms")
    return [
        Goal("P4: naive fusion over one statement", p50["naive"] / p50["product"], 4, at_most=False),
        Goal("P4: the worst query over the median one", worst / p50["product"], 2),
    ]
