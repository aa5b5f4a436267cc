"""A mentor's part: earned when what was paid for took place, released after the window for disputes, transferred to their account."""

from __future__ import annotations

import datetime
import uuid

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from core.batches import each_alone
from core.events import publish
from core.money import Money
from payments.enums import AccountKind, DisputeState, LedgerKind, MovementKind, MovementState, PaymentState
from payments.errors import IllegalPaymentMove
from payments.events import EarningsTransferred
from payments.models import LedgerEntry, Movement, Payment, PayoutAccount
from payments.providers import stripe
from payments.services.causes import cause_of
from payments.services.ledger import Posting, balances_of_payment, book, hold_money_of, owed_to
from payments.services.moving import Carrier, plan_movement, register_carrier, settle
from payments.services.recovering import plan_recovery
from payments.services.splitting import entitlement

_BATCH = 200
# A transfer that is stuck is still one: a second one beside it could be one too many.
_COUNTED = (MovementState.PLANNED, MovementState.SENT, MovementState.STUCK)


def mark_earned(*, payment_id: uuid.UUID, earned_at: datetime.datetime) -> None:
    """What was paid for has taken place: the payee's part goes out when the window for disputes is over. Told again it changes nothing.

    Raises:
        IllegalPaymentMove: nothing was taken.
    """
    with transaction.atomic():
        payment = Payment.objects.select_for_update().get(pk=payment_id)
        if payment.state != PaymentState.CAPTURED:
            raise IllegalPaymentMove
        if payment.earned_at is None:
            payment.earned_at, payment.release_at = earned_at, earned_at + payment.window
            payment.save()


def release_earnings() -> int:
    """Release what has waited long enough. Returns how many payments were looked at."""
    due = list(Payment.objects.to_release().order_by("release_at").values_list("pk", flat=True)[:_BATCH])
    return len(each_alone(_release_one, due))


def plan_transfers() -> int:
    """Send what mentors have available to their accounts, where they can receive it. Returns how many transfers were planned."""
    ready = PayoutAccount.objects.filter(can_receive=True, person__is_active=True)
    owed = LedgerEntry.objects.filter(account__kind=AccountKind.AVAILABLE, account__owner__in=ready.values("person"))
    sums = owed.order_by().values_list("account__owner", "account__currency").annotate(total=Sum("amount")).filter(total__lt=0)
    return sum(each_alone(lambda row: _plan_for(row[0], row[1]), sums.iterator()))


def open_entitlement(payment: Payment) -> Money:
    """What of a payment may still go to the payee: not returned, not disputed, not sent, not on its way."""
    frozen = payment.disputes.filter(state=DisputeState.OPEN).aggregate(total=Sum("frozen_amount"))["total"] or 0
    moving = payment.movements.filter(kind=MovementKind.TRANSFER, state__in=_COUNTED).aggregate(total=Sum("amount"))["total"] or 0
    return entitlement(payment) - Money(int(frozen) + payment.transferred_amount + int(moving), payment.currency)


def available_to(person_id: uuid.UUID, currency: str) -> Money:
    """What can be sent to a mentor now, debts and what is on its way taken off."""
    moving = Movement.objects.filter(person=person_id, currency=currency, kind=MovementKind.TRANSFER, state__in=_COUNTED)
    on_the_way = int(moving.aggregate(total=Sum("amount"))["total"] or 0)
    return owed_to(AccountKind.AVAILABLE, currency, person_id) - Money(on_the_way, currency)


def _release_one(payment_id: uuid.UUID) -> None:
    with transaction.atomic():
        payment = Payment.objects.select_for_update().get(pk=payment_id)
        if payment.released_at is None:
            _release(payment)


def _release(payment: Payment) -> None:
    waiting = -balances_of_payment(payment).get(AccountKind.PENDING, Money.zero(payment.currency))
    postings = (
        Posting(AccountKind.PENDING, waiting, payment.payee_id),
        Posting(AccountKind.AVAILABLE, -waiting, payment.payee_id),
    )
    book(kind=LedgerKind.RELEASED, cause=payment.pk, postings=postings, payment=payment)
    payment.released_at = timezone.now()
    payment.save()


def _plan_for(person_id: uuid.UUID, currency: str) -> int:
    payments = Payment.objects.with_something_to_transfer().filter(payee=person_id, currency=currency)
    planned = 0
    for payment_id in payments.order_by("released_at").values_list("pk", flat=True)[:_BATCH]:
        with transaction.atomic():
            payment = Payment.objects.select_for_update().get(pk=payment_id)
            hold_money_of([person_id])
            part = min(open_entitlement(payment), available_to(person_id, currency))
            part = Money(part.amount // part.step * part.step, currency)
            if part.amount > 0:
                plan_movement(kind=MovementKind.TRANSFER, money=part, payment=payment, person_id=person_id)
                planned += 1
    return planned


def _is_right(movement: Movement, payment: Payment | None) -> bool:
    """Whether the mentor is still due this much, after refunds and disputes since it was planned."""
    assert payment is not None and movement.person_id is not None  # by constraints
    hold_money_of([movement.person_id])
    is_due = open_entitlement(payment).amount >= 0 and available_to(movement.person_id, movement.currency).amount >= 0
    return is_due and PayoutAccount.objects.filter(person=movement.person_id, can_receive=True).exists()


def _ask(movement: Movement, payment: Payment | None) -> None:
    assert payment is not None  # by a constraint
    account = PayoutAccount.objects.get(person=movement.person_id)
    sent = stripe.transfer(
        money=movement.money,
        account_id=account.provider_id,
        charge_id=payment.charge_id,
        payment_id=str(payment.pk),
        movement_id=str(movement.pk),
        key=movement.key,
    )
    book(
        kind=LedgerKind.TRANSFERRED,
        cause=cause_of(sent.id),
        postings=(
            Posting(AccountKind.AVAILABLE, -sent.booking.amount, payment.payee_id),
            Posting(AccountKind.PLATFORM, sent.booking.fee),
            Posting(AccountKind.PROVIDER, sent.booking.net),
        ),
        payment=payment,
        provider_record=sent.booking.record,
    )
    payment.transferred_amount += movement.amount
    payment.save()
    settle(movement, MovementState.DONE, provider_id=sent.id)
    publish(EarningsTransferred(payment.payee_id, movement.pk))
    plan_recovery(payment)


def _lose(movement: Movement, payment: Payment | None) -> None:
    settle(movement, MovementState.STUCK)


register_carrier(MovementKind.TRANSFER, Carrier(_ask, _lose, _is_right))
