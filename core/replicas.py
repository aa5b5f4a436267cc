"""Reads that may be a moment old go to a replica of the database, where there is one; everything else goes to the primary.

Nothing is sent there by itself: a replica lags, and a person must find what they have just written. Who reads for nobody in particular says
so with `reading_from_replica`.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, connections

from core.error_texts import describe

logger = structlog.get_logger(__name__)
Answer = TypeVar("Answer")

REPLICA = "replica"
# What has expired or was withdrawn is gone from searches within a second: so old is what two looks let pass.
_LOOK_EVERY_SECONDS = 0.45

_alias: ContextVar[str] = ContextVar("alias_of_reads", default=DEFAULT_DB_ALIAS)


@dataclasses.dataclass(frozen=True)
class _Look:
    """When the primary was asked, where it stood then, and whether the replica had come far enough."""

    at: float
    position: int
    is_fresh: bool


_last = _Look(-math.inf, 0, False)

# How far the primary and the slowest replica are, in bytes of the log. Asked of the primary, which knows even of a replica that has lost
# it; `replay_lag` would not do, it stands still with a replica that does. Rows of others are hidden from a role that may not monitor: then
# there is no state either, and no replica is trusted.
_POSITIONS = "SELECT pg_current_wal_lsn() - '0/0', min(replay_lsn) - '0/0' FROM pg_stat_replication WHERE state = 'streaming'"


class Router:
    """Where Django reads and writes."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return _alias.get()

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == DEFAULT_DB_ALIAS


def alias_of_reads() -> str:
    """The database that reads go to here."""
    return _alias.get()


@contextmanager
def reading_from_replica() -> Iterator[None]:
    """Reads inside may be up to a second old. Without a replica, with one that lags further, and inside a transaction they are not."""
    inside = connections[DEFAULT_DB_ALIAS].in_atomic_block
    token = _alias.set(REPLICA if not inside and _is_fresh() else DEFAULT_DB_ALIAS)
    try:
        yield
    finally:
        _alias.reset(token)


def read_from_replica(read: Callable[[], Answer]) -> Answer:
    """What `read` returns, read from the replica; if that fails meanwhile, from the primary, so `read` may run twice."""
    global _last  # noqa: PLW0603  (one for the process)
    with reading_from_replica():
        if alias_of_reads() == DEFAULT_DB_ALIAS:
            return read()
        try:
            return read()
        except OperationalError as error:
            logger.warning("replica away, reading from the primary", error=describe(error))
            _last = _Look(time.monotonic(), 0, False)
    return read()


def _is_fresh() -> bool:
    global _last  # noqa: PLW0603  (one for the process)
    if REPLICA not in settings.DATABASES:
        return False
    if time.monotonic() < _last.at + _LOOK_EVERY_SECONDS:
        return _last.is_fresh
    _last = _looked(_last)
    return _last.is_fresh


def _looked(last: _Look) -> _Look:
    """A replica is fresh that has replayed all that the primary had written at the last look, if that was a moment ago, else all of now."""
    now = time.monotonic()
    try:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(_POSITIONS)
            written, replayed = cursor.fetchone()
    except DatabaseError:
        return _Look(now, 0, False)
    wanted = last.position if last.position and now < last.at + 2 * _LOOK_EVERY_SECONDS else written
    return _Look(now, written, replayed is not None and replayed >= wanted)
