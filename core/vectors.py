"""Where vectors are stored. Every table with vectors has two columns for them, so that a new model can be filled in beside the old one."""

from __future__ import annotations

import dataclasses

from django.db.models import TextChoices
from pgvector.django import HnswIndex

DIMENSIONS = 384
# The graph keeps the 16 best neighbours of each row, chosen among the 400 that the search for its place had in view. 200 build in half the
# time, but leave one cluster of a hundred where no search gets; see docs/decisions/0016-speed.md.
GRAPH = {"m": 16, "ef_construction": 400}


class SpaceState(TextChoices):
    IN_FORCE = "in_force", "serves every search"
    FILLING = "filling", "is being filled beside the one in force"
    STANDBY = "standby", "was in force before and is kept up to date, to go back to"


class Column(TextChoices):
    FIRST = "embedding", "first"
    SECOND = "twin_embedding", "second"


@dataclasses.dataclass(frozen=True)
class Columns:
    """The names of the columns of one space: the vector, the id of its model, and the hash of the content it was made from."""

    vector: str
    model: str
    hash: str

    def values(self, vector: list[float] | None, model: str, content_hash: str) -> dict[str, object]:
        """What to store in a row."""
        return {self.vector: vector, self.model: model, self.hash: content_hash}


@dataclasses.dataclass(frozen=True)
class Space:
    """A model, and where its vectors stand."""

    model: str
    columns: Columns


COLUMNS = {
    Column.FIRST: Columns("embedding", "embedding_model", "embedded_hash"),
    Column.SECOND: Columns("twin_embedding", "twin_embedding_model", "twin_embedded_hash"),
}


def nearest_indexes(table: str) -> tuple[HnswIndex, HnswIndex]:
    """The indexes on both columns of a table of vectors, for its `Meta`."""
    first, second = (
        HnswIndex(fields=(column.value,), name=name, opclasses=("halfvec_cosine_ops",), **GRAPH)
        for column, name in ((Column.FIRST, f"{table}_nearest"), (Column.SECOND, f"{table}_twin_nearest"))
    )
    return first, second
