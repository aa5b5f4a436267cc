"""Health checks of each dependency, for `/readyz` and `manage.py doctor`. They ask the dependency itself, never a fallback that answers
in its place."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import redis
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Min
from django.utils import timezone

from core.models import DeliveryState, EventDelivery
from core.tasks import WORKER_HEARTBEAT_KEY
from core.unavailable import cause_of

REQUIRED_EXTENSIONS = ("vector", "btree_gist", "pg_trgm", "citext", "unaccent", "cube", "earthdistance", "fuzzystrmatch")
_SCHEDULE_SILENCE = datetime.timedelta(seconds=45)
_QUEUE_WAIT = datetime.timedelta(minutes=5)
_LEAST_FREE_BYTES = 200_000_000
WORST_SKEW_SECONDS = 2.0
_REDIS_SECONDS = 2
OK = "ok"


@dataclasses.dataclass(frozen=True)
class State:
    """Health of one dependency. `summary` is "ok" or what is wrong, and public; `detail` is for staff."""

    summary: str
    detail: str = ""


class Unready(Exception):
    """A dependency is not in order."""

    def __init__(self, summary: str, detail: str = "") -> None:
        super().__init__(summary)
        self.state = State(summary, detail)


def check_database() -> None:
    """Connect and write to the database's log, which fails on a full disk and on a replica."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_logical_emit_message(true, 'soosh', 'ready')")


def check_redis() -> None:
    try:
        with _redis() as client:
            client.set(cache.make_key("core:ready"), 1, ex=5)
    except redis.ConnectionError as error:
        raise Unready("does not answer", str(error)) from error
    except redis.RedisError as error:
        raise Unready("refuses writes", str(error)) from error


def _redis() -> redis.Redis:
    """A client of Redis; the cache would answer from memory while Redis is away."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=_REDIS_SECONDS, socket_timeout=_REDIS_SECONDS)


def check_disk() -> None:
    """Write a file to each folder that Soosh writes to, and check the free space."""
    for folder in _written_folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".ready-") as file:
                file.write(b"x" * 4_096)
                file.flush()
                os.fsync(file.fileno())
            free = shutil.disk_usage(folder).free
        except OSError as error:
            raise Unready(cause_of(error) or "a file cannot be written", f"{folder}: {error.strerror}") from error
        if free < _LEAST_FREE_BYTES:
            raise Unready("is almost full", f"{folder}: {free / 1e6:.0f} MB are free")


def _written_folders() -> list[Path]:
    return [settings.EMBEDDED_HOME.root] if settings.S3_BUCKET else [settings.EMBEDDED_HOME.root, settings.MEDIA_ROOT]


@functools.cache
def _migrations_are_applied() -> bool:
    """Cached once true, because applied migrations stay applied; a failure is raised and checked again."""
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        raise Unready(f"{len(waiting)} migrations are not applied")
    return True


def check_migrations() -> None:
    _migrations_are_applied()


def check_queue() -> None:
    """Check that no event has waited for its handlers much longer than with a healthy worker."""
    oldest = EventDelivery.objects.filter(state=DeliveryState.PENDING).aggregate(oldest=Min("due_at"))["oldest"]
    waited = timezone.now() - oldest if oldest else datetime.timedelta()
    if waited > _QUEUE_WAIT:
        raise Unready(f"the oldest event has waited for {waited.total_seconds():.0f} s")


def check_clock() -> None:
    skew = clock_skew_seconds()
    if abs(skew) > WORST_SKEW_SECONDS:
        raise Unready(f"{skew:+.1f} s against the database")


def check_worker() -> None:
    """Ping the workers, unless one has just run a scheduled task."""
    if _schedule_silence() > _SCHEDULE_SILENCE and not current_app.control.ping(timeout=1):
        raise Unready("does not answer")


def check_beat() -> None:
    silence = _schedule_silence()
    if silence > _SCHEDULE_SILENCE:
        raise Unready("no scheduled task ran in the last minute")


def _schedule_silence() -> datetime.timedelta:
    """How long ago a worker ran the task that beat plans every ten seconds."""
    try:
        with _redis() as client:
            seen = client.get(cache.make_key(WORKER_HEARTBEAT_KEY))
    except redis.RedisError as error:
        raise Unready("not known while Redis is away") from error
    return timezone.now() - datetime.datetime.fromisoformat(seen.decode()) if seen else datetime.timedelta.max


CHECKS: dict[str, Callable[[], None]] = {
    "database": check_database,
    "redis": check_redis,
    "disk": check_disk,
    "migrations": check_migrations,
    "queue": check_queue,
    "clock": check_clock,
    "worker": check_worker,
    "beat": check_beat,
}
_NEED_THE_DATABASE = ("migrations", "queue", "clock")


def readiness() -> dict[str, State]:
    """The state of each dependency. A check that raises is reported, never raised."""
    states: dict[str, State] = {}
    for name, check in CHECKS.items():
        is_pointless = name in _NEED_THE_DATABASE and states["database"].summary != OK
        states[name] = State("not known while the database is away") if is_pointless else _state(check)
    return states


def _state(check: Callable[[], None]) -> State:
    try:
        check()
    except Unready as unready:
        return unready.state
    except Exception as error:  # any failure of a dependency is an answer here
        return State(cause_of(error) or "cannot be checked", f"{type(error).__name__}: {error}".strip().splitlines()[0][:200])
    return State(OK)


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
