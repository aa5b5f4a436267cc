"""The state machine at length, and the proof that it sees: each seeded fault must be found."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
from django.db import DatabaseError

from core.money import Money
from core.tests.stateful import run_seeded
from payments.models import LedgerEntry, Movement, Payment
from payments.providers import stripe
from payments.services import disputes, earning, ledger, moving, paying, recovering, refunding, splitting, syncing
from payments.tests.machine import STEPS, MoneyMachine

pytestmark = [pytest.mark.long, pytest.mark.django_db]
SEED = 20261125
MOST_STEPS = 5_000


def run(examples: int, steps: int, number: int) -> None:
    STEPS[0] = 0
    run_seeded(MoneyMachine, examples=examples, steps=steps, number=number)


def test_twenty_thousand_steps() -> None:
    total = 0
    for number in range(SEED, SEED + 40):
        run(25, 50, number)
        total += STEPS[0]
        if total >= 20_000:
            break
    print(f"seed {SEED} and following: {total} steps, no invariant broken")
    assert total >= 20_000


# --- Seeded faults ------------------------------------------------------------------------------------------------------------------
def edit_on_refund() -> Any:
    """P4: an entry is changed in place."""

    def book(**given: Any) -> bool:
        LedgerEntry.objects.filter(transaction__payment=given["payment"], account__kind="provider").update(amount=1)
        return True

    return mock.patch.object(refunding, "book", book)


def fee_rounding() -> Any:
    """P5: each part is rounded by itself."""

    def parts(payment: Payment, captured: Money) -> splitting.Parts:
        fee = Money(-(-payment.fee_amount * captured.amount // payment.amount), payment.currency)
        tax = Money(-(-payment.tax_amount * captured.amount // payment.amount), payment.currency)
        rest = payment.amount - payment.fee_amount - payment.tax_amount
        return splitting.Parts(Money(rest * captured.amount // payment.amount, payment.currency), fee, tax)

    return mock.patch.object(syncing, "parts_of_sale", parts)


def stranded_rest() -> Any:
    """P5: each refund is divided for itself, so that rests of units stay somewhere."""

    def parts(payment: Payment, money: Money) -> splitting.Parts:
        sale = splitting.parts_of_sale(payment, payment.captured)
        payee = sale.payee.part(money.amount, payment.captured_amount)
        tax = sale.tax.part(money.amount, payment.captured_amount)
        return splitting.Parts(payee, money - payee - tax, tax)

    return mock.patch.object(refunding, "parts_of_next_return", parts)


def double_refund() -> Any:
    """P6: who asks again does so under another key."""
    ask = stripe.refund_intent
    return mock.patch.object(stripe, "refund_intent", lambda *given, key, **more: ask(*given, key=str(random.random()), **more))


def refund_beyond_capture() -> Any:
    """P6: what was returned before is forgotten."""
    return mock.patch.object(Payment, "returnable", property(lambda self: self.captured))


def refund_against_payout() -> Any:
    """P6: what the mentor has already is not taken back."""
    return mock.patch.object(refunding, "plan_recovery", lambda payment: None)


def dispute_against_payout() -> Any:
    """P6: the same after a dispute that was lost."""
    return mock.patch.object(disputes, "plan_recovery", lambda payment: None)


def transfer_of_debts() -> Any:
    """P6: what a mentor owes is not taken off."""
    return mock.patch.object(earning, "available_to", lambda person_id, currency: Money(10**9, currency))


def capture_after_expiry() -> Any:
    """P7: what is taken after the payment was called off stays."""
    return mock.patch.object(syncing, "pay_back_unwanted", lambda payment: None)


def capture_of_cancelled() -> Any:
    """P7: a capture that was planned before the payment was called off goes on as wished for, and the wish to call it off is forgotten."""

    def cancel(*, payment_id: Any) -> None:
        with contextlib.suppress(Exception):
            payment = paying.locked_payment(payment_id)
            paying.mark_cancelled(payment)

    return mock.patch.object(paying, "cancel_payment", cancel)


def no_dedupe() -> Any:
    """P8: what is told twice is booked twice."""
    return mock.patch.object(ledger.LedgerTransaction.objects, "filter", lambda **_: mock.Mock(exists=lambda: False))


def last_write_wins() -> Any:
    """P8: what an event told first is believed for ever."""
    told: dict[str, Any] = {}
    ask = stripe.read_intent

    def stale(key: str) -> Any:
        intent = ask(key)
        return told.setdefault(intent.payment_id, intent)

    return mock.patch.object(stripe, "read_intent", stale)


def new_key_for_transfers() -> Any:
    """P8: a transfer whose answer was lost is made again."""
    ask = stripe.transfer
    return mock.patch.object(stripe, "transfer", lambda *, key, **more: ask(key=str(random.random()), **more))


def recovered_twice() -> Any:
    """P6: reversals that are under way are not counted."""
    return mock.patch.object(recovering, "_sum", lambda rows: 0)


def settled_before_asked() -> Any:
    """P8: a movement is done when it is begun."""
    announce = moving._announce

    def early(movement_id: Any) -> bool:
        is_asked = announce(movement_id)
        if is_asked and Movement.objects.get(pk=movement_id).kind == "refund":
            Movement.objects.filter(pk=movement_id).update(state="failed")
        return is_asked

    return mock.patch.object(moving, "_announce", early)


MUTANTS: tuple[Callable[[], Any], ...] = (
    edit_on_refund,
    fee_rounding,
    stranded_rest,
    double_refund,
    refund_beyond_capture,
    refund_against_payout,
    dispute_against_payout,
    transfer_of_debts,
    capture_after_expiry,
    capture_of_cancelled,
    no_dedupe,
    last_write_wins,
    new_key_for_transfers,
    recovered_twice,
    settled_before_asked,
)


@pytest.fixture(autouse=True)
def steady() -> Iterator[None]:
    state = random.getstate()
    yield
    random.setstate(state)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_each_seeded_fault_is_found(mutant: Callable[[], Any]) -> None:
    # By an invariant, by the books, or by the database; not by a fault of the seed itself.
    with mutant(), pytest.raises((AssertionError, ledger.Unbalanced, DatabaseError)) as found:
        run(MOST_STEPS // 40, 40, SEED)
    print(f"{mutant.__name__}: found after {STEPS[0]} steps: {type(found.value).__name__}")
    assert STEPS[0] <= MOST_STEPS
