from __future__ import annotations

import math
import time
from typing import Any

import pytest
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, transaction

from core import replicas
from core.models import OutboxEvent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def replica(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replica by name alone, in step with its primary; nothing here connects to it."""
    monkeypatch.setitem(settings.DATABASES, replicas.REPLICA, settings.DATABASES[DEFAULT_DB_ALIAS])
    monkeypatch.setattr(replicas, "_last", replicas._Look(-math.inf, 0, False))
    monkeypatch.setattr(replicas, "_POSITIONS", "SELECT 700, 700")


def test_without_a_replica_everything_is_read_from_the_primary() -> None:
    with replicas.reading_from_replica():
        assert OutboxEvent.objects.all().db == DEFAULT_DB_ALIAS


def test_only_who_says_so_reads_from_it(replica: Any) -> None:
    assert OutboxEvent.objects.all().db == DEFAULT_DB_ALIAS
    with replicas.reading_from_replica():
        assert OutboxEvent.objects.all().db == replicas.REPLICA
        assert replicas.Router().db_for_write(OutboxEvent) == DEFAULT_DB_ALIAS
    assert OutboxEvent.objects.all().db == DEFAULT_DB_ALIAS
    assert not replicas.Router().allow_migrate(replicas.REPLICA, "core")


def test_a_transaction_sees_its_own_rows(replica: Any) -> None:
    with transaction.atomic(), replicas.reading_from_replica():
        assert OutboxEvent.objects.all().db == DEFAULT_DB_ALIAS


@pytest.mark.parametrize("positions", ["SELECT 700, 699", "SELECT 700, NULL", "SELECT nothing", replicas._POSITIONS])
def test_one_that_lags_or_cannot_be_asked_about_is_not_read_from(replica: Any, monkeypatch: pytest.MonkeyPatch, positions: str) -> None:
    monkeypatch.setattr(replicas, "_POSITIONS", positions)
    with replicas.reading_from_replica():
        assert replicas.alias_of_reads() == DEFAULT_DB_ALIAS


@pytest.mark.parametrize(("replayed", "fresh"), [(500, True), (499, False)])
def test_it_may_be_as_old_as_the_last_look(replica: Any, monkeypatch: pytest.MonkeyPatch, replayed: int, fresh: bool) -> None:
    monkeypatch.setattr(replicas, "_POSITIONS", f"SELECT 700, {replayed}")
    now = time.monotonic()
    assert replicas._looked(replicas._Look(now - 0.5, 500, True)).is_fresh is fresh
    assert not replicas._looked(replicas._Look(now - 60, 500, True)).is_fresh, "a look that is long ago says nothing"


def test_the_primary_is_asked_once_a_moment(replica: Any, django_assert_num_queries: Any) -> None:
    connection.ensure_connection()
    with django_assert_num_queries(1):
        for _ in range(3):
            with replicas.reading_from_replica():
                pass


def test_what_fails_there_is_read_from_the_primary(replica: Any) -> None:
    asked = []

    def read() -> str:
        asked.append(replicas.alias_of_reads())
        if asked[-1] == replicas.REPLICA:
            raise OperationalError("gone")
        return "read"

    assert [replicas.read_from_replica(read) for _ in range(2)] == ["read", "read"]
    assert asked == [replicas.REPLICA, DEFAULT_DB_ALIAS, DEFAULT_DB_ALIAS]
