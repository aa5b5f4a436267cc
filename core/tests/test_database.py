from __future__ import annotations

import pytest
from django.db import connection, connections
from pytest_django import DjangoAssertNumQueries

from core.prepared import fetch_all, fetch_one, fetch_planned


@pytest.mark.django_db
class TestPreparedStatements:
    def test_are_planned_once_a_connection(self) -> None:
        for number in range(3):
            assert fetch_one("SELECT 40 + %s::int", (number,)) == (40 + number,)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT 40 + %%'", ())
            assert cursor.fetchone() == (1,)

    def test_are_planned_for_each_call_unless_one_plan_is_right_for_all(self) -> None:
        for number in range(3):
            assert fetch_planned("SELECT 50 + %s::int", (number,)) == [(50 + number,)]
            assert fetch_planned("SELECT 60 + %s::int", (number,), once=True) == [(60 + number,)]
        kept = fetch_all("SELECT statement FROM pg_prepared_statements WHERE statement SIMILAR TO 'SELECT [56]0 +%%'", ())
        assert kept == [("SELECT 60 + $1::int",)]

    def test_have_names_and_many_rows(self) -> None:
        assert fetch_all("SELECT n FROM generate_series(1, %(most)s::int) AS n", {"most": 3}) == [(1,), (2,), (3,)]


@pytest.mark.django_db(transaction=True)
class TestKeptConnections:
    def test_cost_no_query_while_the_server_listens(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        connection.ensure_connection()
        with django_assert_num_queries(0):
            assert connection.is_usable()

    def test_are_given_up_when_the_server_has_hung_up(self) -> None:
        (ours,) = fetch_one("SELECT pg_backend_pid()", ())
        other = connections.create_connection("default")
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", (ours,))
        finally:
            other.close()
        assert not connection.is_usable()
        connection.close()
        assert not connection.is_usable()
        assert fetch_one("SELECT 1", ()) == (1,)
