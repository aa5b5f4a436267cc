from __future__ import annotations

import dataclasses
import functools
import uuid
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.search import SearchQuery
from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.models import Count, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from accounts.models import Block, User
from accounts.querysets import OwnedQuerySet
from catalog.enums import Leg, OpportunityState, OrganisationState, ReactionKind, TermState
from catalog.lexical import LexicalQuery, read_query
from core.prepared import ModelReader, fetch_all, fetch_planned
from core.querysets import COLUMNS_OF_VECTORS, QueryVector, Vector, VectorQuerySet, columns_of
from core.vectors import Columns

if TYPE_CHECKING:
    from catalog.models import Category, Opportunity, Organisation, Skill  # noqa: F401  (base classes name them as strings)

Viewer = User | AnonymousUser
REACTION_FIELDS = {
    ReactionKind.OPEN: "opened_at",
    ReactionKind.SAVE: "saved_at",
    ReactionKind.DISMISS: "dismissed_at",
    ReactionKind.APPLY: "applied_at",
}
BOTH_LEGS = frozenset({Leg.LEXICAL, Leg.VECTOR})
# What one leg hands to the fusion: as many rows as the index has in view at once (`hnsw.ef_search`), so that it is walked once. Each row
# that a leg names gets both scores exactly: half as many again took a quarter longer and ranked no better.
POOL = 80
# How much a full match of the words counts beside the cosine of the meaning (0..1 each). Chosen on eval_dev: between 0.8 and 1.2
# every set is best fused; see docs/decisions/0005-fusion.md.
LEXICAL_WEIGHT = 1.0
# So many rows are weighed for the words of a query; see `OpportunityQuerySet.matching_words`.
_MOST_WEIGHED = 8_000

_FUSION = """
WITH vector_leg AS MATERIALIZED ({vector_leg}),
lexical_leg AS MATERIALIZED ({lexical_leg}),
candidate AS (SELECT pk FROM vector_leg UNION SELECT pk FROM lexical_leg),
scored AS (
    SELECT row.id AS pk,
        CASE WHEN row.{model} = %s THEN coalesce(1 - (row.{vector} <=> %s::halfvec), 0) ELSE 0 END AS vector_score,
        CASE WHEN %s::float > 0
            THEN coalesce(-(row.lexical_weights <#> %s::sparsevec) / nullif(%s::float, 0), 0) ELSE 0 END AS lexical_score
    FROM candidate JOIN {table} AS row ON row.id = candidate.pk
),
best AS (SELECT *, vector_score + %s::float * lexical_score AS score FROM scored ORDER BY score DESC, pk LIMIT %s)
SELECT best.score, best.vector_score, best.lexical_score,
    ARRAY(SELECT link.skill_id FROM {links} AS link WHERE link.opportunity_id = row.id), {columns}, {category_columns}
FROM best JOIN {table} AS row ON row.id = best.pk LEFT JOIN {categories} AS category ON category.id = row.category_id
ORDER BY best.score DESC, row.id
"""
_SKILLS = "SELECT {columns} FROM {skills} AS skill WHERE id = ANY(%s::uuid[]) ORDER BY name"
_EMPTY_LEG = "SELECT NULL::uuid AS pk WHERE false"
INDEX_COLUMNS = frozenset({*COLUMNS_OF_VECTORS, "search_vector", "lexical_weights", "sketch"})


class CategoryQuerySet(VectorQuerySet["Category"]):
    def active(self) -> Self:
        return self.filter(state=TermState.ACTIVE)

    def visible_to(self, user: Viewer) -> Self:
        """Everybody sees the active tree; staff also see what a source has retired."""
        return self if user.is_staff else self.active()

    def with_visible_counts(self, opportunities: OpportunityQuerySet) -> Self:
        """Annotates `own_count`: how many of the given opportunities stand directly in each category."""
        visible = opportunities.order_by().values("pk")
        return self.annotate(own_count=Count("opportunities", filter=Q(opportunities__in=visible)))


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def visible_to(self, user: Viewer) -> Self:
        """Everybody sees who was checked; members see their own in every state; staff see all."""
        if user.is_staff:
            return self
        checked = self.filter(state=OrganisationState.VERIFIED)
        if not user.is_authenticated:
            return checked
        return checked | self.filter(pk__in=_table("OrganisationMember").filter(user_id=user.pk).values("organisation_id"))


class ReactionQuerySet(OwnedQuerySet):
    def of_kind(self, kind: ReactionKind) -> Self:
        return self.filter(**{f"{REACTION_FIELDS[kind]}__isnull": False})


class SkillQuerySet(VectorQuerySet["Skill"]):
    def active(self) -> Self:
        return self.filter(state=TermState.ACTIVE)


@dataclasses.dataclass(frozen=True)
class _Question:
    """A ranked query, ready for SQL."""

    vector: Vector | None
    model: str
    columns: Columns
    words: LexicalQuery | None
    limit: int


class OpportunityQuerySet(VectorQuerySet["Opportunity"]):
    def open(self) -> Self:
        """Live, and neither its deadline nor its end has passed, to the instant: nothing waits for the task that marks what expired."""
        return self.filter(Q(open_until__isnull=True) | Q(open_until__gt=Now()), state=OpportunityState.LIVE)

    def listed_for(self, user: Viewer) -> Self:
        """What this person, staff or not, meets in lists, searches, counts and recommendations: open, and from nobody with whom they
        have blocked each other."""
        return self.open().apart_from(user)

    def apart_from(self, user: Viewer) -> Self:
        """Without what was posted by people whom this person blocked, or who blocked them."""
        if not user.is_authenticated:
            return self
        blocked = Block.objects.filter(blocker_id=user.pk).values("blocked_id")
        blocking = Block.objects.filter(blocked_id=user.pk).values("blocker_id")
        return self.filter(Q(posted_by__isnull=True) | ~Q(posted_by__in=blocked) & ~Q(posted_by__in=blocking))

    def visible_to(self, user: Viewer) -> Self:
        """What this person may look at by its address: what is listed for them, and their own in every state. Staff see everything."""
        if user.is_staff:
            return self
        return self.listed_for(user) | self.managed_by(user)

    def managed_by(self, user: Viewer) -> Self:
        """What this person posted, alone or for an organisation of which they are a member."""
        if not user.is_authenticated:
            return self.none()
        own = _table("OrganisationMember").filter(user_id=user.pk).values("organisation_id")
        return self.filter(Q(posted_by=user.pk, posting_organisation__isnull=True) | Q(posting_organisation__in=own))

    def untouched_by(self, user: Viewer) -> Self:
        """Without what this person has dismissed or applied for."""
        if not user.is_authenticated:
            return self
        gone = _table("Reaction").filter(Q(dismissed_at__isnull=False) | Q(applied_at__isnull=False), user_id=user.pk)
        return self.exclude(pk__in=gone.values("opportunity_id"))

    def for_cards(self) -> Self:
        """With what a card shows, and without the wide index columns."""
        return (
            self.select_related("category")
            .prefetch_related(_skills())
            .defer(*INDEX_COLUMNS, *(f"category__{name}" for name in COLUMNS_OF_VECTORS))
        )

    def for_managing(self) -> Self:
        """With what its poster sees beside the card."""
        return self.for_cards().select_related("category", "posting_organisation").prefetch_related("reviews")

    def with_phrases(self, phrases: Sequence[str], excluded: Sequence[str] = ()) -> Self:
        """Rows in which all of these stand, word after word, and none of the excluded."""
        rows = self
        for phrase in phrases:
            rows = rows.filter(search_vector=SearchQuery(phrase, config="soosh", search_type="phrase"))
        for phrase in excluded:
            rows = rows.exclude(search_vector=SearchQuery(phrase, config="soosh", search_type="phrase"))
        return rows

    def near(self, latitude: float, longitude: float, *, kilometres: float) -> Self:
        """Rows whose place is not further away than this, along the great circle."""
        table = f'"{self.model._meta.db_table}"'
        place = f"ll_to_earth({table}.latitude, {table}.longitude)"
        sql = (
            f"{table}.latitude IS NOT NULL AND {table}.longitude IS NOT NULL AND earth_box(ll_to_earth(%s, %s), %s) @> {place} "
            f"AND earth_distance(ll_to_earth(%s, %s), {place}) <= %s"
        )
        metres = kilometres * 1000
        here = (latitude, longitude, metres)
        return self.filter(RawSQL(sql, (*here, *here), output_field=models.BooleanField()))

    def under(self, category_ids: Sequence[uuid.UUID]) -> Self:
        """In one of these categories or anywhere below them."""
        return self.filter(category_id__in=RawSQL(_DESCENDANTS, (list(category_ids),)))

    def ranked_for(
        self,
        vector: Vector | None,
        *,
        model: str,
        columns: Columns | None = None,
        text: str = "",
        words: LexicalQuery | None = None,
        limit: int = 20,
        legs: Collection[Leg] = BOTH_LEGS,
    ) -> list[Opportunity]:
        """The best of the rows that this queryset matches, each with `score`, `vector_score`, `lexical_score` and `matched_by`.

        Meaning (cosine with `vector`, made by `model`) and words (BM25 with `text`, or with `words` that were read already, as a share of
        the best score that they could reach) are found and fused in one SQL statement. A leg that has nothing to say adds nothing: where
        no word of the text
        is known the words count 0 for every row, and without a vector the words decide alone.

        Never fewer than min(limit, matching rows with a vector) rows when `vector` is given.
        """
        use_vector = vector is not None and Leg.VECTOR in legs
        if Leg.LEXICAL not in legs:
            words = None
        elif words is None and text:
            words = read_query(text)
        columns = columns or columns_of(model)
        question = _Question(vector if use_vector else None, model, columns, words, limit)
        exact = not use_vector or self.is_scanned_exactly(columns, model)
        found = self._fused(question, exact=exact)
        if not exact and len(found) < limit:
            found = self._fused(question, exact=True)
        return found

    def _fused(self, question: _Question, *, exact: bool) -> list[Opportunity]:
        vector_sql, vector_parameters = self._vector_leg(question, exact=exact)
        lexical_sql, lexical_parameters = self._lexical_leg(question)
        category = apps.get_model("catalog", "Category")
        sql = _FUSION.format(
            vector_leg=vector_sql,
            lexical_leg=lexical_sql,
            table=self.model._meta.db_table,
            links=self.model.skills.through._meta.db_table,
            columns=_reader(self.model).columns("row"),
            categories=category._meta.db_table,
            category_columns=_reader(category).columns("category"),
            vector=question.columns.vector,
            model=question.columns.model,
        )
        vector = QueryVector(question.vector) if question.vector is not None else None
        words = question.words
        best = words.best_score if words else 0.0
        scores = (question.model, vector, best, words.weights if words else None, best)
        parameters = (*vector_parameters, *lexical_parameters, *scores, LEXICAL_WEIGHT, question.limit)
        return self._with_category_and_skills(fetch_planned(sql, parameters))

    def _with_category_and_skills(self, rows: Sequence[tuple[Any, ...]]) -> list[Opportunity]:
        """Instances of what `_FUSION` selects, with what a card shows: what Django would ask three queries and half the time for."""
        reader, category_reader = _reader(self.model), _reader(apps.get_model("catalog", "Category"))
        skill_model = apps.get_model("catalog", "Skill")
        skill_ids = list({key for row in rows for key in row[3]})
        sql = _SKILLS.format(columns=_reader(skill_model).columns("skill"), skills=skill_model._meta.db_table)
        skills = [_reader(skill_model).instance(self.db, row) for row in (fetch_all(sql, (skill_ids,)) if skill_ids else ())]
        width = len(reader.fields)
        found = []
        for score, vector_score, lexical_score, own_skills, *values in rows:
            opportunity: Any = reader.instance(self.db, values[:width])
            opportunity.score, opportunity.vector_score, opportunity.lexical_score = score, vector_score, lexical_score
            category = category_reader.instance(self.db, values[width:]) if opportunity.category_id else None
            self.model._meta.get_field("category").set_cached_value(opportunity, category)
            opportunity._prefetched_objects_cache = {"skills": _fetched(skill_model, [skill for skill in skills if skill.pk in own_skills])}
            found.append(opportunity)
        return found

    def _vector_leg(self, question: _Question, *, exact: bool) -> tuple[str, Sequence[Any]]:
        if question.vector is None:
            return _EMPTY_LEG, ()
        nearest = self.nearest_first(question.vector, model=question.model, exact=exact, columns=question.columns)
        return _leg_sql(nearest.values("pk")[: max(POOL, question.limit)])

    def _lexical_leg(self, question: _Question) -> tuple[str, Sequence[Any]]:
        if question.words is None or not question.words.candidates:
            return _EMPTY_LEG, ()
        return _leg_sql(self.matching_words(question.words).values("pk")[: max(POOL, question.limit)])

    def matching_words(self, words: LexicalQuery) -> Self:
        """Rows in which one of the rarest words stands, in the order of their BM25 scores."""
        table = f'"{self.model._meta.db_table}"'
        matches = RawSQL(f'{table}."search_vector" @@ %s::tsquery', (words.candidates,), output_field=models.BooleanField())
        weight = RawSQL(f'{table}."lexical_weights" <#> %s::sparsevec', (words.weights,), output_field=models.FloatField())
        found = self.filter(matches)
        if words.candidate_rows > _MOST_WEIGHED:
            # A word that stands everywhere tells little; weighing every row for it would take longer than all the rest.
            found = type(self)(self.model, using=self.db).filter(pk__in=found.order_by().values("pk")[:_MOST_WEIGHED])
        return found.annotate(weight=weight).order_by("weight")


@functools.cache
def _reader(model: type[models.Model]) -> ModelReader[Any]:
    return ModelReader(model, without=INDEX_COLUMNS)


def _fetched(model: type[models.Model], rows: list[Any]) -> models.QuerySet[Any]:
    """A queryset that has its rows already, as prefetching leaves it."""
    found: Any = model._default_manager.all()
    found._result_cache, found._prefetch_done = rows, True
    return found  # type: ignore[no-any-return]  # reached by private names


def _table(name: str) -> models.Manager[Any]:
    """Another table of this app: its module imports this one."""
    return apps.get_model("catalog", name)._default_manager


def _skills() -> models.Prefetch[Any]:
    return models.Prefetch("skills", _table("Skill").defer(*COLUMNS_OF_VECTORS))


_DESCENDANTS = """
WITH RECURSIVE branch AS (
    SELECT id FROM catalog_category WHERE id = ANY(%s)
    UNION SELECT child.id FROM catalog_category AS child JOIN branch ON child.parent_id = branch.id
) SELECT id FROM branch
"""


def _leg_sql(rows: models.QuerySet[Any, Any]) -> tuple[str, Sequence[Any]]:
    try:
        sql, parameters = rows.query.sql_with_params()
    except EmptyResultSet:
        # Django knows without asking that nothing matches.
        return _EMPTY_LEG, ()
    return f"SELECT leg.pk FROM ({sql}) AS leg(pk)", parameters


__all__ = ("BOTH_LEGS", "CategoryQuerySet", "OpportunityQuerySet", "OrganisationQuerySet", "ReactionQuerySet", "SkillQuerySet")
