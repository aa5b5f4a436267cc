"""What the catalogue holds: nothing about people, but for who of staff posted an opportunity. See `core.privacy`."""

from __future__ import annotations

from catalog.models import Category, CorpusStatistics, ImportRefusal, ImportRun, Lexeme, Occupation, Opportunity, Skill
from core.privacy import OnErasure, declare

_BASE = ("id", "created_at", "updated_at")
_VECTOR = (
    *("content_hash", "embedding", "embedding_model", "embedded_hash"),
    *("twin_embedding", "twin_embedding_model", "twin_embedded_hash"),
)

declare(Category, none=(*_BASE, *_VECTOR, "source_id", "slug", "name", "description", "parent", "state"))
declare(Skill, none=(*_BASE, *_VECTOR, "source", "source_id", "name", "alternative_names", "keys", "description", "state"))
declare(Occupation, none=(*_BASE, "source", "source_id", "title", "alternative_titles", "skill_names", "keys", "state"))
declare(
    Opportunity,
    subject="posted_by_id",
    on_erasure=OnErasure.CLEAR,
    cleared={"posted_by": None},
    none=(
        *(*_BASE, *_VECTOR, "source", "source_id", "kind", "state", "title", "description", "organisation", "location", "is_remote"),
        *("url", "language", "licence", "tags", "starts_on", "ends_on", "deadline_on", "category", "is_category_inferred", "last_import"),
        *("alternative_titles", "skill_terms", "search_vector", "lexical_weights"),
    ),
    personal=("posted_by",),
)
declare(Opportunity.skills.through, none=("id", "opportunity", "skill"))
declare(Lexeme, none=("lexeme", "document_count"))
declare(CorpusStatistics, none=("id", "documents", "average_length", "counted_at"))
declare(
    ImportRun,
    none=(*_BASE, "kind", "file_name", "checksum", "state", "added", "changed", "unchanged", "retired", "refused", "finished_at"),
)
declare(ImportRefusal, none=(*_BASE, "run", "line", "reason"))
