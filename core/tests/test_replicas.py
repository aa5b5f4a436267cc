from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, transaction

from accounts.models import User
from core import replicas

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def replica(monkeypatch: pytest.MonkeyPatch) -> Iterator[mock.Mock]:
    """A replica by name alone, in step with its primary; nothing here connects to it."""
    monkeypatch.setitem(settings.DATABASES, replicas.REPLICA, settings.DATABASES[DEFAULT_DB_ALIAS])
    monkeypatch.setattr(replicas, "_look", {"until": 0.0, "fresh": False})
    with mock.patch.object(replicas, "_LAG", "SELECT 0.1") as lag:
        yield lag


def test_without_a_replica_everything_is_read_from_the_primary() -> None:
    with replicas.reading_from_replica():
        assert User.objects.all().db == DEFAULT_DB_ALIAS


def test_only_who_says_so_reads_from_it(replica: Any) -> None:
    assert User.objects.all().db == DEFAULT_DB_ALIAS
    with replicas.reading_from_replica():
        assert User.objects.all().db == replicas.REPLICA
        assert replicas.Router().db_for_write(User) == DEFAULT_DB_ALIAS
    assert User.objects.all().db == DEFAULT_DB_ALIAS
    assert not replicas.Router().allow_migrate(replicas.REPLICA, "core")


def test_a_transaction_sees_its_own_rows(replica: Any) -> None:
    with transaction.atomic(), replicas.reading_from_replica():
        assert User.objects.all().db == DEFAULT_DB_ALIAS


@pytest.mark.parametrize("lag", ["SELECT 1.5", "SELECT NULL", "SELECT nothing", replicas._LAG])
def test_one_that_lags_or_cannot_be_asked_about_is_not_read_from(replica: Any, monkeypatch: pytest.MonkeyPatch, lag: str) -> None:
    monkeypatch.setattr(replicas, "_LAG", lag)
    with replicas.reading_from_replica():
        assert replicas.alias_of_reads() == DEFAULT_DB_ALIAS


def test_the_primary_is_asked_once_a_second(replica: Any, django_assert_num_queries: Any) -> None:
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
