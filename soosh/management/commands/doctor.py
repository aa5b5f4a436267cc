from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from django.core.checks import run_checks
from django.core.management.base import BaseCommand
from django.db import connection

from ai.services.spaces import configured_model, embedding_model, live_models, tables
from core.health import OK, REQUIRED_EXTENSIONS, clock_skew_seconds, installed_extensions, readiness
from soosh.services_in_force import services_in_force

_REMEDIES = {
    "database": "Start Soosh with `make run`, or set DATABASE_URL to a PostgreSQL 16 or newer with pgvector 0.8 or newer. If it is full or "
    "has no connection left: free space, or raise max_connections.",
    "redis": "Start Soosh with `make run`, or set REDIS_URL. If it refuses writes: raise its maxmemory.",
    "disk": "Free space, or set SOOSH_HOME and MEDIA_ROOT to folders that this user may write to.",
    "migrations": "Run `manage.py migrate`.",
    "queue": "See whether the worker runs and what it logs; add workers if it cannot keep up.",
    "clock": "Synchronise both clocks with NTP: bookings and tokens depend on them.",
    "worker": "Start a worker: `celery --app soosh worker`.",
    "beat": "Start beat: `celery --app soosh beat`. It also needs a worker.",
}


class Command(BaseCommand):
    help = "Tell what is in force and what to do about what is missing. Exits with 1 if something is."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own declaration style)

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--production", action="store_true", help="Check whether the settings are fit for production, like `check --deploy`."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        findings = [*_settings()] if options["production"] else [*_services()]
        for name, state, remedy in findings:
            self.stdout.write(f"{'!' if remedy else ' '} {name:<24} {state}")
            if remedy:
                self.stdout.write(f"  {'':<24} → {remedy}")
        if any(remedy for _, _, remedy in findings):
            raise SystemExit(1)


def _settings() -> Iterator[tuple[str, str, str]]:
    messages = run_checks(include_deployment_checks=True)
    for message in messages:
        yield message.id or "check", str(message.msg), str(message.hint or "See https://docs.djangoproject.com/en/5.2/ref/checks/")
    if not messages:
        yield "settings", "fit for production", ""


def _services() -> Iterator[tuple[str, str, str]]:
    states = readiness()
    for name, state in states.items():
        is_ok = state.summary == OK
        yield name, state.summary if is_ok or not state.detail else f"{state.summary} ({state.detail})", "" if is_ok else _REMEDIES[name]
    if states["database"].summary == OK:
        yield from _extensions()
        yield "clock skew", f"{clock_skew_seconds():+.3f} s against the database", ""
    if states["migrations"].summary == OK:
        yield from _embeddings()
    yield from _time_zones()
    yield from ((f"service {name}", state, "") for name, state in services_in_force().items())


def _extensions() -> Iterator[tuple[str, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version')")
        yield "PostgreSQL", cursor.fetchone()[0], ""
        cursor.execute("SELECT name FROM pg_available_extensions")
        available = {name for (name,) in cursor.fetchall()}
    installed = installed_extensions()
    for name in REQUIRED_EXTENSIONS:
        if name in installed:
            yield f"extension {name}", installed[name], ""
        elif name in available:
            yield f"extension {name}", "available, not installed", f'As a superuser: CREATE EXTENSION "{name}"; or run `manage.py migrate`.'
        else:
            yield f"extension {name}", "not available", "Install it on the database server; for `vector` the package is called pgvector."


def _embeddings() -> Iterator[tuple[str, str, str]]:
    serving, wished = embedding_model(), configured_model()
    remedy = f"The settings ask for {wished}: run `manage.py reembed`." if serving != wished else ""
    yield "embeddings", serving, remedy
    for model in live_models():
        waiting = sum(table.waiting(model) for table in tables())
        yield "stale vectors", f"{waiting} rows wait for {model}", ""


def _time_zones() -> Iterator[tuple[str, str, str]]:
    count = len(zoneinfo.available_timezones())
    yield (
        "time zone data",
        f"{count} zones, tzdata {version('tzdata')}",
        "" if count > 400 else "Install the requirements again: tzdata is missing.",
    )
