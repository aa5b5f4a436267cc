"""What becomes of a booking when something becomes of its payment."""

from __future__ import annotations

import uuid

from django.db import transaction

from bookings.enums import BookingState, Cause, Side
from bookings.models import Booking
from bookings.services.booking import go_on
from bookings.services.cancelling import call_off
from bookings.services.expiring import expire
from bookings.services.moving import is_overdue, locked_booking
from bookings.services.settling import settle_booking


def take_reserved(*, payment_id: uuid.UUID) -> None:
    """The payer's bank has reserved the price: ask the mentor, or confirm. Where the hold is over, what was reserved is let go."""
    booking_id = _booking_of(payment_id)
    if booking_id is None:
        return
    with transaction.atomic():
        booking = locked_booking(booking_id)
        if booking.state != BookingState.HELD or booking.payment_id != payment_id:
            return
        if is_overdue(booking):
            expire(booking)
        else:
            go_on(booking)


def lose_payment(*, payment_id: uuid.UUID) -> None:
    """Nothing will be taken any more. A booking that counted on it ends; one that ended is settled."""
    booking_id = _booking_of(payment_id)
    if booking_id is not None:
        call_off(booking_id=booking_id, side=Side.PLATFORM, cause=Cause.PAYMENT_LOST)
        settle_booking(booking_id=booking_id)


def hear_of_payment(*, payment_id: uuid.UUID) -> None:
    """Something was taken, paid back or decided: divide what waits to be divided."""
    booking_id = _booking_of(payment_id)
    if booking_id is not None:
        settle_booking(booking_id=booking_id)


def _booking_of(payment_id: uuid.UUID) -> uuid.UUID | None:
    return Booking.objects.filter(payment=payment_id).values_list("pk", flat=True).first()
