"""Statements with parameters that the server binds, which Django's cursors do not; those of hot paths are planned once a connection instead
of once a call: planning many joins costs more than running them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

from core.replicas import alias_of_reads

Parameters = Sequence[Any] | Mapping[str, Any]


class _PreparedCursor(psycopg.Cursor[Any]):
    def execute(self, query: Any, params: Parameters | None = None, **options: Any) -> _PreparedCursor:
        return super().execute(query, params, **options | {"prepare": True})


class _Cursor(psycopg.Cursor[Any]):
    def execute(self, query: Any, params: Parameters | None = None, **options: Any) -> _Cursor:
        return super().execute(query, params, **options | {"prepare": False})


def fetch_all(sql: str, parameters: Parameters) -> list[tuple[Any, ...]]:
    """The rows of a prepared statement, in whatever transaction is open. `sql` should be one of few: a connection remembers the hundred
    that it was given last. Counted, wrapped and logged by Django like any other statement."""
    return _fetch(DEFAULT_DB_ALIAS, _PreparedCursor, sql, parameters)


def fetch_one(sql: str, parameters: Parameters) -> tuple[Any, ...]:
    """The only row of a prepared statement."""
    (row,) = fetch_all(sql, parameters)
    return row


def fetch_planned(sql: str, parameters: Parameters) -> list[tuple[Any, ...]]:
    """The rows of a statement that is planned for these parameters: the best way to rows with a word depends on the word. Measured, one
    plan for all words takes up to nine times as long. Reads from a replica where that is allowed."""
    return _fetch(alias_of_reads(), _Cursor, sql, parameters)


def _fetch(alias: str, kind: type[psycopg.Cursor[Any]], sql: str, parameters: Parameters) -> list[tuple[Any, ...]]:
    connection = connections[alias]
    connection.ensure_connection()
    with connection._prepare_cursor(kind(connection.connection)) as cursor:  # type: ignore[attr-defined]  # left out of the stubs
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
