from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import structlog
from django.contrib.postgres.search import TrigramWordSimilarity
from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Case, Prefetch, Q, QuerySet, Value, When
from django.utils.translation import get_language

from ai.errors import EngineError
from ai.services.spaces import serving_space
from catalog.enums import ReactionKind, TermState
from catalog.lexical import read_query
from catalog.models import Category, Opportunity, Reaction, Skill
from catalog.querysets import OpportunityQuerySet, Viewer
from catalog.services.documents import title_key
from catalog.services.indexing import embed_query
from catalog.services.places import Point
from catalog.services.search_text import read_search_text
from catalog.services.taxonomy import present_ids
from core.querysets import COLUMNS_OF_VECTORS
from core.replicas import alias_of_reads

logger = structlog.get_logger(__name__)

_DEEPEST_TREE = 8


@dataclasses.dataclass
class CategoryNode:
    """A category with its part of the tree. `count` is what the viewer would see under it, its descendants included. The name is in the
    language of the request where the taxonomy has it."""

    id: uuid.UUID
    slug: str
    name: str
    description: str
    count: int
    children: list[CategoryNode]


@dataclasses.dataclass(frozen=True)
class SearchResult:
    """Hits in order; why the vector leg stayed out, if it did; words that stand nowhere with the stems that were taken instead; and the
    long forms that acronyms were taken for."""

    hits: list[Opportunity]
    degraded_because: str = ""
    corrections: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    acronyms: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Facets:
    """How many of some opportunities there are of each kind, in each category, and so on."""

    total: int
    kinds: dict[str, int]
    categories: dict[str, int]
    languages: dict[str, int]
    remote: dict[str, int]


def category_tree(viewer: Viewer) -> list[CategoryNode]:
    """The roots of the tree as this viewer sees it; two queries however deep it is."""
    counted = Category.objects.visible_to(viewer).with_visible_counts(Opportunity.objects.listed_for(viewer))
    rows = list(counted.order_by("name").values("id", "slug", "name", "description", "translations", "parent_id", "own_count"))
    by_parent: dict[uuid.UUID | None, list[dict[str, Any]]] = {}
    for row in rows:
        by_parent.setdefault(row["parent_id"], []).append(row)
    return [_node(row, by_parent, _DEEPEST_TREE) for row in by_parent.get(None, [])]


def _node(row: dict[str, Any], by_parent: dict[uuid.UUID | None, list[dict[str, Any]]], depth: int) -> CategoryNode:
    children = [_node(child, by_parent, depth - 1) for child in by_parent.get(row["id"], [])] if depth else []
    count = row["own_count"] + sum(child.count for child in children)
    return CategoryNode(row["id"], row["slug"], name_in_language(row["name"], row["translations"]), row["description"], count, children)


def name_in_language(name: str, translations: dict[str, str]) -> str:
    """The name in the language of the request, or in its main form, or as it is."""
    language = get_language() or "en"
    return translations.get(language) or translations.get(language.partition("-")[0]) or name


def successors_of_category(slug: str) -> list[Category]:
    """Where a replaced category leads today; empty for one that never was, or is gone."""
    replaced = Category.objects.filter(slug=slug, state=TermState.REPLACED).values_list("pk", flat=True)
    return list(Category.objects.filter(pk__in=present_ids(Category, list(replaced))).only("slug"))


def skills_for_search(text: str) -> QuerySet[Skill]:
    """Active skills by part of their name or of another name, the nearest spelling first; all of them by name without a text."""
    rows: QuerySet[Skill] = Skill.objects.active().defer(*COLUMNS_OF_VECTORS)
    if not text:
        return rows.order_by("name", "pk")
    likeness = TrigramWordSimilarity(text, "name")
    exact = Case(When(keys__contains=[title_key(text)], then=Value(1.0)), default=Value(0.0))
    found = rows.annotate(likeness=likeness, exact=exact).filter(Q(name__trigram_word_similar=text) | Q(keys__contains=[title_key(text)]))
    return found.order_by("-exact", "-likeness", "name", "pk")


def skill_now(skill_id: uuid.UUID) -> list[Skill]:
    """A skill, or where it leads if it was replaced; empty if it never was, or is gone."""
    return list(Skill.objects.filter(pk__in=present_ids(Skill, [skill_id])).defer(*COLUMNS_OF_VECTORS))


def category_node(viewer: Viewer, slug: str) -> CategoryNode | None:
    """One category with what is below it."""
    waiting = category_tree(viewer)
    while waiting:
        node = waiting.pop()
        if node.slug == slug:
            return node
        waiting += node.children
    return None


def reactions_for(viewer: Viewer, kind: ReactionKind) -> QuerySet[Reaction]:
    """What a person saved, dismissed or applied for, with each opportunity whatever has become of it, newest first."""
    cards = Opportunity.objects.all().for_cards()
    rows: QuerySet[Reaction] = Reaction.objects.visible_to(viewer).of_kind(kind)
    return rows.prefetch_related(Prefetch("opportunity", queryset=cards))


def search_opportunities(
    rows: OpportunityQuerySet, *, text: str, limit: int, user_id: uuid.UUID | None = None, here: Point | None = None
) -> SearchResult:
    """Hybrid search among `rows`, for words, "exact phrases" and -excluded ones. Without an embedding engine the words decide alone, and
    the result says so. With `here` each hit has its `distance_km`."""
    asked = read_search_text(text)
    rows = rows.with_phrases(asked.phrases, asked.excluded)
    if not asked.text:
        return SearchResult(_newest(rows, limit))
    words = read_query(asked.expanded)
    because = ""
    vector, space = None, serving_space()
    try:
        vector, _ = embed_query(asked.expanded, purpose="catalog.search", user_id=user_id, model=space.model)
    except EngineError as error:
        logger.warning("search by words only", outcome=error.outcome)
        because = str(error.outcome)
    hits = rows.ranked_for(vector, model=space.model, columns=space.columns, words=words, limit=limit)
    for hit in hits:
        hit.distance_km = _distance(hit, here)
    return SearchResult(hits, because, words.corrections if words else {}, asked.meant)


def _newest(rows: OpportunityQuerySet, limit: int) -> list[Opportunity]:
    """For who says only what they do not want."""
    hits = list(rows.prefetch_related(None).for_cards().order_by("-pk")[:limit])
    for hit in hits:
        hit.score = hit.vector_score = hit.lexical_score = 0.0
        hit.distance_km = None
    return hits


def _distance(row: Opportunity, here: Point | None) -> float | None:
    if here is None or row.latitude is None or row.longitude is None:
        return None
    return round(here.kilometres_to(Point(row.latitude, row.longitude)), 1)


_FACETS = """
SELECT GROUPING(kind, category, language, remote), kind, category, language, remote, count(*)
FROM ({rows}) AS row(kind, category, language, remote)
GROUP BY GROUPING SETS ((kind), (category), (language), (remote), ())
ORDER BY 6 DESC, 2, 3, 4, 5
"""


def facets_of(rows: OpportunityQuerySet) -> Facets:
    """The counts of each facet, largest first; one query. What is not known of an opportunity is counted under ""."""
    remote = Case(When(is_remote=True, then=Value("true")), When(is_remote=False, then=Value("false")), default=Value(""))
    columns = rows.order_by().annotate(remote=remote).values_list("kind", "category__slug", "language", "remote")
    counts: dict[int, dict[str, int]] = {0b0111: {}, 0b1011: {}, 0b1101: {}, 0b1110: {}, 0b1111: {}}
    try:
        sql, parameters = columns.query.sql_with_params()
    except EmptyResultSet:
        return Facets(0, {}, {}, {}, {})
    with connections[alias_of_reads()].cursor() as cursor:
        cursor.execute(_FACETS.format(rows=sql), parameters)
        for grouping, *values, count in cursor.fetchall():
            counts[grouping][next((value for value in values if value), "")] = count
    return Facets(counts[0b1111].get("", 0), counts[0b0111], counts[0b1011], counts[0b1101], counts[0b1110])
