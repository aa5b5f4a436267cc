"""What becomes of a booking when something becomes of its payment."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import F

from accounts.models import User
from bookings.enums import OFF_STATES, BookingState, Cause, Side
from bookings.errors import NotPayable
from bookings.models import Booking
from bookings.services.booking import go_on
from bookings.services.cancelling import call_off
from bookings.services.expiring import expire
from bookings.services.moving import is_overdue, locked_booking
from bookings.services.settling import settle_booking
from payments.models import Payment
from payments.services.paying import register_resolver


def take_reserved(*, payment_id: uuid.UUID) -> None:
    """The payer's bank has reserved the price, or, of what is paid for together, paid it: ask the mentor, or confirm. Where the hold is
    over, what was reserved or paid goes back."""
    for booking_id in _bookings_of(payment_id):
        with transaction.atomic():
            booking = locked_booking(booking_id)
            if booking.state != BookingState.HELD or booking.payment_id != payment_id:
                continue
            if is_overdue(booking):
                expire(booking)
            else:
                go_on(booking)


def lose_payment(*, payment_id: uuid.UUID) -> None:
    """Nothing will be taken any more. A booking that counted on it ends; one that ended is settled."""
    for booking_id in _bookings_of(payment_id):
        call_off(booking_id=booking_id, side=Side.PLATFORM, cause=Cause.PAYMENT_LOST)
        settle_booking(booking_id=booking_id)


def hear_of_payment(*, payment_id: uuid.UUID) -> None:
    """Something was taken, paid back or decided: divide what waits to be divided."""
    for booking_id in _bookings_of(payment_id):
        settle_booking(booking_id=booking_id)


def payment_of_booking(payer: User, key: uuid.UUID) -> Payment | None:
    """The payment of a booking that this person sees, by its id, or by that of its series where all of it is paid for together.

    Raises:
        NotPayable: it waits for somebody else, or for nothing any more.
    """
    seen = Booking.objects.visible_to(payer).select_related("payment", "session")
    booking = seen.filter(pk=key).first() or seen.filter(series=key, payment=F("series__payment")).order_by("pk").first()
    if booking is None:
        return None
    is_held = booking.state == BookingState.HELD
    is_over = booking.state in OFF_STATES or (is_held and (booking.payment is None or is_overdue(booking)))
    is_theirs = booking.payment is None or booking.payment.payer_id == payer.pk
    if is_over and is_theirs and booking.session.mentor_id != payer.pk:
        raise NotPayable(state=booking.state)
    return booking.payment


register_resolver(payment_of_booking)


def _bookings_of(payment_id: uuid.UUID) -> list[uuid.UUID]:
    """One; or several that are paid for together, the earliest first."""
    return list(Booking.objects.filter(payment=payment_id).order_by("session__starts_at").values_list("pk", flat=True))
