"""The state of what Soosh stands on, for `/readyz` and `manage.py doctor`."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from core.tasks import WORKER_HEARTBEAT_KEY

REQUIRED_EXTENSIONS = ("vector", "btree_gist", "pg_trgm", "citext", "unaccent", "cube", "earthdistance", "fuzzystrmatch")
_WORKER_SILENCE = datetime.timedelta(seconds=45)


def database_state() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def redis_state() -> str:
    cache.set("core:ready", 1, timeout=5)
    return "ok" if cache.get("core:ready") == 1 else "does not keep what was set"


def worker_state() -> str:
    seen = cache.get(WORKER_HEARTBEAT_KEY)
    if seen is None:
        return "no worker has taken a task in the last minute"
    silence = timezone.now() - datetime.datetime.fromisoformat(seen)
    return "ok" if silence < _WORKER_SILENCE else f"silent for {silence.seconds} s"


def migrations_state() -> str:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return "ok" if not waiting else f"{len(waiting)} migrations are not applied"


READINESS: dict[str, Callable[[], str]] = {
    "database": database_state,
    "redis": redis_state,
    "worker": worker_state,
    "migrations": migrations_state,
}


def readiness() -> dict[str, str]:
    """Each check with "ok" or what is wrong. A check that raises is reported, never raised."""
    return {name: _outcome(check) for name, check in READINESS.items()}


def _outcome(check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception as error:  # any failure of a dependency is an answer here
        return f"{type(error).__name__}: {error}".strip().splitlines()[0][:200]


def installed_extensions() -> dict[str, str]:
    """Name and version of every extension of the current database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extname, extversion FROM pg_extension ORDER BY extname")
        return dict(cursor.fetchall())


def clock_skew_seconds() -> float:
    """How far this machine's clock is ahead of the database's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (database_now,) = cursor.fetchone()
    return float((timezone.now() - database_now).total_seconds())
