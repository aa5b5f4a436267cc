"""The tables of the catalogue in a change of the embedding model: how much there is to read, and how two models compare on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Sum, TextField
from django.db.models.functions import MD5, Cast, Length

from ai.services.spaces import Comparison, Table, register_table
from ai.services.text import embed
from catalog.models import Category, Opportunity, Skill
from catalog.services.indexing import embed_categories, embed_opportunities, embed_skills
from core.querysets import VectorQuerySet

_QUESTIONS = 200
_DEPTH = 10


def compare_skills(before: str, after: str) -> Comparison:
    """Ask for skills by their other names. The skill that is called so is the right answer, so this has an nDCG."""
    asked = [(skill.pk, skill.alternative_names[0]) for skill in _sample(Skill.objects.active().exclude(alternative_names=[]))]
    rankings = _rankings(Skill.objects.active(), [text for _, text in asked], before, after)
    gains = [[_gain(ranking, key) for ranking, (key, _) in zip(side, asked, strict=True)] for side in rankings]
    return Comparison("skills by their other names", len(asked), _overlap(*rankings), _mean(gains[0]), _mean(gains[1]))


def compare_opportunities(before: str, after: str) -> Comparison:
    """Ask for opportunities that are like one of them."""
    texts = [opportunity.title for opportunity in _sample(Opportunity.objects.open())]
    return Comparison("opportunities like one of them", len(texts), _overlap(*_rankings(Opportunity.objects.open(), texts, before, after)))


def _sample(rows: VectorQuerySet[Any]) -> list[Any]:
    """The same rows each time, from all over the table: a digest of the id puts them in an order of chance."""
    return list(rows.order_by(MD5(Cast("id", TextField()))).only("id", *_NAMES[rows.model])[:_QUESTIONS])


_NAMES: dict[Any, tuple[str, ...]] = {Skill: ("alternative_names",), Opportunity: ("title",)}


def _rankings(rows: VectorQuerySet[Any], texts: Sequence[str], before: str, after: str) -> tuple[list[list[Any]], list[list[Any]]]:
    def ranked(model: str) -> list[list[Any]]:
        vectors = embed(texts=texts, purpose="catalog.compare", model=model).vectors
        return [[key for key, _ in rows.nearest(vector, model=model, limit=_DEPTH)] for vector in vectors]

    return ranked(before), ranked(after)


def _overlap(before: Sequence[Sequence[Any]], after: Sequence[Sequence[Any]]) -> float:
    shares = [len(set(left) & set(right)) / len(left) for left, right in zip(before, after, strict=True) if left]
    return _mean(shares)


def _gain(ranking: Sequence[Any], answer: Any) -> float:
    """nDCG@10 with one right answer."""
    return 1 / math.log2(ranking.index(answer) + 2) if answer in ranking else 0.0


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 1.0


def _characters(table: Any, *columns: str) -> Callable[[], int]:
    return lambda: sum(int(table.objects.aggregate(total=Sum(Length(column)))["total"] or 0) for column in columns)


register_table(Table("categories", Category, embed_categories, _characters(Category, "name", "description")))
register_table(Table("skills", Skill, embed_skills, _characters(Skill, "name"), compare_skills))
register_table(
    Table(
        "opportunities",
        Opportunity,
        lambda model, limit: embed_opportunities(limit=limit, model=model),
        _characters(Opportunity, "title", "description", "alternative_titles", "skill_terms"),
        compare_opportunities,
    )
)
