"""Ranked retrieval with pgvector: the part that every table with a vector shares."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Generic, Self, TypeVar

from django.db import connection, models, transaction
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from core.models import EmbeddingSpace
from core.vectors import COLUMNS, Column, Columns

Vector = Sequence[float]
# Fewer matching rows than this are ranked by an exact scan: measured, it is faster there than the index, and its recall is 1.
EXACT_BELOW_ROWS = 5_000
# How many neighbours the index keeps in view while it searches; also the most that one iteration of a scan yields.
EF_SEARCH = 160
_MAX_SCAN_TUPLES = 200_000
# The planner's estimate of matching rows is believed only where it is off the mark by this factor.
_SURELY_MORE = 5

Row = TypeVar("Row", bound=models.Model)


def vector_literal(vector: Vector) -> str:
    """pgvector's text form, for parameters of raw SQL."""
    return "[" + ",".join(f"{number:.6g}" for number in vector) + "]"


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
        distance = RawSQL(template, (vector_literal(vector),), output_field=models.FloatField())
        return self.in_space(columns, model).annotate(distance=distance).order_by("distance")

    def nearest(self, vector: Vector, *, model: str, limit: int) -> list[tuple[Any, float]]:
        """The `limit` rows nearest to `vector`: (primary key, cosine similarity), best first.

        Never fewer than min(limit, matching rows): few matching rows are scanned exactly; otherwise the index is scanned
        iteratively, and should that still come up short (pgvector stops after `hnsw.max_scan_tuples`), exactly after all.
        """
        columns = columns_of(model)
        exact = self.in_space(columns, model).has_fewer_than(EXACT_BELOW_ROWS)
        with transaction.atomic():
            if not exact:
                scan_iteratively()
            found = list(self.nearest_first(vector, model=model, exact=exact, columns=columns).values_list("pk", "distance")[:limit])
        if not exact and len(found) < limit:
            found = list(self.nearest_first(vector, model=model, exact=True, columns=columns).values_list("pk", "distance")[:limit])
        return [(key, 1.0 - distance) for key, distance in sorted(found, key=lambda pair: pair[1])]


def scan_iteratively() -> None:
    """Let index scans of the current transaction go on until filters are satisfied. Needs an open transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', %s, true), "
            "set_config('hnsw.max_scan_tuples', %s, true)",
            (str(EF_SEARCH), str(_MAX_SCAN_TUPLES)),
        )
