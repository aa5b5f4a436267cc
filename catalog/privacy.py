"""What the catalogue holds: about people only who posts, and what they did with opportunities. See `core.privacy`."""

from __future__ import annotations

from catalog.models import (
    Category,
    CorpusStatistics,
    ImportRefusal,
    ImportRun,
    Lexeme,
    Occupation,
    Opportunity,
    Organisation,
    OrganisationMember,
    PostingReview,
    Reaction,
    SavedSearch,
    Skill,
)
from core.privacy import OnErasure, declare

_BASE = ("id", "created_at", "updated_at")
_VECTOR = (
    *("content_hash", "embedding", "embedding_model", "embedded_hash"),
    *("twin_embedding", "twin_embedding_model", "twin_embedded_hash"),
)

declare(Category, none=(*_BASE, *_VECTOR, "source_id", "slug", "name", "description", "translations", "parent", "state"))
declare(
    Skill,
    none=(*_BASE, *_VECTOR, "source", "source_id", "name", "alternative_names", "keys", "description", "translations", "same_as", "state"),
)
declare(Category.successors.through, none=("id", "from_category", "to_category"))
declare(Skill.successors.through, none=("id", "from_skill", "to_skill"))
declare(Occupation, none=(*_BASE, "source", "source_id", "title", "alternative_titles", "skill_names", "keys", "state"))
declare(
    Opportunity,
    subject="posted_by_id",
    on_erasure=OnErasure.CLEAR,
    cleared={"posted_by": None},
    none=(
        *(*_BASE, *_VECTOR, "source", "source_id", "kind", "state", "title", "description", "organisation", "location", "is_remote"),
        *(
            "url",
            "language",
            "licence",
            "tags",
            "starts_on",
            "ends_on",
            "deadline_on",
            "category",
            "is_category_inferred",
            "last_import",
            "latitude",
            "longitude",
        ),
        *("alternative_titles", "skill_terms", "search_vector", "lexical_weights", "sketch", "duplicate_of", "posting_organisation"),
        *("deadline_zone", "open_until", "published_at", "confirmed_at", "confirmation_asked_at"),
    ),
    personal=("posted_by",),
)
declare(Opportunity.skills.through, none=("id", "opportunity", "skill"))
declare(Organisation, none=(*_BASE, "slug", "name", "website", "state", "verified_at"))
declare(
    OrganisationMember,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "user"),
    personal=("organisation", "role"),
)
declare(
    PostingReview,
    none=(*_BASE, "opportunity", "state", "signals", "excerpts", "note", "decided_by", "decided_at"),
)
declare(
    Reaction,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "user"),
    personal=("opportunity", "opened_at", "saved_at", "dismissed_at", "dismissed_because", "applied_at"),
)
declare(
    SavedSearch,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "user", "is_notifying", "looked_until"),
    personal=("name", "filters"),
)
declare(
    SavedSearch.found.through,
    subject="savedsearch__user_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "savedsearch"),
    personal=("opportunity",),
)
declare(Lexeme, none=("lexeme", "document_count"))
declare(CorpusStatistics, none=("id", "documents", "average_length", "counted_at"))
declare(
    ImportRun,
    none=(
        *_BASE,
        "kind",
        "file_name",
        "checksum",
        "state",
        "added",
        "changed",
        "unchanged",
        "retired",
        "refused",
        "duplicates",
        "finished_at",
        "missing",
        "missing_examples",
        "failure",
        "notes",
    ),
)
declare(ImportRefusal, none=(*_BASE, "run", "line", "reason"))
