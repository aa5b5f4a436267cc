"""Telling people and staff what became of money."""

from __future__ import annotations

from core.events import subscribe
from notifications.notices import Kind
from notifications.services.notifying import notify, notify_staff
from payments.enums import DisputeState, PaymentState
from payments.events import (
    DifferencesFound,
    DisputeDecided,
    EarningsHeldUp,
    HoldingsGrowOld,
    MovementStuck,
    PaidOut,
    PaymentDisputedByPayer,
    PaymentFailed,
    PaymentRefunded,
    PaymentSucceeded,
    ProviderObjectChanged,
)
from payments.models import Dispute, Movement, Payment, PayoutAccount
from payments.notices import (
    DIFFERENCES_FOUND,
    DISPUTE_LOST,
    DISPUTE_WON,
    EARNINGS_HELD_UP,
    HOLDINGS_GROW_OLD,
    MONEY_STUCK,
    PAID_OUT,
    PAYMENT_DECLINED,
    PAYMENT_DISPUTED,
    PAYMENT_RECEIVED,
    PAYMENT_REFUNDED,
)
from payments.services import copying


@subscribe(PaymentSucceeded)
def send_receipt(event: PaymentSucceeded) -> None:
    """Something was paid."""
    payment = Payment.objects.get(pk=event.payment_id)
    if payment.captured_amount:
        data = {"what": payment.description, "amount": payment.captured_amount, "currency": payment.currency, "payment": payment.pk}
        notify(kind=PAYMENT_RECEIVED, user_ids=[payment.payer_id], data=data, key=str(payment.pk))


@subscribe(PaymentFailed)
def tell_payer_of_decline(event: PaymentFailed) -> None:
    """The payer's bank said no, and the payer has not paid since."""
    payment = Payment.objects.get(pk=event.payment_id)
    if payment.state == PaymentState.WAITING:
        data = {"what": payment.description, "amount": payment.amount, "currency": payment.currency}
        notify(kind=PAYMENT_DECLINED, user_ids=[payment.payer_id], data=data, key=f"{payment.pk} {payment.failure_code}")


@subscribe(PaymentRefunded)
def tell_payer_of_refund(event: PaymentRefunded) -> None:
    """Something was paid back."""
    payment = Payment.objects.get(pk=event.payment_id)
    data = {"what": payment.description, "amount": event.amount, "currency": payment.currency}
    notify(kind=PAYMENT_REFUNDED, user_ids=[payment.payer_id], data=data, key=str(event.movement_id))


@subscribe(PaymentDisputedByPayer)
def tell_mentor_of_dispute(event: PaymentDisputedByPayer) -> None:
    """A payer's bank took something back for the time being."""
    _tell_of_dispute(Dispute.objects.select_related("payment").get(pk=event.dispute_id), PAYMENT_DISPUTED)


@subscribe(DisputeDecided)
def tell_mentor_of_decision(event: DisputeDecided) -> None:
    """The bank has decided."""
    dispute = Dispute.objects.select_related("payment").get(pk=event.dispute_id)
    _tell_of_dispute(dispute, DISPUTE_WON if event.state == DisputeState.WON else DISPUTE_LOST)


@subscribe(PaidOut)
def tell_mentor_of_payout(event: PaidOut) -> None:
    """Earnings are on their way to the bank."""
    movement = Movement.objects.get(pk=event.movement_id)
    data = {"amount": movement.amount, "currency": movement.currency}
    notify(kind=PAID_OUT, user_ids=[event.user_id], data=data, key=str(movement.pk))


@subscribe(EarningsHeldUp)
def tell_mentor_of_held_up_earnings(event: EarningsHeldUp) -> None:
    """The mentor's account is not ready."""
    account = PayoutAccount.objects.get(person=event.user_id)
    notify(kind=EARNINGS_HELD_UP, user_ids=[event.user_id], data={}, key=str(account.told_held_up_at))


@subscribe(MovementStuck)
def tell_staff_of_stuck_money(event: MovementStuck) -> None:
    """The provider did not do something."""
    movement = Movement.objects.get(pk=event.movement_id)
    data = {"kind": movement.kind, "code": movement.failure_code, "amount": movement.amount, "currency": movement.currency}
    notify_staff(kind=MONEY_STUCK, data=data, key=f"{movement.pk} {movement.key}")


@subscribe(HoldingsGrowOld)
def tell_staff_of_old_holdings(event: HoldingsGrowOld) -> None:
    """Money waits for mentors for too long."""
    notify_staff(kind=HOLDINGS_GROW_OLD, data={"payments": event.payments}, key=event.taken_before.date().isoformat())


@subscribe(DifferencesFound)
def tell_staff_of_differences(event: DifferencesFound) -> None:
    """The provider's books and ours say different things."""
    notify_staff(kind=DIFFERENCES_FOUND, data={"findings": event.findings}, key=str(event.reconciliation_id))


@subscribe(ProviderObjectChanged)
def keep_copy_for_staff(event: ProviderObjectChanged) -> None:
    """Staff can look at the provider's object."""
    copying.keep_copy(kind=event.kind, key=event.key)


def _tell_of_dispute(dispute: Dispute, kind: Kind) -> None:
    data = {"what": dispute.payment.description, "amount": dispute.amount, "currency": dispute.currency}
    notify(kind=kind, user_ids=[dispute.payment.payee_id], data=data, key=f"{dispute.pk} {dispute.state}")
