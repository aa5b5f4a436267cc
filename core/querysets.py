"""Ranked retrieval with pgvector: the part that every table with a vector shares."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Generic, Self, TypeVar

from django.db import connection, models, transaction
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

Vector = Sequence[float]
DIMENSIONS = 384
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


class VectorQuerySet(models.QuerySet[Row], Generic[Row]):
    """A queryset over a table with `embedding` (halfvec of 384, unit length), `embedding_model`, `content_hash` and `embedded_hash`.

    Vectors of two models live in different spaces, so each method takes the model id and looks at no other rows.
    """

    def embedded_with(self, model: str) -> Self:
        """Rows whose stored vector was made by `model`."""
        return self.filter(embedding_model=model, embedding__isnull=False)

    def waiting_for(self, model: str) -> Self:
        """Rows without a vector of their present content by `model`: the embedding queue."""
        return self.exclude(content_hash="").filter(~Q(content_hash=F("embedded_hash")) | ~Q(embedding_model=model))

    def has_fewer_than(self, rows: int) -> bool:
        """Whether fewer than `rows` rows match. Counts no further than that, and not at all where the planner expects far more."""
        plan = self.order_by().values("pk").explain(format="json")
        # Django answers an empty plan where it knows that nothing matches.
        if plan and json.loads(plan)[0]["Plan"]["Plan Rows"] > _SURELY_MORE * rows:
            return False
        return self.order_by().values("pk")[:rows].count() < rows

    def nearest_first(self, vector: Vector, *, model: str, exact: bool) -> Self:
        """Rows in the order of their cosine distance, annotated as `distance`: by the index, or by a scan of every matching row."""
        column = f'"{self.model._meta.db_table}"."embedding"'
        # Adding zero hides the expression from the index.
        template = f"({column} <=> %s::halfvec) + 0" if exact else f"{column} <=> %s::halfvec"
        distance = RawSQL(template, (vector_literal(vector),), output_field=models.FloatField())
        return self.embedded_with(model).annotate(distance=distance).order_by("distance")

    def nearest(self, vector: Vector, *, model: str, limit: int) -> list[tuple[Any, float]]:
        """The `limit` rows nearest to `vector`: (primary key, cosine similarity), best first.

        Never fewer than min(limit, matching rows): few matching rows are scanned exactly; otherwise the index is scanned
        iteratively, and should that still come up short (pgvector stops after `hnsw.max_scan_tuples`), exactly after all.
        """
        exact = self.embedded_with(model).has_fewer_than(EXACT_BELOW_ROWS)
        with transaction.atomic():
            if not exact:
                scan_iteratively()
            found = list(self.nearest_first(vector, model=model, exact=exact).values_list("pk", "distance")[:limit])
        if not exact and len(found) < limit:
            found = list(self.nearest_first(vector, model=model, exact=True).values_list("pk", "distance")[:limit])
        return [(key, 1.0 - distance) for key, distance in sorted(found, key=lambda pair: pair[1])]


def scan_iteratively() -> None:
    """Let index scans of the current transaction go on until filters are satisfied. Needs an open transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', %s, true), "
            "set_config('hnsw.max_scan_tuples', %s, true)",
            (str(EF_SEARCH), str(_MAX_SCAN_TUPLES)),
        )
