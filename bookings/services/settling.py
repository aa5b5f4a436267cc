"""Dividing the money of a booking that came to an end: what comes back to the learner, and that the rest is earned.

What is owed is written into the booking first; then payments is called, as often as it takes: while a capture is under way, or the payer's
bank looks into the payment, it waits.
"""

from __future__ import annotations

import datetime
import uuid

from django.db import transaction
from django.utils import timezone

from bookings.enums import AppealState
from bookings.models import Appeal, Booking
from bookings.services.moving import locked_booking
from core.money import Money
from payments.enums import PaymentState, RefundReason
from payments.errors import PaymentDisputed
from payments.models import Payment
from payments.services.earning import mark_earned
from payments.services.paying import cancel_payment
from payments.services.refunding import refund_payment

# Money that cannot be divided yet is looked at again so much later; what payments publishes comes first as a rule.
_AGAIN = datetime.timedelta(minutes=10)
_BATCH = 200


def owe(booking: Booking, refund: Money, *, reason: RefundReason, settle_at: datetime.datetime | None = None) -> None:
    """So much comes back to the learner, now or at an instant. Needs the lock of the booking."""
    booking.refund_amount, booking.refund_reason = refund.amount, reason
    booking.settle_at = settle_at or timezone.now()
    booking.save()
    if settle_at is None:
        settle(booking)


def settle(booking: Booking) -> None:
    """Divide the money, if that can be done now. Needs the lock of the booking; done before, it does nothing."""
    if booking.settle_at is None or booking.settled_at is not None or booking.settle_at > timezone.now():
        return
    if booking.payment is None or booking.payment.is_free or _divide(booking, booking.payment.pk):
        booking.settled_at = timezone.now()
    else:
        booking.look_again_at = timezone.now() + _AGAIN
    booking.save()


def settle_due() -> int:
    """Divide what is due. Returns how many bookings were looked at."""
    due = list(Booking.objects.to_settle(timezone.now()).order_by("settle_at").values_list("pk", flat=True)[:_BATCH])
    for booking_id in due:
        settle_booking(booking_id=booking_id)
    return len(due)


def settle_booking(*, booking_id: uuid.UUID) -> None:
    """Divide the money of one booking, unless somebody objects to how it ended and staff have not decided."""
    with transaction.atomic():
        booking = locked_booking(booking_id)
        if Appeal.objects.filter(booking=booking, state=AppealState.OPEN).exists():
            booking.look_again_at = timezone.now() + _AGAIN
            booking.save()
        else:
            settle(booking)


def _divide(booking: Booking, payment_id: uuid.UUID) -> bool:
    """Whether the payment is as it should be at the end."""
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    kept = booking.price_amount - (booking.refund_amount or 0)
    if payment.state == PaymentState.CANCELLED:
        return True
    if payment.state != PaymentState.CAPTURED:
        if kept == 0:
            # What is taken all the same, because the payer was quicker, goes back by itself.
            cancel_payment(payment_id=payment.pk)
        return kept == 0
    return _pay_back(booking, payment) and _earn(booking, payment, kept)


def _pay_back(booking: Booking, payment: Payment) -> bool:
    """Refund what is still to be refunded; staff or the payer's bank may have returned some of it before."""
    missing = min((booking.refund_amount or 0) - payment.returned_amount, payment.returnable.amount)
    if missing > 0:
        try:
            money = Money(missing, payment.currency)
            refund_payment(payment_id=payment.pk, money=money, reason=RefundReason(booking.refund_reason))
        except PaymentDisputed:
            return False
    return True


def _earn(booking: Booking, payment: Payment, kept: int) -> bool:
    if kept:
        mark_earned(payment_id=payment.pk, earned_at=max(booking.session.ends_at, booking.ended_at or booking.session.ends_at))
    return True
