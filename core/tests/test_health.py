from __future__ import annotations

import datetime
from unittest import mock

import pytest
from django.core.cache import cache
from django.db.utils import OperationalError
from django.test import Client
from django.utils import timezone

from core import health, tasks

pytestmark = pytest.mark.django_db


def test_healthz_answers_while_the_process_lives(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.post("/healthz").status_code == 405


def test_readyz_is_ok_when_everything_is(client: Client) -> None:
    tasks.beat_heart()
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "ok")
    assert set(response.json()["checks"]) == {"database", "redis", "worker", "migrations"}
    assert "no-store" in response["Cache-Control"]


def test_readyz_names_a_worker_that_is_silent(client: Client) -> None:
    assert client.get("/readyz").status_code == 503
    cache.set(tasks.WORKER_HEARTBEAT_KEY, (timezone.now() - datetime.timedelta(minutes=2)).isoformat())
    assert "silent" in client.get("/readyz").json()["checks"]["worker"]


def test_readyz_names_a_database_that_is_away(client: Client) -> None:
    with mock.patch.dict(health.READINESS, {"database": mock.Mock(side_effect=OperationalError("gone\nfar"))}):
        response = client.get("/readyz")
    assert (response.status_code, response.json()["checks"]["database"]) == (503, "OperationalError: gone")


def test_readyz_names_a_redis_that_forgets(client: Client) -> None:
    with mock.patch.object(health, "cache") as forgetful:
        forgetful.get.return_value = None
        assert health.redis_state() == "does not keep what was set"


def test_readyz_counts_missing_migrations() -> None:
    with mock.patch("core.health.MigrationExecutor") as executor:
        executor.return_value.migration_plan.return_value = [1, 2]
        assert health.migrations_state() == "2 migrations are not applied"


def test_the_required_extensions_are_there_and_the_clocks_agree() -> None:
    assert set(health.REQUIRED_EXTENSIONS) <= set(health.installed_extensions())
    assert abs(health.clock_skew_seconds()) < 1
