from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from payments.tests.machine import STEPS, MoneyMachine

pytestmark = pytest.mark.django_db


def test_money_keeps_its_invariants() -> None:
    """Random steps and accidents; `make test-long` takes many more."""
    STEPS[0] = 0
    run_state_machine_as_test(
        MoneyMachine,
        settings=settings(max_examples=7, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), database=None),
    )
    assert STEPS[0] > 200
