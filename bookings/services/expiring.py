"""Bookings that nobody paid for, approved or answered in time."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from bookings.enums import BookingState, Cause, Side
from bookings.events import BookingEnded
from bookings.models import Booking
from bookings.services.moving import is_offered, is_overdue, locked_booking, move
from bookings.services.placing import give_place_back
from bookings.services.series_holds import released_with, shorten_rest
from bookings.services.settling import owe
from core.batches import each_alone
from core.events import publish
from payments.enums import RefundReason

_BATCH = 200


def expire(booking: Booking) -> None:
    """End what waited too long, with the sessions of its series that are released with it; the time is free, and nothing is charged. Needs
    the lock of the booking."""
    not_taken = Cause.NOT_TAKEN if is_offered(booking) else Cause.NOT_PAID
    cause = not_taken if booking.state == BookingState.HELD else Cause.NOT_ANSWERED
    _end(booking, cause)
    if cause == Cause.NOT_PAID:
        for other in released_with(booking):
            _end(other, Cause.SERIES_LAPSED)
    else:
        shorten_rest(booking)


def _end(booking: Booking, cause: Cause) -> None:
    give_place_back(booking)
    move(booking, BookingState.EXPIRED, side=Side.PLATFORM, cause=cause)
    owe(booking, booking.price, reason=RefundReason.NOT_DELIVERED)
    publish(BookingEnded(booking.pk, booking.version))


def expire_bookings() -> int:
    """End what is overdue. Returns how many were looked at."""
    due: list[uuid.UUID] = list(Booking.objects.overdue(timezone.now()).order_by("expires_at", "pk").values_list("pk", flat=True)[:_BATCH])
    return len(each_alone(_expire_one, due))


def _expire_one(booking_id: uuid.UUID) -> None:
    with transaction.atomic():
        booking = locked_booking(booking_id)
        if is_overdue(booking):
            expire(booking)
