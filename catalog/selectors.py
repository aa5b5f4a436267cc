from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import structlog

from ai.errors import EngineError
from ai.services.spaces import serving_space
from catalog.models import Category, Opportunity
from catalog.querysets import OpportunityQuerySet, Viewer
from catalog.services.indexing import embed_query

logger = structlog.get_logger(__name__)

_DEEPEST_TREE = 8


@dataclasses.dataclass
class CategoryNode:
    """A category with its part of the tree. `count` is what the viewer would see under it, its descendants included."""

    id: uuid.UUID
    slug: str
    name: str
    description: str
    count: int
    children: list[CategoryNode]


@dataclasses.dataclass(frozen=True)
class SearchResult:
    """Hits in order, and why the vector leg stayed out, if it did."""

    hits: list[Opportunity]
    degraded_because: str = ""


def category_tree(viewer: Viewer) -> list[CategoryNode]:
    """The roots of the tree as this viewer sees it; two queries however deep it is."""
    counted = Category.objects.visible_to(viewer).with_visible_counts(Opportunity.objects.visible_to(viewer))
    rows = list(counted.order_by("name").values("id", "slug", "name", "description", "parent_id", "own_count"))
    by_parent: dict[uuid.UUID | None, list[dict[str, Any]]] = {}
    for row in rows:
        by_parent.setdefault(row["parent_id"], []).append(row)
    return [_node(row, by_parent, _DEEPEST_TREE) for row in by_parent.get(None, [])]


def _node(row: dict[str, Any], by_parent: dict[uuid.UUID | None, list[dict[str, Any]]], depth: int) -> CategoryNode:
    children = [_node(child, by_parent, depth - 1) for child in by_parent.get(row["id"], [])] if depth else []
    count = row["own_count"] + sum(child.count for child in children)
    return CategoryNode(row["id"], row["slug"], row["name"], row["description"], count, children)


def category_node(viewer: Viewer, slug: str) -> CategoryNode | None:
    """One category with what is below it."""
    waiting = category_tree(viewer)
    while waiting:
        node = waiting.pop()
        if node.slug == slug:
            return node
        waiting += node.children
    return None


def search_opportunities(rows: OpportunityQuerySet, *, text: str, limit: int, user_id: uuid.UUID | None = None) -> SearchResult:
    """Hybrid search among `rows`. Without an embedding engine the words decide alone, and the result says so."""
    because = ""
    vector, space = None, serving_space()
    try:
        vector, _ = embed_query(text, purpose="catalog.search", user_id=user_id, model=space.model)
    except EngineError as error:
        logger.warning("search by words only", outcome=error.outcome)
        because = str(error.outcome)
    hits = rows.ranked_for(vector, model=space.model, columns=space.columns, text=text, limit=limit)
    return SearchResult(hits=hits, degraded_because=because)
