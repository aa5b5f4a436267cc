from __future__ import annotations

import datetime
import errno
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from django.core.cache import cache
from django.db.utils import OperationalError
from django.test import Client
from django.utils import timezone

from core import health, tasks
from core.models import DeliveryState, EventDelivery, OutboxEvent

pytestmark = pytest.mark.django_db
NAMES = {"database", "redis", "disk", "migrations", "queue", "clock", "worker", "beat"}


@pytest.fixture(autouse=True)
def no_worker() -> Iterator[None]:
    """A worker of another test run may listen to this Redis."""
    with mock.patch("core.health.current_app") as celery:
        celery.control.ping.return_value = []
        yield


def checks_of(client: Client) -> dict[str, str]:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    return {name: state for name, state in response.json()["checks"].items() if state != "ok"}


def test_healthz_answers_while_the_process_lives(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.post("/healthz").status_code == 405


def test_readyz_is_ok_when_everything_is(client: Client) -> None:
    tasks.beat_heart()
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "checks": dict.fromkeys(response.json()["checks"], "ok")})
    assert set(response.json()["checks"]) == NAMES
    assert "no-store" in response["Cache-Control"]


def test_a_silent_worker_and_a_silent_beat_are_told_apart(client: Client) -> None:
    silent = {"beat": "no scheduled task ran in the last minute"}
    assert checks_of(client) == silent | {"worker": "does not answer"}
    with health._redis() as server:
        server.set(cache.make_key(tasks.WORKER_HEARTBEAT_KEY), (timezone.now() - datetime.timedelta(minutes=2)).isoformat())
    health.current_app.control.ping.return_value = [{"worker@here": {"ok": "pong"}}]  # type: ignore[attr-defined]
    assert checks_of(client) == silent


def test_a_redis_that_is_away_is_named_and_nobody_blamed_for_it(client: Client, settings: Any) -> None:
    """The cache goes on from memory; the check must not ask it."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    unknown = "not known while Redis is away"
    assert checks_of(client) == {"redis": "does not answer", "worker": unknown, "beat": unknown}


def test_a_database_that_is_away_is_named_without_its_address(client: Client) -> None:
    away = OperationalError('connection to server at "db.internal" (10.0.0.7), port 5432 failed: FATAL: sorry, too many clients already')
    with mock.patch.dict(health.CHECKS, {"database": mock.Mock(side_effect=away)}):
        states = checks_of(client)
        detail = health.readiness()["database"].detail
    unknown = "not known while the database is away"
    assert {name: states[name] for name in ("database", "migrations", "queue", "clock")} == {
        "database": "all connections of the database are taken",
        **dict.fromkeys(("migrations", "queue", "clock"), unknown),
    }
    assert "db.internal" in detail


def test_a_full_disk_is_named(client: Client) -> None:
    tasks.beat_heart()
    with mock.patch("core.health.os.fsync", side_effect=OSError(errno.ENOSPC, "No space left on device")):
        assert checks_of(client) == {"disk": "a file cannot be written: no space is left"}
    with mock.patch("core.health.shutil.disk_usage", return_value=mock.Mock(free=1_000_000)):
        assert checks_of(client) == {"disk": "is almost full"}
        assert health.readiness()["disk"].detail.endswith(": 1 MB are free")


def test_events_that_wait_too_long_are_named(client: Client) -> None:
    tasks.beat_heart()
    event = OutboxEvent.objects.create(name="test.happened", payload={})
    delivery = EventDelivery.objects.create(event=event, handler="x", due_at=timezone.now() - datetime.timedelta(minutes=4))
    assert client.get("/readyz").status_code == 200
    EventDelivery.objects.filter(pk=delivery.pk).update(due_at=timezone.now() - datetime.timedelta(minutes=10))
    assert checks_of(client) == {"queue": "the oldest event has waited for 600 s"}
    EventDelivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.DEAD)
    assert client.get("/readyz").status_code == 200


def test_a_clock_that_is_wrong_is_named(client: Client) -> None:
    tasks.beat_heart()
    with mock.patch("core.health.clock_skew_seconds", return_value=-3.21):
        assert checks_of(client) == {"clock": "-3.2 s against the database"}


def test_missing_migrations_are_counted_and_only_success_is_remembered() -> None:
    health._migrations_are_applied.cache_clear()
    with mock.patch("core.health.MigrationExecutor") as executor:
        executor.return_value.migration_plan.return_value = [1, 2]
        for _ in range(2):
            with pytest.raises(health.Unready, match="2 migrations are not applied"):
                health.check_migrations()
    health.check_migrations()


def test_the_required_extensions_are_there_and_the_clocks_agree() -> None:
    assert set(health.REQUIRED_EXTENSIONS) <= set(health.installed_extensions())
    assert abs(health.clock_skew_seconds()) < 1
