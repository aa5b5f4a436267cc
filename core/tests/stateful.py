"""Running state machines of hypothesis from a seed, so that a note can name what was run."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def run_seeded(machine: type[RuleBasedStateMachine], *, examples: int, steps: int, number: int) -> None:
    """Examples of so many steps until one breaks an invariant, the same for the same number. Nothing is made smaller: that takes long."""
    options = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        verbosity=Verbosity.quiet,
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(seed(number)(type("Seeded", (machine,), {})), settings=options)
