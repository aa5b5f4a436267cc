"""Taking back from mentors' accounts what went there and is not theirs any more. What cannot be taken back stays as their debt, which their
next earnings pay."""

from __future__ import annotations

from django.db.models import QuerySet, Sum

from core.money import Money
from payments.enums import AccountKind, LedgerKind, MovementKind, MovementState
from payments.models import Movement, Payment
from payments.providers import stripe
from payments.services.causes import cause_of
from payments.services.ledger import Posting, book
from payments.services.moving import Carrier, plan_movement, register_carrier, settle
from payments.services.splitting import entitlement

_ALIVE = (MovementState.PLANNED, MovementState.SENT, MovementState.DONE)


def plan_recovery(payment: Payment) -> None:
    """Take back from the payee's account what is there of a payment beyond what they are due. Needs the lock of the payment."""
    waiting = _sum(payment.movements.filter(kind=MovementKind.REVERSAL, state=MovementState.PLANNED))
    over = payment.transferred_amount - waiting - entitlement(payment).amount
    for sent in payment.movements.filter(kind=MovementKind.TRANSFER, state=MovementState.DONE).order_by("id"):
        if over <= 0:
            return
        left = sent.amount - _sum(sent.reversals.filter(state__in=_ALIVE))
        part = min(over, left)
        if part > 0:
            plan_movement(
                kind=MovementKind.REVERSAL,
                money=Money(part, payment.currency),
                payment=payment,
                person_id=payment.payee_id,
                reverses=sent,
            )
            over -= part


def _sum(movements: QuerySet[Movement]) -> int:
    return int(movements.aggregate(total=Sum("amount"))["total"] or 0)


def _ask(movement: Movement, payment: Payment | None) -> None:
    assert payment is not None and movement.reverses is not None  # by constraints
    back = stripe.reverse_transfer(movement.reverses.provider_id, money=movement.money, movement_id=str(movement.pk), key=movement.key)
    book(
        kind=LedgerKind.REVERSED,
        cause=cause_of(back.id),
        postings=(
            Posting(AccountKind.PROVIDER, back.booking.net),
            Posting(AccountKind.PLATFORM, back.booking.fee),
            Posting(AccountKind.AVAILABLE, -back.booking.amount, payment.payee_id),
        ),
        payment=payment,
        provider_record=back.booking.record,
    )
    payment.transferred_amount -= movement.amount
    payment.save()
    settle(movement, MovementState.DONE, provider_id=back.id)


def _lose(movement: Movement, payment: Payment | None) -> None:
    """The account has less than that. The debt stands in the ledger, and the next transfers are smaller by it."""
    settle(movement, MovementState.FAILED)


register_carrier(MovementKind.REVERSAL, Carrier(_ask, _lose))
