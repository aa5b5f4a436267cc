"""Which column holds what kind of data about whom, and what becomes of it when a person is erased.

Each app declares its own tables in its `privacy.py`; a table or column without a declaration fails the suite. The archive that a person
gets, the erasure and the sweep after it are all read from these declarations.
"""

from __future__ import annotations

import dataclasses
import enum
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.db import models


class Privacy(enum.StrEnum):
    """The class of a column."""

    NONE = "none"  # says nothing about a person
    PERSONAL = "personal"  # about a person, or written by one
    SPECIAL = "special"  # health, disability, beliefs and the like (GDPR, article 9)
    MONEY_RECORD = "money-record"  # must be kept for the books
    SECRET = "secret"  # noqa: S105  (opens something; never exported)


class OnErasure(enum.StrEnum):
    """What becomes of a person's rows."""

    DELETE = "delete"
    CLEAR = "clear"  # the row stays, its personal columns are emptied, and nothing in it leads to the person
    KEEP = "keep"  # the law or the chain of evidence needs it; it holds no more than a pseudonym


@dataclasses.dataclass(frozen=True)
class Declaration:
    """One table. `subject` is the look-up from a row to the id of its person, "" where rows are about nobody.

    `columns` gives the class of each column; `cleared` the values that a cleared row gets.
    """

    model: type[models.Model]
    subject: str
    on_erasure: OnErasure
    columns: dict[str, Privacy]
    cleared: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def label(self) -> str:
        return self.model._meta.label

    def rows_of(self, person_id: uuid.UUID) -> models.QuerySet[Any]:
        manager: models.Manager[Any] = self.model._base_manager
        return manager.filter(**{self.subject: person_id}) if self.subject else manager.none()

    def exported_columns(self) -> list[str]:
        return [name for name, kind in self.columns.items() if kind is not Privacy.SECRET]


@dataclasses.dataclass(frozen=True)
class Step:
    """A part of erasure that is not rows of a declared table: files, cache entries, other stores.

    `erase` may run twice; `count` says how many copies are left.
    """

    name: str
    erase: Callable[[uuid.UUID], None]
    count: Callable[[uuid.UUID], int]


# From a person to their files: (name in the archive, a function that reads it).
Files = Callable[[uuid.UUID], Iterable[tuple[str, Callable[[], bytes]]]]

_files: list[Files] = []
_declarations: dict[str, Declaration] = {}
_steps: dict[str, Step] = {}


def declare(
    model: type[models.Model],
    *,
    subject: str = "",
    on_erasure: OnErasure = OnErasure.KEEP,
    cleared: dict[str, Any] | None = None,
    none: Iterable[str] = (),
    personal: Iterable[str] = (),
    special: Iterable[str] = (),
    money_record: Iterable[str] = (),
    secret: Iterable[str] = (),
) -> None:
    """Declare a table: the class of every column, whose rows they are, and what erasure does to them."""
    groups = (
        (Privacy.NONE, none),
        (Privacy.PERSONAL, personal),
        (Privacy.SPECIAL, special),
        (Privacy.MONEY_RECORD, money_record),
        (Privacy.SECRET, secret),
    )
    columns = {name: kind for kind, names in groups for name in names}
    _declarations[model._meta.label] = Declaration(model, subject, on_erasure, columns, cleared or {})


def register_step(name: str, *, erase: Callable[[uuid.UUID], None], count: Callable[[uuid.UUID], int]) -> None:
    """Add a part of erasure that is more than rows of one table."""
    _steps[name] = Step(name, erase, count)


def register_files(files: Files) -> None:
    """Add files to the archive that a person gets."""
    _files.append(files)


def files_of(person_id: uuid.UUID) -> list[tuple[str, Callable[[], bytes]]]:
    """Every file of a person, by its name in the archive."""
    return [found for files in _files for found in files(person_id)]


def declarations() -> list[Declaration]:
    return sorted(_declarations.values(), key=lambda declaration: declaration.label)


def erasure_steps() -> list[Step]:
    """All steps in their order: first what needs rows to find its files, then rows from the newest app down to the person."""
    tables = [
        Step(declaration.label, _eraser(declaration), _counter(declaration))
        for declaration in _in_order_of_deletion()
        if declaration.subject and declaration.on_erasure is not OnErasure.KEEP
    ]
    return [*_steps.values(), *tables]


def _in_order_of_deletion() -> list[Declaration]:
    # Apps are declared from the ground up, and the person is the first table of all.
    return list(_declarations.values())[::-1]


def _eraser(declaration: Declaration) -> Callable[[uuid.UUID], None]:
    def erase(person_id: uuid.UUID) -> None:
        rows = declaration.rows_of(person_id)
        if declaration.on_erasure is OnErasure.DELETE:
            rows.delete()
        else:
            rows.update(**{name: value(person_id) if callable(value) else value for name, value in declaration.cleared.items()})

    return erase


def _counter(declaration: Declaration) -> Callable[[uuid.UUID], int]:
    def count(person_id: uuid.UUID) -> int:
        rows = declaration.rows_of(person_id)
        if declaration.on_erasure is OnErasure.DELETE:
            return rows.count()
        cleared = {name: value(person_id) if callable(value) else value for name, value in declaration.cleared.items()}
        return sum(any(getattr(row, name) != value for name, value in cleared.items()) for row in rows.iterator())

    return count
