"""The life of an embedding model: one serves, the next is filled in beside it, they are compared, and one statement switches.

Each model's vectors stand in a column of their own (`core.vectors`), and every search looks into one space only. While a space is being
filled or kept to go back to, its queue is worked off like that of the one in force: that is the dual write. All state is in rows, so a
change goes on where it stopped, whoever was killed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q
from django.utils import timezone

from ai.enums import Engine
from ai.errors import SpaceBusy, SpaceIncomplete, SpaceMissing
from ai.providers.base import EmbeddingEngine
from ai.providers.embedded import MiniLm, minilm
from ai.providers.openai import OpenAiEmbeddings
from core.locks import only_here
from core.models import EmbeddedModel, EmbeddingSpace
from core.querysets import VectorQuerySet, columns_of
from core.vectors import COLUMNS, Column, Columns, Space, SpaceState

_CHARACTERS_PER_TOKEN = 4


@dataclasses.dataclass(frozen=True)
class Comparison:
    """How two models rank the same questions. `overlap` is the share of the first ten that both name; nDCG@10 is over known answers,
    each from 0 to 1. `questions` tells how many were asked."""

    what: str
    questions: int
    overlap: float
    ndcg_before: float | None = None
    ndcg_after: float | None = None


@dataclasses.dataclass(frozen=True)
class Table:
    """A table with vectors, as its app registers it.

    `embed_some(model, limit)` gives vectors of a model to rows of its queue and says how many; 0 when none wait or the engine is out.
    `characters()` estimates what there is to read; `compare(before, after)` asks both spaces the same. `companions` are tables whose
    vectors are written together with those of this one.
    """

    name: str
    rows: type[EmbeddedModel]
    embed_some: Callable[[str, int], int]
    characters: Callable[[], int]
    compare: Callable[[str, str], Comparison] | None = None
    companions: tuple[type[models.Model], ...] = ()

    def queryset(self) -> VectorQuerySet[EmbeddedModel]:
        # Every EmbeddedModel has a manager made of a VectorQuerySet; Django's types cannot say so.
        return self.rows._default_manager.all()  # type: ignore[return-value]

    def waiting(self, model: str) -> int:
        return self.queryset().waiting_for(model).count()

    def total(self) -> int:
        return self.queryset().exclude(content_hash="").count()


_tables: dict[str, Table] = {}


def register_table(table: Table) -> None:
    """Let a table take part in changes of the model. Called once by its app."""
    _tables[table.name] = table


def tables() -> list[Table]:
    return list(_tables.values())


def configured_model() -> str:
    """The model that the settings ask for. It serves once its space is filled and switched to."""
    return MiniLm.model if settings.AI_EMBEDDING_ENGINE == Engine.EMBEDDED else OpenAiEmbeddings().model


def embedding_model() -> str:
    """The model in force. The first one of an installation is that of the settings; after that `manage.py reembed` changes it."""
    return serving_space().model


def serving_space() -> Space:
    """The model in force and its columns; one query."""
    row = EmbeddingSpace.objects.filter(state=SpaceState.IN_FORCE).values_list("model", "column").first()
    model, column = row or (_first_model(), Column.FIRST)
    return Space(model, COLUMNS[Column(column)])


def _stored_model() -> str:
    stored = (table.queryset().exclude(embedding_model="").values_list("embedding_model", flat=True).first() for table in tables())
    return next((model for model in stored if model), "")


def _first_model() -> str:
    """What is stored already serves; where nothing is, what the settings ask for."""
    try:
        with transaction.atomic():
            space = EmbeddingSpace(
                model=_stored_model() or configured_model(), column=Column.FIRST, state=SpaceState.IN_FORCE, in_force_since=timezone.now()
            )
            space.save(force_insert=True)
            return space.model
    except IntegrityError:
        return EmbeddingSpace.objects.get(state=SpaceState.IN_FORCE).model


def live_models() -> list[str]:
    """The model in force and, while a change is under way or can be taken back, the other one. Each has a queue to work off."""
    serving = embedding_model()
    return [serving, *EmbeddingSpace.objects.exclude(model=serving).values_list("model", flat=True)]


def engine_for(model: str) -> tuple[Engine, EmbeddingEngine]:
    """Who makes vectors of a model."""
    if model == MiniLm.model:
        return Engine.EMBEDDED, minilm()
    return Engine.OPENAI, OpenAiEmbeddings.of(model)


def space_of(state: SpaceState) -> EmbeddingSpace | None:
    """The space in a state, if there is one."""
    return EmbeddingSpace.objects.filter(state=state).first()


def estimated_tokens() -> int:
    """How much text a change of model has to read."""
    return sum(table.characters() for table in tables()) // _CHARACTERS_PER_TOKEN


def begin_space(*, model: str) -> EmbeddingSpace:
    """Open the space of a model beside the one in force; from now on its queue is worked off too. Beginning again goes on.

    Raises:
        SpaceBusy: it is in force already, or the second column is taken by another model.
    """
    embedding_model()
    # The column may hold leftovers of a model that was given up; its queue trusts that it does not.
    while empty_columns():
        pass
    with transaction.atomic():
        spaces = list(EmbeddingSpace.objects.select_for_update())
        serving = next(space for space in spaces if space.state == SpaceState.IN_FORCE)
        if serving.model == model:
            raise SpaceBusy(f"{model} is in force already.")
        other = next((space for space in spaces if space is not serving), None)
        if other is None:
            column = Column.SECOND if serving.column == Column.FIRST else Column.FIRST
            return EmbeddingSpace.objects.create(model=model, column=column, state=SpaceState.FILLING)
        if other.model != model:
            raise SpaceBusy(f"The second column holds {other.model} ({other.get_state_display()}). Clean it up first.")
        if other.state == SpaceState.STANDBY:
            other.state = SpaceState.FILLING
            other.save()
        return other


def missing_rows(*, model: str) -> dict[str, int]:
    """For each table how many rows the space in force can find that the space of `model` cannot yet."""
    serving, wanted = serving_space(), columns_of(model)
    behind = ~Q(**{wanted.hash: F("content_hash")}) | ~Q(**{wanted.model: model})
    return {
        table.name: table.queryset()
        .filter(**{serving.columns.model: serving.model, serving.columns.hash: F("content_hash")})
        .exclude(content_hash="")
        .filter(behind)
        .count()
        for table in tables()
    }


def switch_space() -> EmbeddingSpace:
    """Put the filled space in force; the one before stays on standby. One transaction, no row of data is touched.

    Raises:
        SpaceMissing: none is being filled.
        SpaceIncomplete: it lacks rows that can be found now.
    """
    filling = space_of(SpaceState.FILLING)
    if filling is None:
        raise SpaceMissing("No space is being filled.")
    missing = sum(missing_rows(model=filling.model).values())
    if missing:
        raise SpaceIncomplete(f"{missing} rows are not filled in yet.")
    return _swap(SpaceState.FILLING)


def roll_back() -> EmbeddingSpace:
    """Put the space before in force again.

    Raises:
        SpaceMissing: there is none on standby.
    """
    return _swap(SpaceState.STANDBY)


def _swap(state: SpaceState) -> EmbeddingSpace:
    with transaction.atomic():
        spaces = {space.state: space for space in EmbeddingSpace.objects.select_for_update()}
        if state not in spaces:
            raise SpaceMissing(f"There is no space that {SpaceState(state).label}.")
        coming, going = spaces[state], spaces[SpaceState.IN_FORCE]
        going.state = SpaceState.STANDBY
        going.save()
        coming.state, coming.in_force_since = SpaceState.IN_FORCE, timezone.now()
        coming.save()
    return coming


def drop_space() -> EmbeddingSpace | None:
    """Give up the space that is not in force: from now on nobody writes to it. `empty_columns` then removes its vectors."""
    with transaction.atomic():
        other = EmbeddingSpace.objects.select_for_update().exclude(state=SpaceState.IN_FORCE).first()
        if other is not None:
            EmbeddingSpace.objects.filter(pk=other.pk).delete()
    return other


def empty_columns(*, batch: int = 1_000) -> int:
    """Remove vectors from the column that no space uses, one batch. Returns how many rows; 0 when all are gone."""
    columns = _free_columns()
    if columns is None:
        return 0
    for table in tables():
        ids = list(table.queryset().exclude(**{columns.model: ""}).order_by("id").values_list("id", flat=True)[:batch])
        if ids:
            table.queryset().filter(id__in=ids).update(**columns.values(None, "", ""))
            return len(ids)
    return sum(_empty_companion(companion, columns, batch) for table in tables() for companion in table.companions)


def _empty_companion(companion: type[models.Model], columns: Columns, batch: int) -> int:
    rows = companion._default_manager.all()
    ids = list(rows.exclude(**{columns.model: ""}).order_by("pk").values_list("pk", flat=True)[:batch])
    return rows.filter(pk__in=ids).update(**{columns.vector: None, columns.model: ""}) if ids else 0


def _free_columns() -> Columns | None:
    taken = set(EmbeddingSpace.objects.values_list("column", flat=True))
    free = next((column for column in Column if column not in taken), None)
    return COLUMNS[free] if free is not None else None


def fill_some(*, name: str, model: str, limit: int) -> int:
    """Give vectors of a model to some rows of a table's queue. Returns how many; 0 also while somebody else is at this queue."""
    with only_here(f"embed {name} {model}") as is_ours:
        return _tables[name].embed_some(model, limit) if is_ours else 0


def compare_spaces(*, before: str, after: str) -> list[Comparison]:
    """Ask both spaces the same of every table that knows how."""
    return [table.compare(before, after) for table in tables() if table.compare is not None]
