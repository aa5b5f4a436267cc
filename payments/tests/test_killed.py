"""Whoever asks the provider may die at any moment: before a call, or after it was done there and before it was written down here. In every way that
money takes, at every call, what follows is the same as if nobody had died."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.db import transaction
from django.utils import timezone

from core.money import Money
from payments.enums import RefundReason
from payments.models import LedgerEntry, LedgerTransaction, Movement, Payment
from payments.peer.banking import act
from payments.peer.engine import Peer
from payments.providers import stripe as provider
from payments.services import earning, paying, refunding
from payments.services.payouts import plan_payouts
from payments.tests.invariants import check_always, check_settled
from payments.tests.machine import Killed
from payments.tests.world import World, sdk

pytestmark = pytest.mark.django_db


def capture(world: World) -> None:
    payment = world.paid(mode="manual")
    paying.capture_payment(payment_id=payment.pk, money=Money(3_000, "USD"))


def call_off(world: World) -> None:
    payment = world.paid(mode="manual")
    paying.cancel_payment(payment_id=payment.pk)


def call_off_too_late(world: World) -> None:
    payment = world.open()
    paying.start_payment(payment_id=payment.pk)
    world.confirm(payment)
    paying.cancel_payment(payment_id=payment.pk)


def refund_in_parts(world: World) -> None:
    payment = world.paid()
    for amount in (1_000, 2_500):
        refunding.refund_payment(payment_id=payment.pk, money=Money(amount, "USD"), reason=RefundReason.GOODWILL)


def transfer(world: World) -> None:
    world.onboard()
    for _ in range(2):
        payment = world.paid()
        earning.mark_earned(payment_id=payment.pk, earned_at=timezone.now())
    world.later(days=8)
    earning.release_earnings()
    earning.plan_transfers()


def refund_after_transfer(world: World) -> None:
    world.onboard()
    payment = world.paid()
    world.earn(payment)
    refunding.refund_payment(payment_id=payment.pk, money=Money(4_000, "USD"), reason=RefundReason.NOT_DELIVERED)


def dispute_after_transfer(world: World) -> None:
    world.onboard()
    payment = world.paid()
    world.earn(payment)
    act(world.peer, "dispute", payment.charge_id)
    act(world.peer, "lose", next(world.peer.store.of("dispute"))["id"])


def pay_out(world: World) -> None:
    world.onboard()
    world.earn(world.paid())
    world.later(days=3)
    plan_payouts(until=timezone.now() + datetime.timedelta(minutes=1))


# Each way, and how many calls the workers make on it.
WAYS: dict[Callable[[World], None], int] = {
    capture: 1,
    call_off: 1,
    call_off_too_late: 1,
    refund_in_parts: 2,
    transfer: 2,
    refund_after_transfer: 2,
    dispute_after_transfer: 1,
    pay_out: 1,
}


def end_state(world: World) -> dict[str, Any]:
    """All that is true in the end, but for names."""
    entries = LedgerEntry.objects.order_by("account__kind", "amount").values_list("account__kind", "amount")
    return {
        "payments": sorted(Payment.objects.values_list("state", "captured_amount", "returned_amount", "transferred_amount")),
        "movements": sorted(Movement.objects.exclude(state="failed").values_list("kind", "amount", "state")),
        "books": list(entries),
        "told": sorted(LedgerTransaction.objects.values_list("kind", flat=True)),
        "theirs": {
            kind: len(list(world.peer.store.of(kind))) for kind in ("payment_intent", "refund", "transfer", "transfer_reversal", "payout")
        },
    }


class Death:
    """Kills whoever makes the `number`-th call of the workers, before or after it is done. With number 0 it only counts."""

    def __init__(self, number: int, moment: str = "before") -> None:
        self.number, self.moment = number, moment
        self.calls: list[str] = []

    def __call__(self, when: str, method: str, path: str) -> None:
        if when == self.moment:
            self.calls.append(path)
            if len(self.calls) == self.number:
                raise Killed


def run(world: World, way: Callable[[World], None], death: Death) -> dict[str, Any]:
    """A way in a world of its own. Whoever works may die; the next one takes over, until all is done. What follows is undone again."""
    fresh = World(Peer(), world.payer, world.mentor)
    client = sdk(fresh.peer)
    with mock.patch.object(provider, "_client", lambda *_: client), transaction.atomic():
        way(fresh)
        fresh.peer.dial.watch = death
        while True:
            try:
                fresh.all_due()
                fresh.hear()
                break
            except Killed:
                continue
        fresh.peer.dial.watch = lambda when, method, path: None
        check_always()
        check_settled(fresh.peer)
        state = end_state(fresh)
        transaction.set_rollback(True)
    return state


@pytest.mark.parametrize(("way", "calls"), WAYS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_every_moment_of_death_ends_in_one_effect(world: World, way: Callable[[World], None], calls: int) -> None:
    nobody = Death(0)
    expected = run(world, way, nobody)
    assert len(nobody.calls) == calls, nobody.calls
    for number in range(1, calls + 1):
        for moment in ("before", "after"):
            death = Death(number, moment)
            assert run(world, way, death) == expected, (nobody.calls[number - 1], moment)
            # What was done is asked again, or was heard of meanwhile.
            assert len(death.calls) > number or moment == "after"


def test_a_payer_whose_request_dies_gets_the_same_agreement(world: World) -> None:
    """The call that makes the agreement to pay is made by a request, and is the same one when it is repeated."""
    for moment in ("before", "after"):
        payment = world.open()

        def watch(when: str, method: str, path: str, moment: str = moment) -> None:
            if when == moment:
                raise Killed

        world.peer.dial.watch = watch
        with pytest.raises(Killed), transaction.atomic():
            paying.start_payment(payment_id=payment.pk)
        world.peer.dial.watch = lambda when, method, path: None
        payment.refresh_from_db()
        assert payment.provider_id == ""
        paying.start_payment(payment_id=payment.pk)
        made = [row for row in world.peer.store.of("payment_intent") if row["metadata"]["payment"] == str(payment.pk)]
        assert len(made) == 1
