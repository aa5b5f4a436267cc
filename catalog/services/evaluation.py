"""Scores the product's own retrieval on labelled sets, in temporary tables that stand before the real ones for one transaction."""

from __future__ import annotations

import dataclasses
import gzip
import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
from django.db import connection, transaction

from ai.services.text import embed
from catalog.enums import Leg, OpportunityKind
from catalog.models import Occupation, Opportunity
from catalog.querysets import BOTH_LEGS
from catalog.services.documents import document_vectors, flatten, parts_of
from catalog.services.indexing import embed_query, index_opportunities, refresh_statistics
from catalog.services.peers import peers_of
from catalog.services.reference import load_occupations

DEPTH = 100
_BATCH = 256
_SCRATCH_TABLES = ("catalog_opportunity", "catalog_opportunity_skills", "catalog_lexeme", "catalog_corpusstatistics")
LEGS: dict[str, frozenset[Leg]] = {"lexical": frozenset({Leg.LEXICAL}), "vector": frozenset({Leg.VECTOR}), "hybrid": BOTH_LEGS}
# The free-text fields of a document, where it has no description of its own.
_TERM_FIELDS = ("expertise", "tags", "keywords")

Grades = Mapping[str, Mapping[str, int]]


@dataclasses.dataclass(frozen=True)
class Query:
    """`pool` limits what may be ranked, where the set says so; empty means everything."""

    id: str
    text: str
    pool: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True)
class Score:
    """Means over the queries. nDCG@10 with linear gain and log2 discount (Järvelin and Kekäläinen 2002); MRR over 100 ranks."""

    ndcg: float
    recall: float
    mrr: float
    queries: int


def read_json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON lines file, gzipped or not."""
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def read_queries(path: Path) -> list[Query]:
    return [
        Query(str(row.get("qid") or row["id"]), str(row.get("text") or row.get("query") or ""), frozenset(row.get("pool") or ()))
        for row in read_json_lines(path)
    ]


def read_grades(path: Path) -> Grades:
    """Relevance by query and document; lines of `query document grade`, or TREC's four columns."""
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for line in path.read_text(encoding="utf-8").splitlines():
        columns = line.split("\t") if "\t" in line else line.split()
        if len(columns) >= 3 and columns[-1].strip().lstrip("-").isdigit() and int(columns[-1]) > 0:
            grades[columns[0]][columns[-2]] = int(columns[-1])
    return grades


def evaluate(*, corpus: Path, queries: Sequence[Query], grades: Grades, with_peers: bool = False) -> dict[str, Score]:
    """Rank every query that has a relevant document, by each leg alone and by both; with peers also as others would. Leaves the catalogue
    as it was."""
    judged = [query for query in queries if grades.get(query.id)]
    peers = _rank_by_peers(corpus, judged) if with_peers else {}
    with transaction.atomic():
        _enter_scratch()
        _load(corpus)
        rankings: dict[str, list[list[str]]] = {name: [] for name in LEGS}
        for query in judged:
            vector, model = embed_query(query.text, purpose="catalog.evaluate")
            rows = Opportunity.objects.filter(source_id__in=query.pool) if query.pool else Opportunity.objects.all()
            for name, legs in LEGS.items():
                hits = rows.ranked_for(vector, model=model, text=query.text, limit=DEPTH, legs=legs)
                rankings[name].append([hit.source_id for hit in hits])
        transaction.set_rollback(True)
    return {name: _score(judged, ranked, grades) for name, ranked in (rankings | peers).items()}


def _rank_by_peers(corpus: Path, queries: Sequence[Query]) -> dict[str, list[list[str]]]:
    """The same documents and queries, ranked by methods that know nothing of the taxonomy."""
    rows = list(read_json_lines(corpus))
    keys = [str(row.get("id") or row.get("code") or number) for number, row in enumerate(rows, start=1)]
    texts = ["{title}. {description}".format(**_texts(row)) for row in rows]
    rankings: dict[str, list[list[str]]] = {}
    for name, similarities in peers_of(texts).items():
        ranked = []
        for query in queries:
            order = numpy.argsort(-similarities(query.text), kind="stable")
            ranked.append([keys[index] for index in order if not query.pool or keys[index] in query.pool][:DEPTH])
        rankings[name] = ranked
    return rankings


def _enter_scratch() -> None:
    """Temporary tables of the same names hide the real ones from every statement of this transaction."""
    with connection.cursor() as cursor:
        for table in _SCRATCH_TABLES:
            cursor.execute(f"CREATE TEMPORARY TABLE {table} (LIKE public.{table} INCLUDING ALL) ON COMMIT DROP")
    if not Occupation.objects.exists():
        load_occupations()


def _load(corpus: Path) -> None:
    batch: list[Opportunity] = []
    for number, row in enumerate(read_json_lines(corpus), start=1):
        identity = str(row.get("id") or row.get("code") or number)
        batch.append(Opportunity(source="evaluation", source_id=identity, kind=OpportunityKind.JOB, **_texts(row)))
        if len(batch) == _BATCH:
            _index(batch)
            batch = []
    _index(batch)
    refresh_statistics()


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    terms: Sequence[Any] = next((row[name] for name in _TERM_FIELDS if row.get(name)), [])
    description = str(row.get("description") or ", ".join(map(str, terms)))
    return {"title": str(row.get("title") or "")[:500], "description": description}


def _index(batch: list[Opportunity]) -> None:
    Opportunity.objects.bulk_create(batch)
    index_opportunities([row.id for row in batch])
    rows = list(
        Opportunity.objects.filter(id__in=[row.id for row in batch]).only("title", "description", "alternative_titles", "skill_terms")
    )
    parts = [parts_of(row) for row in rows]
    embeddings = embed(texts=flatten(parts), purpose="catalog.evaluate")
    for row, vector in zip(rows, document_vectors(parts, embeddings.vectors), strict=True):
        row.embedding, row.embedding_model = vector, embeddings.model
    Opportunity.objects.bulk_update(rows, ["embedding", "embedding_model"])


def _score(queries: Sequence[Query], rankings: Sequence[Sequence[str]], grades: Grades) -> Score:
    pairs = [(ranking, grades[query.id]) for query, ranking in zip(queries, rankings, strict=True)]
    count = len(pairs) or 1
    return Score(
        ndcg=sum(ndcg_at_10(ranking, relevant) for ranking, relevant in pairs) / count,
        recall=sum(recall_at_10(ranking, relevant) for ranking, relevant in pairs) / count,
        mrr=sum(reciprocal_rank(ranking, relevant) for ranking, relevant in pairs) / count,
        queries=len(pairs),
    )


def ndcg_at_10(ranking: Sequence[str], relevant: Mapping[str, int]) -> float:
    gained = _discounted([relevant.get(document, 0) for document in ranking[:10]])
    return gained / _discounted(sorted(relevant.values(), reverse=True)[:10])


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def recall_at_10(ranking: Sequence[str], relevant: Mapping[str, int]) -> float:
    return len(set(ranking[:10]) & relevant.keys()) / len(relevant)


def reciprocal_rank(ranking: Sequence[str], relevant: Mapping[str, int]) -> float:
    return next((1 / rank for rank, document in enumerate(ranking, start=1) if document in relevant), 0.0)
