from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from ai.services.spaces import configured_model, embedding_model, live_models, tables
from core.health import REQUIRED_EXTENSIONS, clock_skew_seconds, installed_extensions, readiness
from soosh.services_in_force import services_in_force

_WORST_SKEW_SECONDS = 2.0
_REMEDIES = {
    "database": "Start Soosh with `make run`, or set DATABASE_URL to a PostgreSQL 16 or newer with pgvector 0.8 or newer.",
    "redis": "Start Soosh with `make run`, or set REDIS_URL.",
    "worker": "Start a worker: `celery --app soosh worker`, and beat: `celery --app soosh beat`.",
    "migrations": "Run `manage.py migrate`.",
}


class Command(BaseCommand):
    help = "Tell what is in force and what to do about what is missing. Exits with 1 if something is."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own declaration style)

    def handle(self, *args: Any, **options: Any) -> None:
        states = readiness()
        findings = [*_from_readiness(states)]
        if states["database"] == "ok":
            findings += [*_extensions(), *_clock()]
        if states.get("migrations") == "ok":
            findings += [*_embeddings()]
        findings += [*_time_zones(), *((f"service {name}", state, "") for name, state in services_in_force().items())]
        for name, state, remedy in findings:
            self.stdout.write(f"{'!' if remedy else ' '} {name:<24} {state}")
            if remedy:
                self.stdout.write(f"  {'':<24} → {remedy}")
        if any(remedy for _, _, remedy in findings):
            raise SystemExit(1)


def _from_readiness(states: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    for name, state in states.items():
        yield name, state, "" if state == "ok" else _REMEDIES[name]


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


def _clock() -> Iterator[tuple[str, str, str]]:
    skew = clock_skew_seconds()
    remedy = "Keep both clocks with NTP: bookings and tokens depend on them." if abs(skew) > _WORST_SKEW_SECONDS else ""
    yield "clock", f"{skew:+.3f} s against the database", remedy


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
