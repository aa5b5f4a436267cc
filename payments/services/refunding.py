"""Paying back. What is owed is booked first, with everybody's part in it; then the provider is asked."""

from __future__ import annotations

import uuid

from django.db import transaction

from accounts.models import User
from core.errors import FieldError
from core.events import publish
from core.money import Money
from payments.enums import AccountKind, DisputeState, LedgerKind, MovementKind, MovementState, PaymentState, RefundReason
from payments.errors import IllegalPaymentMove, InvalidAmount, NotAMovement, PaymentDisputed
from payments.events import PaymentRefunded
from payments.models import Movement, Payment
from payments.providers import stripe
from payments.providers.base import Outcome, Refund
from payments.services.causes import cause_of
from payments.services.ledger import Posting, book
from payments.services.moving import Carrier, plan_movement, register_carrier, settle
from payments.services.recovering import plan_recovery
from payments.services.splitting import Parts, parts_of_next_return


def refund_payment(
    *, payment_id: uuid.UUID, money: Money, reason: RefundReason, requested_by: User | None = None, note: str = ""
) -> Movement:
    """Owe a part of a payment to its payer, and ask the provider to pay it back. The payee and the platform bear it in proportion; what
    went out to the payee already is taken back from their account, and what is not there any more is theirs to owe.

    Raises:
        IllegalPaymentMove: nothing was taken.
        InvalidAmount: nothing, more than is left, or no multiple of what can be paid.
        PaymentDisputed: the payer's bank holds it.
    """
    with transaction.atomic():
        payment = Payment.objects.select_for_update().get(pk=payment_id)
        if payment.state != PaymentState.CAPTURED:
            raise IllegalPaymentMove
        if payment.disputes.filter(state=DisputeState.OPEN).exists():
            raise PaymentDisputed
        if money.amount <= 0 or not money.is_payable or money > payment.returnable:
            raise InvalidAmount(errors=(FieldError("amount", "invalid_amount", InvalidAmount.message),))
        return _owe(payment, money, reason, requested_by, note)


def withdraw_refund(*, movement: Movement, staff: User, note: str) -> None:
    """Staff give a refund up that the provider will not make, since the payer got the money in another way or keeps what they bought.

    Raises:
        NotAMovement: it is no refund that is stuck.
    """
    with transaction.atomic():
        payment = Payment.objects.select_for_update().get(pk=movement.payment_id)
        row = Movement.objects.select_for_update().get(pk=movement.pk)
        if row.kind != MovementKind.REFUND or row.state != MovementState.STUCK:
            raise NotAMovement
        left = row.money - _use_unowed(payment, row.money)
        payment.returned_amount -= left.amount
        postings = _postings_of_debt(payment, left, parts_of_next_return(payment, left))
        undone = [Posting(each.account, -each.money, each.owner_id) for each in postings]
        book(kind=LedgerKind.REFUND_WITHDRAWN, cause=row.pk, postings=undone, payment=payment, note=note[:300])
        payment.save()
        row.note, row.requested_by = note[:500], staff
        settle(row, MovementState.FAILED)


def apply_refund(payment: Payment, refund: Refund) -> None:
    """Take into account what the provider says of a refund. Needs the lock of the payment."""
    movement = _movement_of(payment, refund)
    if movement is None:
        return
    if refund.booking is not None:
        paid = -refund.booking.amount
        postings = (
            Posting(AccountKind.CUSTOMER, paid, payment.payer_id),
            Posting(AccountKind.PLATFORM, refund.booking.fee),
            Posting(AccountKind.PROVIDER, refund.booking.net),
        )
        is_new = book(
            kind=LedgerKind.REFUND_PAID,
            cause=cause_of(refund.id),
            postings=postings,
            payment=payment,
            provider_record=refund.booking.record,
        )
        if is_new:
            settle(movement, MovementState.SENT, provider_id=refund.id)
    if refund.outcome is Outcome.DONE and movement.state == MovementState.SENT:
        settle(movement, MovementState.DONE)
        publish(PaymentRefunded(payment.pk, payment.subject_id, movement.pk, movement.amount))
    elif refund.outcome is Outcome.FAILED:
        _take_back(payment, movement, refund)


def _owe(payment: Payment, money: Money, reason: RefundReason, requested_by: User | None = None, note: str = "") -> Movement:
    movement = plan_movement(kind=MovementKind.REFUND, money=money, payment=payment, reason=reason, requested_by=requested_by, note=note)
    _book_debt(payment, movement, money)
    return movement


def _book_debt(payment: Payment, movement: Movement, money: Money) -> None:
    postings = _postings_of_debt(payment, money, parts_of_next_return(payment, money))
    book(kind=LedgerKind.REFUND_PLANNED, cause=movement.pk, postings=postings, payment=payment)
    payment.returned_amount += money.amount
    payment.save()
    plan_recovery(payment)


def _use_unowed(payment: Payment, money: Money) -> Money:
    """What was paid back by the provider's dashboard beyond what was owed pays this; gives how much of it."""
    left = money.amount
    for row in payment.movements.select_for_update().filter(unowed_amount__gt=0).order_by("id"):
        used = min(left, row.unowed_amount)
        row.unowed_amount -= used
        row.save(update_fields=("unowed_amount", "updated_at"))
        left -= used
    return Money(money.amount - left, money.currency)


def _postings_of_debt(payment: Payment, money: Money, parts: Parts) -> list[Posting]:
    from_payee = AccountKind.AVAILABLE if payment.released_at else AccountKind.PENDING
    return [
        Posting(from_payee, parts.payee, payment.payee_id),
        Posting(AccountKind.FEE, parts.fee),
        Posting(AccountKind.TAX, parts.tax),
        Posting(AccountKind.CUSTOMER, -money, payment.payer_id),
    ]


def _movement_of(payment: Payment, refund: Refund) -> Movement | None:
    """The movement behind a refund; one is made for a refund of the provider's dashboard. None for one of which nothing came."""
    refunds = Movement.objects.select_for_update().filter(payment=payment, kind=MovementKind.REFUND)
    known = refunds.filter(provider_id=refund.id).first()
    if known is None and refund.movement_id:
        known = refunds.filter(pk=refund.movement_id).first()
    if known is not None or refund.booking is None or refund.outcome is Outcome.FAILED:
        return known
    # There may be less left to pay back than that: then it pays what is owed already, and its own refund cannot be made any more.
    owed = min(refund.amount, payment.returnable)
    made = plan_movement(kind=MovementKind.REFUND, money=refund.amount, payment=payment, reason=RefundReason.AT_PROVIDER)
    made.attempts, made.unowed_amount = 1, (refund.amount - owed).amount
    made.save()
    _book_debt(payment, made, owed)
    return made


def _take_back(payment: Payment, movement: Movement, refund: Refund) -> None:
    """The payer's bank did not take a refund: it is still owed, and staff decide."""
    is_new = refund.returned is not None and book(
        kind=LedgerKind.REFUND_CAME_BACK,
        cause=cause_of(refund.id),
        postings=(
            Posting(AccountKind.PROVIDER, refund.returned.net),
            Posting(AccountKind.PLATFORM, refund.returned.fee),
            Posting(AccountKind.CUSTOMER, -refund.returned.amount, payment.payer_id),
        ),
        payment=payment,
        provider_record=refund.returned.record,
    )
    if is_new:
        movement.failure_code = refund.failure_code[:80]
        if movement.unowed_amount < movement.amount:
            movement.amount, movement.unowed_amount = movement.amount - movement.unowed_amount, 0
            settle(movement, MovementState.STUCK)
        else:
            settle(movement, MovementState.FAILED)


def _ask(movement: Movement, payment: Payment | None) -> None:
    assert payment is not None  # by a constraint
    refund = stripe.refund_intent(
        payment.provider_id, money=movement.money, reason=movement.reason, movement_id=str(movement.pk), key=movement.key
    )
    apply_refund(payment, refund)
    movement.refresh_from_db()
    if movement.state == MovementState.PLANNED:
        # Under way, and not booked by the provider yet.
        settle(movement, MovementState.SENT, provider_id=refund.id)


def _lose(movement: Movement, payment: Payment | None) -> None:
    """Somebody may have paid it back in the provider's dashboard; what is still owed after that is asked for anew. Otherwise staff
    decide."""
    assert payment is not None  # by a constraint
    for refund in stripe.refunds_of(payment.provider_id):
        apply_refund(payment, refund)
    used = _use_unowed(payment, movement.money)
    if not used:
        settle(movement, MovementState.STUCK)
        return
    movement.failure_code = "paid_otherwise"
    settle(movement, MovementState.FAILED)
    left = movement.money - used
    if left:
        plan_movement(kind=MovementKind.REFUND, money=left, payment=payment, reason=movement.reason, requested_by=movement.requested_by)


register_carrier(MovementKind.REFUND, Carrier(_ask, _lose))
