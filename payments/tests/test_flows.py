from __future__ import annotations

import pytest

from payments.enums import AccountKind, PaymentState
from payments.models import LedgerEntry, LedgerTransaction, Payment
from payments.tests.world import World

pytestmark = pytest.mark.django_db


def balances(payment: Payment) -> dict[str, int]:
    from payments.services.ledger import balances_of_payment

    return {kind.value: money.amount for kind, money in balances_of_payment(payment).items() if money}


def test_a_payment_from_the_sale_to_the_mentors_bank(world: World) -> None:
    account = world.onboard()
    assert (account.is_submitted, account.can_receive, account.can_pay_out) == (True, True, True)
    payment = world.paid()
    assert (payment.state, payment.captured_amount) == (PaymentState.CAPTURED, 5_000)
    # Stripe takes 2.9 % and 30 cents, the platform 15 %.
    assert balances(payment) == {"provider": 4_825, "platform": 175, "mentor_pending": -4_250, "fee": -750}
    world.earn(payment)
    payment.refresh_from_db()
    assert payment.transferred_amount == 4_250
    assert balances(payment) == {"provider": 575, "platform": 175, "fee": -750}
    world.later(days=3)
    world.pay_out()
    from payments.models import Movement

    payout = Movement.objects.get(kind="payout")
    assert (payout.amount, payout.state) == (4_250, "sent")
    world.act("payout-arrives", payout.provider_id)
    payout.refresh_from_db()
    assert payout.state == "done"
    assert LedgerEntry.objects.count() == sum(t.entries.count() for t in LedgerTransaction.objects.all())
    assert AccountKind.FEE.value in balances(payment)
