"""What the provider says of a payment, taken into account: however often it is asked, and in whatever order we heard that something
happened, the same ends up in the ledger. The state comes from what is asked for now, never from what an event told."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from core.events import publish
from payments.enums import UNDECIDED_STATES, AccountKind, LedgerKind, MovementKind, MovementState, PaymentState
from payments.errors import ProviderAway
from payments.events import PaymentAuthorised, PaymentFailed, PaymentSucceeded
from payments.models import Movement, Payment
from payments.providers import stripe
from payments.providers.base import Intent, IntentStatus
from payments.services.causes import cause_of
from payments.services.disputes import apply_dispute
from payments.services.ledger import Posting, book
from payments.services.moving import Carrier, register_carrier, settle
from payments.services.paying import mark_cancelled, pay_back_unwanted
from payments.services.refunding import apply_refund
from payments.services.splitting import parts_of_sale

_UNSETTLED = (PaymentState.OPEN, *UNDECIDED_STATES)


def look_at_payment(*, payment_id: uuid.UUID) -> None:
    """Ask the provider how a payment stands, and take it into account."""
    with transaction.atomic():
        payment = Payment.objects.select_for_update().get(pk=payment_id)
        if payment.provider_id:
            refresh(payment)


def undecided_payments(*, limit: int, asked_before: datetime.datetime) -> list[uuid.UUID]:
    """Payments that may have got on without our hearing of it, who was asked about the longest ago first."""
    rows = Payment.objects.filter(state__in=UNDECIDED_STATES, looked_at__lt=asked_before)
    return list(rows.order_by("looked_at").values_list("pk", flat=True)[:limit])


def refresh(payment: Payment) -> None:
    """The same for a payment whose lock is held."""
    _apply_intent(payment, stripe.read_intent(payment.provider_id))
    if payment.state == PaymentState.CAPTURED:
        # In the order in which things happened at the provider: rounding goes by all that came before.
        told = [(each.created_at, each.id, apply_refund, each) for each in stripe.refunds_of(payment.provider_id)]
        told += [(each.created_at, each.id, apply_dispute, each) for each in stripe.disputes_of(payment.provider_id)]  # type: ignore[misc]  # two kinds of rows, each with what takes it
        for _, _, take, each in sorted(told, key=lambda row: row[:2]):
            take(payment, each)
    payment.looked_at = timezone.now()
    payment.save()


def _apply_intent(payment: Payment, intent: Intent) -> None:
    if payment.state not in _UNSETTLED:
        return
    _STEPS[intent.status](payment, intent)


def _needs_payer(payment: Payment, intent: Intent) -> None:
    payment.state = PaymentState.WAITING
    if intent.failure_code and intent.failure_code != payment.failure_code:
        payment.failure_code = intent.failure_code[:60]
        publish(PaymentFailed(payment.pk, payment.subject_id))


def _processing(payment: Payment, intent: Intent) -> None:
    payment.state = PaymentState.PROCESSING


def _authorised(payment: Payment, intent: Intent) -> None:
    if payment.state != PaymentState.AUTHORISED:
        payment.state, payment.authorised_at, payment.failure_code = PaymentState.AUTHORISED, timezone.now(), ""
        if not payment.is_unwanted:
            publish(PaymentAuthorised(payment.pk, payment.subject_id))


def _succeeded(payment: Payment, intent: Intent) -> None:
    if intent.booking is None:
        # Taken, and not in the provider's books yet. Somebody asks again soon.
        raise ProviderAway
    parts = parts_of_sale(payment, intent.captured)
    book(
        kind=LedgerKind.CAPTURED,
        cause=cause_of(intent.charge_id),
        postings=(
            Posting(AccountKind.PROVIDER, intent.booking.net),
            Posting(AccountKind.PLATFORM, intent.booking.fee),
            Posting(AccountKind.PENDING, -parts.payee, payment.payee_id),
            Posting(AccountKind.FEE, -parts.fee),
            Posting(AccountKind.TAX, -parts.tax),
        ),
        payment=payment,
        provider_record=intent.booking.record,
    )
    payment.state, payment.captured_at, payment.captured_amount = PaymentState.CAPTURED, timezone.now(), intent.captured.amount
    payment.charge_id, payment.failure_code = intent.charge_id, ""
    payment.save()
    _settle_capture(payment)
    if payment.is_unwanted:
        pay_back_unwanted(payment)
        payment.refresh_from_db()
    else:
        publish(PaymentSucceeded(payment.pk, payment.subject_id))


def _cancelled(payment: Payment, intent: Intent) -> None:
    mark_cancelled(payment)
    for movement in payment.movements.select_for_update().filter(kind=MovementKind.CAPTURE, state=MovementState.PLANNED):
        movement.failure_code = "cancelled"
        settle(movement, MovementState.FAILED)


_STEPS: dict[IntentStatus, Callable[[Payment, Intent], None]] = {
    IntentStatus.NEEDS_PAYER: _needs_payer,
    IntentStatus.PROCESSING: _processing,
    IntentStatus.AUTHORISED: _authorised,
    IntentStatus.SUCCEEDED: _succeeded,
    IntentStatus.CANCELLED: _cancelled,
}


def _settle_capture(payment: Payment) -> None:
    for movement in payment.movements.select_for_update().filter(kind=MovementKind.CAPTURE, state=MovementState.PLANNED):
        settle(movement, MovementState.DONE)


def _still_authorised(movement: Movement, payment: Payment | None) -> bool:
    assert payment is not None  # by a constraint
    return payment.state == PaymentState.AUTHORISED and not payment.is_unwanted


def _capture(movement: Movement, payment: Payment | None) -> None:
    assert payment is not None  # by a constraint
    stripe.capture_intent(payment.provider_id, money=movement.money, key=movement.key)
    refresh(payment)
    movement.refresh_from_db()


def _capture_refused(movement: Movement, payment: Payment | None) -> None:
    """It was called off, ran out, or was taken already: what is true now is asked for."""
    assert payment is not None  # by a constraint
    settle(movement, MovementState.FAILED)
    refresh(payment)


def _cancel(movement: Movement, payment: Payment | None) -> None:
    assert payment is not None  # by a constraint
    if payment.state in _UNSETTLED:
        stripe.cancel_intent(payment.provider_id, key=movement.key)
        refresh(payment)
    settle(movement, MovementState.DONE)


def _cancel_refused(movement: Movement, payment: Payment | None) -> None:
    """The payer was quicker, or it was called off before, or the bank is at it: if something is taken it goes back."""
    assert payment is not None  # by a constraint
    refresh(payment)
    ends = dict.fromkeys(_UNSETTLED, MovementState.STUCK) | {PaymentState.PROCESSING: MovementState.FAILED}
    settle(movement, ends.get(PaymentState(payment.state), MovementState.DONE))


register_carrier(MovementKind.CAPTURE, Carrier(_capture, _capture_refused, _still_authorised))
register_carrier(MovementKind.CANCEL, Carrier(_cancel, _cancel_refused))
