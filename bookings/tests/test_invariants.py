from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from bookings.enums import MOVES, BookingState
from bookings.tests.machine import STEPS, BookingMachine

pytestmark = pytest.mark.django_db


def test_bookings_keep_their_invariants() -> None:
    """Random steps on a jumping clock; `make test-long` takes many more."""
    STEPS[0] = 0
    run_state_machine_as_test(
        BookingMachine,
        settings=settings(
            max_examples=9,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=[Phase.generate],
        ),
    )
    assert STEPS[0] > 200


def test_the_database_holds_the_same_graph(django_db_blocker: object) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT from_state, to_state FROM bookings_allowedmove")
        held = set(cursor.fetchall())
    assert held == {(before.value, after.value) for before, moves in MOVES.items() for after in moves}
    assert {state for move in held for state in move} == {state.value for state in BookingState}
