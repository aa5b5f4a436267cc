"""Where vectors are stored. Every table with vectors has two columns for them, so that a new model can be filled in beside the old one."""

from __future__ import annotations

import dataclasses

from django.db.models import TextChoices

DIMENSIONS = 384


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
