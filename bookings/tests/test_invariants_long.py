"""The state machine at length, and the proof that it sees: each seeded fault must break an invariant, or be refused by the database, within 5,000 steps."""

from __future__ import annotations

import contextlib
import datetime
import random
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
from django.db import IntegrityError

from bookings.enums import AttendanceSource, BookingState, EndingBasis, Outcome, Side
from bookings.models import Appeal, Attendance, Booking
from bookings.services import (
    attending,
    cancelling,
    ending,
    expiring,
    limits,
    moving,
    outcomes,
    paying,
    placing,
    requesting,
    rescheduling,
    settling,
    verdicts,
)
from bookings.services.attending import Span
from bookings.services.verdicts import Facts, Said, Verdict
from bookings.tests.machine import REACHED, STEPS, BookingMachine
from core.tests.stateful import run_seeded
from mentors.services import occupying

pytestmark = [pytest.mark.long, pytest.mark.django_db]
SEED = 20261126
MOST_STEPS = 5_000


def run(examples: int, steps: int, number: int) -> None:
    STEPS[0] = 0
    run_seeded(BookingMachine, examples=examples, steps=steps, number=number)


def test_twenty_thousand_steps() -> None:
    """No overlap for anyone, every cent accounted for, no illegal move, and every state is reached."""
    REACHED.clear()
    total = 0
    for number in range(SEED, SEED + 60):
        run(25, 50, number)
        total += STEPS[0]
        if total >= 20_000:
            break
    print(f"seed {SEED} and following: {total} steps, no invariant broken; seen {dict(REACHED)}")
    assert total >= 20_000
    assert set(REACHED) == {state.value for state in BookingState}


# --- Seeded faults ------------------------------------------------------------------------------------------------------------------
def skipped_claim_on_confirm() -> Any:
    """P1: what is confirmed stays a hold, which is given back when its time is over."""
    return mock.patch.object(requesting, "keep_place", lambda booking: None)


def time_kept_after_cancel() -> Any:
    """P1: the time of what was called off stays taken."""
    return mock.patch.object(cancelling, "give_place_back", lambda booking: None)


def time_given_back_on_expiry_of_confirmed() -> Any:
    """P1: confirming takes the time, and the sweep of holds takes it back."""

    def keep(*, reference: Any) -> None:
        occupying.release_claim(reference=reference)

    return mock.patch.object(placing.occupying, "confirm_claim", keep)


def naive_move() -> Any:
    """P2: the session has another time than what is occupied."""

    def place(session: Any, *, starts_at: datetime.datetime) -> None:
        occupying.move_claim(reference=session.pk, starts_at=starts_at, duration_minutes=session.duration_minutes)
        session.starts_at = starts_at + datetime.timedelta(minutes=30)
        session.ends_at = session.starts_at + datetime.timedelta(minutes=session.duration_minutes)
        session.save()

    return mock.patch.object(rescheduling, "move_session", place)


def late_payment_revives() -> Any:
    """P3: what is paid for after it expired is confirmed all the same."""
    return mock.patch.object(paying, "is_overdue", lambda booking: False)


def move_without_history() -> Any:
    """P3: a state changes and nobody knows why."""
    return mock.patch.object(moving, "_record", lambda booking, **_: None)


def unpaid_confirm() -> Any:
    """P7: the price of a confirmed session is never taken."""
    return mock.patch.object(requesting, "capture_payment", lambda **_: None)


def nothing_let_go() -> Any:
    """P7: what was reserved for a request that expired stays reserved."""
    return mock.patch.object(expiring, "owe", lambda booking, refund, **_: None)


def half_of_the_quote() -> Any:
    """P5: less comes back than was promised."""
    honest = settling._pay_back

    def pay_back(booking: Booking, *others: Any) -> bool:
        booking.refund_amount = (booking.refund_amount or 0) // 2
        return honest(booking, *others)

    return mock.patch.object(settling, "_pay_back", pay_back)


def cancel_by_another_formula() -> Any:
    """P5: the quote and the cancel do not say the same."""
    return mock.patch.object(cancelling, "owe", lambda booking, refund, **given: settling.owe(booking, booking.price, **given))


def earned_without_a_session() -> Any:
    """P15: who did not come may review."""

    def follow_up(booking: Booking, _: Outcome) -> None:
        outcomes.grant_reviews(
            reference=booking.pk,
            profile=booking.session.mentor.mentor_profile,
            learner_id=booking.learner_id,
            ended_at=booking.session.ends_at,
        )

    return mock.patch.object(outcomes, "_follow_up", follow_up)


def ended_at_once() -> Any:
    """A mentor's word that a session took place is believed at once, from its start on."""

    def believe(facts: Facts, said: Said) -> Verdict:
        return Verdict(said.says, EndingBasis.AGREED, is_final=True)

    patches = contextlib.ExitStack()
    patches.enter_context(mock.patch.object(ending, "_require_may_complete", lambda booking, side: None))
    patches.enter_context(mock.patch.object(verdicts, "_on_mentor", believe))
    return patches


def link_counted_as_attendance() -> Any:
    """Whoever opens the link was there for the whole session."""
    honest = attending._closed_spans

    def spans(booking: Booking, side: Side) -> list[Span]:
        has_link = Attendance.objects.filter(
            session=booking.session, person=attending._person_of(booking, side), source=AttendanceSource.LINK
        ).exists()
        return [(booking.session.starts_at, booking.session.ends_at)] if has_link else honest(booking, side)

    return mock.patch.object(attending, "_closed_spans", spans)


def one_sided_no_show_believed() -> Any:
    """Whoever says that the other side did not come is believed."""
    honest = verdicts._on_claim

    def claim(facts: Facts, said: Said) -> Verdict:
        if said.says == Outcome.HELD:
            return honest(facts, said)
        return Verdict(said.says, EndingBasis.AGREED, is_final=True)

    return mock.patch.object(verdicts, "_on_claim", claim)


def contested_and_final() -> Any:
    """What somebody contests becomes final all the same."""
    nothing = Appeal.objects.none()
    patches = contextlib.ExitStack()
    patches.enter_context(mock.patch.object(ending, "is_contested", lambda booking: False))
    patches.enter_context(mock.patch.object(ending, "_OPEN_APPEALS", nothing))
    return patches


def unlimited_series_holds() -> Any:
    """Whoever holds series holds as many as they like."""
    patches = contextlib.ExitStack()
    patches.enter_context(mock.patch.object(limits, "_require_few_waiting", lambda learner, *, is_offer: None))
    patches.enter_context(mock.patch.object(limits, "_require_few_ahead", lambda *_, **__: None))
    return patches


MUTANTS = (
    skipped_claim_on_confirm,
    time_kept_after_cancel,
    time_given_back_on_expiry_of_confirmed,
    naive_move,
    late_payment_revives,
    move_without_history,
    unpaid_confirm,
    nothing_let_go,
    half_of_the_quote,
    cancel_by_another_formula,
    earned_without_a_session,
    ended_at_once,
    link_counted_as_attendance,
    one_sided_no_show_believed,
    contested_and_final,
    unlimited_series_holds,
)


@pytest.fixture(autouse=True)
def steady() -> Iterator[None]:
    state = random.getstate()
    yield
    random.setstate(state)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_each_seeded_fault_is_found(mutant: Callable[[], Any]) -> None:
    with mutant(), pytest.raises((AssertionError, IntegrityError)):
        run(MOST_STEPS // 40, 40, SEED)
    print(f"{mutant.__name__}: found after {STEPS[0]} steps")
    assert STEPS[0] <= MOST_STEPS
