"""Merging and splitting of categories and skills. A replaced term keeps its row: its id, slug and source id lead to its successors."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from catalog.enums import TermState
from catalog.errors import TermNotReplaceable
from catalog.events import SkillReplaced
from catalog.models import Category, Opportunity, Skill
from catalog.services.indexing import index_opportunities
from core.events import publish

_REINDEX_BATCH = 500
Progress = Callable[[int], object]

# To the one of several successors whose meaning is nearest to the opportunity's; without vectors, to the first.
_TO_NEAREST_CATEGORY = """
UPDATE catalog_opportunity AS row SET category_id = coalesce(
    (
        SELECT successor.id FROM catalog_category AS successor
        WHERE successor.id = ANY(%(successors)s) AND successor.embedding_model = row.embedding_model
        ORDER BY successor.embedding <=> row.embedding LIMIT 1
    ),
    %(first)s
), updated_at = now()
WHERE row.category_id = %(replaced)s
"""
_LINK_SUCCESSORS = """
INSERT INTO catalog_opportunity_skills (opportunity_id, skill_id)
SELECT link.opportunity_id, successor FROM catalog_opportunity_skills AS link CROSS JOIN unnest(%(successors)s::uuid[]) AS successor
WHERE link.skill_id = %(replaced)s
ON CONFLICT DO NOTHING
"""


def replace_category(*, category: Category, successors: Sequence[Category]) -> None:
    """Merge a category into another one, or split it into several. Its opportunities move; after a split each to the one whose meaning is
    nearest to its own. Categories below it move below the successor.

    Raises:
        TermNotReplaceable: a successor is not active, or lies below the category; or it is split while others lie below it.
    """
    with transaction.atomic():
        below = Category.objects.select_for_update().filter(parent=category)
        if any(_is_under(successor, category) for successor in successors) or (len(successors) > 1 and below.exists()):
            raise TermNotReplaceable
        _mark_replaced(category, successors)
        below.update(parent=successors[0])
        with connection.cursor() as cursor:
            cursor.execute(_TO_NEAREST_CATEGORY, _parameters(category, successors) | {"first": successors[0].pk})


def replace_skill(*, skill: Skill, successors: Sequence[Skill], progress: Progress = lambda done: None) -> None:
    """Merge a skill into another one, or split it into several. Opportunities that ask for it ask for all of its successors from now on;
    after a merge the successor is also found by the old names. `progress` is told how many opportunities are indexed anew.

    Raises:
        TermNotReplaceable: a successor is not active.
    """
    with transaction.atomic():
        _mark_replaced(skill, successors)
        if len(successors) == 1:
            heir = Skill.objects.select_for_update().get(pk=successors[0].pk)
            heir.keys = sorted({*heir.keys, *skill.keys})
            heir.save(update_fields=["keys", "updated_at"])
        with connection.cursor() as cursor:
            cursor.execute(_LINK_SUCCESSORS, _parameters(skill, successors))
        links = Opportunity.skills.through.objects.filter(skill_id=skill.pk)
        affected = sorted(links.values_list("opportunity_id", flat=True))
        links.delete()
        publish(SkillReplaced(skill.pk, ",".join(str(successor.pk) for successor in successors)))
    # The words of a skill are part of a document. Broken off here, the rows are indexed anew when they next change.
    for start in range(0, len(affected), _REINDEX_BATCH):
        batch = affected[start : start + _REINDEX_BATCH]
        index_opportunities(batch)
        progress(len(batch))


def _mark_replaced(term: Any, successors: Sequence[Any]) -> None:
    table = type(term)
    locked = {row.pk: row for row in table.objects.select_for_update().filter(pk__in=[term.pk, *(row.pk for row in successors)])}
    if not successors or term.pk in {row.pk for row in successors} or any(row.state != TermState.ACTIVE for row in locked.values()):
        raise TermNotReplaceable
    table.objects.filter(pk=term.pk).update(state=TermState.REPLACED)
    term.successors.set(successors)


def _parameters(term: Model, successors: Sequence[Model]) -> dict[str, Any]:
    return {"replaced": term.pk, "successors": [successor.pk for successor in successors]}


def _is_under(category: Category, ancestor: Category) -> bool:
    above = category.parent
    while above is not None:
        if above.pk == ancestor.pk:
            return True
        above = above.parent
    return False


def present_ids(table: Any, term_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Where these terms lead today: themselves, or the end of their chains of successors; without those that were retired."""
    name = table._meta.db_table
    column = table._meta.model_name
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE chain AS (SELECT unnest(%s::uuid[]) AS id UNION "
            f"SELECT next.to_{column}_id FROM chain JOIN {name}_successors AS next ON next.from_{column}_id = chain.id) "
            f"SELECT term.id FROM chain JOIN {name} AS term ON term.id = chain.id WHERE term.state = %s ORDER BY term.id",
            (list(term_ids), TermState.ACTIVE),
        )
        return [found for (found,) in cursor.fetchall()]
