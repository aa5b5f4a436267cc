"""Dividing the money of a booking that came to an end: what comes back to the learner, and that the rest is earned.

What is owed is written into the booking first; then payments is called, as often as it takes: while a capture is under way, or the payer's
bank looks into the payment, it waits.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from bookings.models import Booking
from bookings.services.moving import locked_booking
from core.batches import each_alone
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


def owe(booking: Booking, refund: Money, *, reason: RefundReason) -> None:
    """Pay this much back to the learner; the rest is earned. Needs the lock of the booking."""
    booking.refund_amount, booking.refund_reason = refund.amount, reason
    booking.settle_at = timezone.now()
    booking.save()
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
    return len(each_alone(lambda booking_id: settle_booking(booking_id=booking_id), due))


def settle_booking(*, booking_id: uuid.UUID) -> None:
    """Divide the money of one booking, if that is due."""
    with transaction.atomic():
        settle(locked_booking(booking_id))


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
    together = list(Booking.objects.filter(payment=payment).exclude(pk=booking.pk).select_related("session"))
    if not _pay_back(booking, payment, together):
        return False
    if all(other.settled_at is not None for other in together):
        _earn(payment, [booking, *together])
    return True


def _pay_back(booking: Booking, payment: Payment, together: Sequence[Booking]) -> bool:
    """Refund what is still to be refunded, with that of the settled ones among those that are paid for together; staff or the payer's bank
    may have returned some of it before."""
    owed = sum(row.refund_amount or 0 for row in (booking, *together) if row is booking or row.settled_at is not None)
    missing = min(owed - payment.returned_amount, payment.returnable.amount)
    if missing > 0:
        try:
            money = Money(missing, payment.currency)
            refund_payment(payment_id=payment.pk, money=money, reason=RefundReason(booking.refund_reason))
        except PaymentDisputed:
            return False
    return True


def _earn(payment: Payment, bookings: Sequence[Booking]) -> None:
    """What is kept is earned when the last of it was; several that are paid for together have one end."""
    kept = [row for row in bookings if row.price_amount > (row.refund_amount or 0)]
    if kept:
        mark_earned(payment_id=payment.pk, earned_at=max(max(row.session.ends_at, row.ended_at or row.session.ends_at) for row in kept))
