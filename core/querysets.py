"""Ranked retrieval with pgvector: the part that every table with a vector shares."""

from __future__ import annotations

import functools
import json
import struct
import time
from collections.abc import Hashable, Sequence
from typing import Any, Generic, Self, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.db.models.sql.query import Query
from django.db.models.sql.where import WhereNode
from psycopg import adapters
from psycopg.adapt import Dumper
from psycopg.pq import Format

from core.models import EmbeddingSpace
from core.prepared import fetch_planned
from core.vectors import COLUMNS, Column, Columns

Vector = Sequence[float]
# Fewer matching rows than this are ranked by an exact scan: measured, it is faster there than the index, and its recall is 1.
EXACT_BELOW_ROWS = 5_000
_DECIDED_SECONDS = 60
_MOST_DECISIONS = 1_000
# The index is asked for so many times the rows that are wanted. Where a filter leaves one row in ten of those in view, this makes pgvector
# look once more, and finds 99 % of the nearest instead of 97.7 %.
_SPARE = 2
# The planner's estimate of matching rows is believed only where it is off the mark by this factor.
_SURELY_MORE = 5

# Taking these in costs more than all the other columns of a row, and nobody reads them row by row.
COLUMNS_OF_VECTORS = tuple(columns.vector for columns in COLUMNS.values())

Row = TypeVar("Row", bound=models.Model)


@functools.cache
def _literal(length: int) -> str:
    return "[" + ",".join(["%.6g"] * length) + "]"


def vector_literal(vector: Vector) -> str:
    """pgvector's text form, for parameters of raw SQL."""
    return _literal(len(vector)) % tuple(vector)


class QueryVector:
    """A vector as a parameter of SQL, to be cast to halfvec. Statements whose parameters the server binds send its numbers as real[],
    others its text."""

    __slots__ = ("numbers",)

    def __init__(self, numbers: Vector) -> None:
        self.numbers = numbers


class _TextDumper(Dumper):
    def dump(self, vector: QueryVector) -> bytes:
        return vector_literal(vector.numbers).encode()


class _RealsDumper(Dumper):
    """PostgreSQL's binary form of real[]: one dimension, no nulls, the type of the members, their number, the first index; then each with
    its length before it (src/backend/utils/adt/arrayfuncs.c, `array_recv`)."""

    format = Format.BINARY
    oid = adapters.types["float4"].array_oid

    def dump(self, vector: QueryVector) -> bytes:
        count = len(vector.numbers)
        members: list[float] = [4, 0.0] * count
        members[1::2] = vector.numbers
        return _reals(count).pack(1, 0, adapters.types["float4"].oid, count, 1, *members)


@functools.cache
def _reals(count: int) -> struct.Struct:
    return struct.Struct(">iiiii" + "if" * count)


adapters.register_dumper(QueryVector, _TextDumper)
adapters.register_dumper(QueryVector, _RealsDumper)


def columns_of(model: str) -> Columns:
    """Where the vectors of a model stand; one query. A model without a space has none, wherever one looks."""
    column = EmbeddingSpace.objects.filter(model=model).values_list("column", flat=True).first()
    return COLUMNS[Column(column)] if column else COLUMNS[Column.FIRST]


def columns_to_write(model: str) -> Columns | None:
    """The same for a writer, and the space stays while the open transaction lasts. None if it was given up: then what was made of it
    must not be stored anywhere."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "column" FROM {EmbeddingSpace._meta.db_table} WHERE model = %s FOR SHARE', (model,))
        row = cursor.fetchone()
    return COLUMNS[Column(row[0])] if row else None


class VectorQuerySet(models.QuerySet[Row], Generic[Row]):
    """A queryset over a table of `EmbeddedModel`: halfvec of 384 numbers and unit length.

    Vectors of two models live in different spaces, so each method takes the model id and looks at no other rows.
    """

    def embedded_with(self, model: str) -> Self:
        """Rows with a vector that was made by `model`."""
        return self.in_space(columns_of(model), model)

    def in_space(self, columns: Columns, model: str) -> Self:
        """The same, for who knows the columns."""
        return self.filter(**{columns.model: model, f"{columns.vector}__isnull": False})

    def waiting_for(self, model: str) -> Self:
        """Rows without a vector of their present content by `model`: the embedding queue of its space.

        The column of a space holds vectors of its model alone, so the hash tells; and that has an index.
        """
        column = EmbeddingSpace.objects.filter(model=model).values_list("column", flat=True).first()
        columns = COLUMNS[Column(column or Column.FIRST)]
        stale = ~Q(content_hash=F(columns.hash))
        return self.exclude(content_hash="").filter(stale if column else stale | ~Q(**{columns.model: model}))

    def is_scanned_exactly(self, columns: Columns, model: str) -> bool:
        """Whether so few rows match that scanning them all beats the index. What was found for the same filter within the last minute is
        taken again: a wrong guess costs time, never rows."""
        key = _key_of(self, columns)
        known = _decisions.get(key) if key else None
        if known is not None and known[1] > time.monotonic():
            return known[0]
        decision = self.in_space(columns, model).has_fewer_than(EXACT_BELOW_ROWS)
        if key:
            if len(_decisions) >= _MOST_DECISIONS:
                _decisions.clear()
            _decisions[key] = (decision, time.monotonic() + _DECIDED_SECONDS)
        return decision

    def has_fewer_than(self, rows: int) -> bool:
        """Whether fewer than `rows` rows match. Counts no further than that, and not at all where the planner expects far more."""
        plan = self.order_by().values("pk").explain(format="json")
        # Django answers an empty plan where it knows that nothing matches.
        if plan and json.loads(plan)[0]["Plan"]["Plan Rows"] > _SURELY_MORE * rows:
            return False
        return self.order_by().values("pk")[:rows].count() < rows

    def nearest_first(self, vector: Vector, *, model: str, exact: bool, columns: Columns | None = None) -> Self:
        """Rows in the order of their cosine distance, annotated as `distance`: by the index, or by a scan of every matching row."""
        columns = columns or columns_of(model)
        column = f'"{self.model._meta.db_table}"."{columns.vector}"'
        # Adding zero hides the expression from the index.
        template = f"({column} <=> %s::halfvec) + 0" if exact else f"{column} <=> %s::halfvec"
        distance = RawSQL(template, (QueryVector(vector),), output_field=models.FloatField())
        return self.in_space(columns, model).annotate(distance=distance).order_by("distance")

    def nearest(self, vector: Vector, *, model: str, limit: int, columns: Columns | None = None) -> list[tuple[Any, float]]:
        """The `limit` rows nearest to `vector`: (primary key, cosine similarity), best first.

        Never fewer than min(limit, matching rows): few matching rows are scanned exactly; otherwise the index is scanned
        iteratively, and should that still come up short (pgvector stops after `hnsw.max_scan_tuples`), exactly after all.
        """
        columns = columns or columns_of(model)
        exact = self.is_scanned_exactly(columns, model)
        found = self._nearest(vector, model, columns, limit, exact=exact)
        if not exact and len(found) < limit:
            found = self._nearest(vector, model, columns, limit, exact=True)
        return [(key, 1.0 - distance) for key, distance in sorted(found, key=lambda pair: pair[1])[:limit]]

    def _nearest(self, vector: Vector, model: str, columns: Columns, limit: int, *, exact: bool) -> list[tuple[Any, float]]:
        wanted = limit if exact else _SPARE * limit
        rows = self.nearest_first(vector, model=model, exact=exact, columns=columns).values_list("pk", "distance")[:wanted]
        try:
            # The way through the index is the same whatever is asked; the best way to few rows is not.
            return fetch_planned(*rows.query.sql_with_params(), once=not exact)
        except EmptyResultSet:
            # Django knows without asking that nothing matches.
            return []


_decisions: dict[Hashable, tuple[bool, float]] = {}


def _key_of(rows: models.QuerySet[Any, Any], columns: Columns) -> Hashable | None:
    """What tells one filter from another; None for one that is not made of columns and plain values alone. Django could compare filters
    too, but takes longer over it than the search."""
    try:
        key = (rows.model, columns, _shape(rows.query.where))
        hash(key)
    except (TypeError, AttributeError):
        return None
    return key


def _shape(node: Any) -> Hashable:
    if isinstance(node, WhereNode):
        return (node.connector, node.negated, *(_shape(child) for child in node.children))
    value = tuple(node.rhs) if isinstance(node.rhs, list) else node.rhs
    if isinstance(value, Now):
        value = Now
    elif isinstance(value, Query) or hasattr(value, "as_sql"):
        raise TypeError
    return (type(node), node.lhs.alias, node.lhs.target.column, value)
