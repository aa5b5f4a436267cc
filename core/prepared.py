"""Statements of hot paths, planned once a connection instead of once a call: planning many joins costs more than running them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection

Parameters = Sequence[Any] | Mapping[str, Any]


def fetch_all(sql: str, parameters: Parameters) -> list[tuple[Any, ...]]:
    """The rows of a prepared statement, in whatever transaction is open. `sql` must not change from call to call. Errors are Django's."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql, parameters, prepare=True)
        return cursor.fetchall()


def fetch_one(sql: str, parameters: Parameters) -> tuple[Any, ...]:
    """The only row of a prepared statement."""
    (row,) = fetch_all(sql, parameters)
    return row
