"""Keeps the two search forms of each row in step with its content. Words are indexed with the write; vectors follow from a queue."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import structlog
from django.db import connection, transaction

from ai.errors import EngineError
from ai.services.spaces import embedding_model
from ai.services.text import embed
from catalog.lexical import COUNT_LEXEMES, INDEX_DOCUMENTS, K1, MEASURE_CORPUS, B
from catalog.models import Category, CorpusStatistics, Opportunity, Skill
from catalog.querysets import INDEX_COLUMNS
from catalog.services.documents import content_hash_of, document_vectors, enrichments_for, flatten, parts_of, query_parts, query_vector
from catalog.services.duplicates import sketches_of
from catalog.services.places import point_of
from core.querysets import columns_of, columns_to_write

logger = structlog.get_logger(__name__)

_EMBED_BATCH = 64
# Past this drift of the mean document length, stored BM25 weights are made anew.
_LENGTH_DRIFT = 0.2
_REINDEX_BATCH = 500
# A category is only inferred where the document is really near to it.
_CATEGORY_NEAR_ENOUGH = 0.25


def index_opportunities(ids: Sequence[uuid.UUID]) -> None:
    """Enrich and index the words of these rows, and mark those whose content changed for a new vector."""
    rows = list(Opportunity.objects.filter(id__in=ids).prefetch_related("skills").defer(*INDEX_COLUMNS))
    enrichments = enrichments_for([row.title for row in rows], [[skill.name for skill in row.skills.all()] for row in rows])
    for row, enrichment in zip(rows, enrichments, strict=True):
        row.alternative_titles, row.skill_terms = enrichment.alternative_titles, enrichment.skill_terms
    points = [point_of(row.location) for row in rows]
    parameters: dict[str, Any] = {
        "ids": [row.id for row in rows],
        "alternative_titles": [row.alternative_titles for row in rows],
        "skill_terms": [row.skill_terms for row in rows],
        "content_hashes": [content_hash_of(row) for row in rows],
        "latitudes": [point.latitude if point else None for point in points],
        "longitudes": [point.longitude if point else None for point in points],
        "sketches": ["{" + ",".join(map(str, sketch)) + "}" for sketch in sketches_of(rows)],
        "k1": K1,
        "b": B,
    }
    with connection.cursor() as cursor:
        cursor.execute(INDEX_DOCUMENTS, parameters)


def refresh_statistics() -> None:
    """Count lexemes and measure the corpus; rebuild the stored weights if the documents' mean length has drifted."""
    before = CorpusStatistics.objects.filter(id=1).values_list("average_length", flat=True).first() or 0.0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('catalog.refresh_statistics'))")
        cursor.execute("DELETE FROM catalog_lexeme")
        cursor.execute(COUNT_LEXEMES)
        cursor.execute(MEASURE_CORPUS)
        after = cursor.fetchone()[0]
    if abs(after - before) > _LENGTH_DRIFT * max(before, 1.0):
        _rebuild_weights()


def _rebuild_weights() -> None:
    last = uuid.UUID(int=0)
    while ids := list(Opportunity.objects.filter(id__gt=last).order_by("id").values_list("id", flat=True)[:_REINDEX_BATCH]):
        index_opportunities(ids)
        last = ids[-1]


def embed_opportunities(*, limit: int = _EMBED_BATCH, model: str = "") -> int:
    """Give vectors of `model`, or else the one in force, to rows of its queue. Returns how many were done; 0 when none wait or the engine
    is out, and then they stay queued."""
    model = model or embedding_model()
    rows = list(
        Opportunity.objects.waiting_for(model)
        .order_by("id")
        .only("id", "title", "description", "alternative_titles", "skill_terms", "content_hash", "category", "is_category_inferred")[:limit]
    )
    parts = [parts_of(row) for row in rows]
    try:
        embeddings = embed(texts=flatten(parts), purpose="catalog.index", model=model)
    except EngineError as error:
        logger.warning("embedding engine out, opportunities stay queued", outcome=error.outcome, waiting=len(rows))
        return 0
    return _store_vectors(rows, document_vectors(parts, embeddings.vectors), model)


def _store_vectors(rows: Sequence[Opportunity], vectors: Sequence[list[float]], model: str) -> int:
    categories = _category_vectors(model) if model == embedding_model() else []
    with transaction.atomic():
        columns = columns_to_write(model)
        if columns is None:
            return 0
        # Only where the content is still the one that was embedded: a later edit has queued the row anew.
        locked = Opportunity.objects.select_for_update().filter(id__in=[row.id for row in rows])
        unchanged = dict(locked.values_list("id", "content_hash"))
        stored = []
        for row, vector in zip(rows, vectors, strict=True):
            if unchanged.get(row.id) == row.content_hash:
                for name, value in columns.values(vector, model, row.content_hash).items():
                    setattr(row, name, value)
                row.category_id = _nearest_category(vector, categories) if row.is_category_inferred and categories else row.category_id
                stored.append(row)
        Opportunity.objects.bulk_update(stored, [columns.vector, columns.model, columns.hash, "category"])
    return len(rows)


def _nearest_category(vector: Sequence[float], categories: Sequence[tuple[uuid.UUID, list[float]]]) -> uuid.UUID | None:
    best, key = max(((_dot(vector, other), key) for key, other in categories), default=(0.0, None))  # type: ignore[type-var]
    return key if best >= _CATEGORY_NEAR_ENOUGH else None


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def _category_vectors(model: str) -> list[tuple[uuid.UUID, list[float]]]:
    rows = Category.objects.active().embedded_with(model).values_list("id", columns_of(model).vector)
    return [(key, list(vector)) for key, vector in rows if vector is not None]


def embed_terms(*, limit: int = 512, model: str = "") -> int:
    """Give vectors of `model`, or else the one in force, to categories and skills of its queue. Returns how many were done."""
    model = model or embedding_model()
    return embed_categories(model, limit) + embed_skills(model, limit)


def embed_categories(model: str, limit: int) -> int:
    return _embed_some(Category, model, limit)


def embed_skills(model: str, limit: int) -> int:
    return _embed_some(Skill, model, limit)


def _embed_some(table: Any, model: str, limit: int) -> int:
    rows = list(table.objects.waiting_for(model).order_by("id")[:limit])
    try:
        embeddings = embed(texts=[_term_text(row) for row in rows], purpose="catalog.index", model=model)
    except EngineError as error:
        logger.warning("embedding engine out, terms stay queued", outcome=error.outcome, waiting=len(rows))
        return 0
    with transaction.atomic():
        columns = columns_to_write(model)
        if columns is None:
            return 0
        for row, vector in zip(rows, embeddings.vectors, strict=True):
            same = table.objects.filter(id=row.id, content_hash=row.content_hash)
            same.update(**columns.values(vector, model, row.content_hash))
    return len(rows)


def _term_text(row: Category | Skill) -> str:
    return f"{row.name}. {row.description}" if isinstance(row, Category) else row.name


def embed_query(text: str, *, purpose: str, user_id: uuid.UUID | None = None, model: str = "") -> tuple[list[float], str]:
    """The vector of a query or a profile, and its model.

    Raises:
        EngineError: the caller then ranks by words alone.
    """
    embeddings = embed(texts=query_parts(text), purpose=purpose, user_id=user_id, model=model)
    return query_vector(embeddings.vectors), embeddings.model
