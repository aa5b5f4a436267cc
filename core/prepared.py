"""Statements with parameters that the server binds, which Django's cursors do not; those of hot paths are planned once a connection instead
of once a call: planning many joins costs more than running them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Generic, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections, models

from core.replicas import alias_of_reads

Parameters = Sequence[Any] | Mapping[str, Any]
Row = TypeVar("Row", bound=models.Model)


class _PlannedCursor(psycopg.Cursor[Any]):
    prepares = False

    def execute(self, query: Any, params: Parameters | None = None, **options: Any) -> _PlannedCursor:
        return super().execute(query, params, **options | {"prepare": self.prepares})


class _PreparedCursor(_PlannedCursor):
    prepares = True


def fetch_all(sql: str, parameters: Parameters) -> list[tuple[Any, ...]]:
    """The rows of a prepared statement, in whatever transaction is open. `sql` should be one of few: a connection remembers the hundred
    that it was given last. Counted, wrapped and logged by Django like any other statement."""
    return _fetch(DEFAULT_DB_ALIAS, _PreparedCursor, sql, parameters)


def fetch_one(sql: str, parameters: Parameters) -> tuple[Any, ...]:
    """The only row of a prepared statement."""
    (row,) = fetch_all(sql, parameters)
    return row


def fetch_planned(sql: str, parameters: Parameters, *, once: bool = False) -> list[tuple[Any, ...]]:
    """The rows of a statement that is planned for these parameters: the best way to rows with a word depends on the word. Measured, one
    plan for all words takes up to nine times as long. `once`: where it does not depend on them, a connection plans it once after all.
    Reads from a replica where that is allowed."""
    return _fetch(alias_of_reads(), _PreparedCursor if once else _PlannedCursor, sql, parameters)


class ModelReader(Generic[Row]):
    """Instances of a model from the rows of a statement that was written by hand: `columns()` to select, `instance()` of what came."""

    def __init__(self, model: type[Row], *, without: Collection[str] = ()) -> None:
        self.model = model
        self.fields = [field for field in model._meta.concrete_fields if field.column not in without]

    def columns(self, table: str) -> str:
        """The select list, for a table or its alias."""
        return ", ".join(f'{table}."{field.column}"' for field in self.fields)

    def instance(self, alias: str, values: Sequence[Any]) -> Row:
        """An instance of the values of `columns()`, converted as Django does."""
        converted = [
            field.from_db_value(value, None, connections[alias]) if hasattr(field, "from_db_value") else value
            for field, value in zip(self.fields, values, strict=True)
        ]
        return self.model.from_db(alias, [field.attname for field in self.fields], converted)


def _fetch(alias: str, kind: type[psycopg.Cursor[Any]], sql: str, parameters: Parameters) -> list[tuple[Any, ...]]:
    connection = connections[alias]
    connection.ensure_connection()
    with connection._prepare_cursor(kind(connection.connection)) as cursor:  # type: ignore[attr-defined]  # left out of the stubs
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
