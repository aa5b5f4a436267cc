"""A guardian agrees, or not, to what someone under 18 would book. The guardian pays."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.policies import is_guardian_of, is_minor
from bookings.enums import BookingState, Cause, Side
from bookings.errors import IllegalBookingMove, MayNotAnswer
from bookings.models import Booking
from bookings.services.booking import HOLD_FOR, ask_payer
from bookings.services.moving import locked_booking, record_new_time, require_state
from bookings.services.placing import hold_until
from bookings.services.strikes import require_few_strikes


def needs_approval(booking: Booking) -> bool:
    """It waits for the guardian of its learner."""
    return booking.state == BookingState.HELD and booking.payment_id is None and is_minor(booking.learner)


def approve_booking(*, booking_id: uuid.UUID, guardian: User) -> Booking:
    """A guardian agrees; what costs something is then theirs to pay, in the time that everybody has.

    Raises:
        MayNotAnswer: it is not their ward's.
        IllegalBookingMove: nobody waits for that.
    """
    with transaction.atomic():
        booking = locked_booking(booking_id)
        if not is_guardian_of(guardian, booking.learner):
            raise MayNotAnswer
        require_state(booking, BookingState.HELD)
        if not needs_approval(booking):
            raise IllegalBookingMove(state=booking.state)
        require_few_strikes(booking.learner)
        booking.approved_by = guardian
        until = timezone.now() + HOLD_FOR
        # Of a series that somebody has begun to pay for, each has its own time to be paid.
        due_at = max(until, booking.expires_at or until) if booking.series_id is not None else until
        booking.expires_at = min(due_at, booking.session.starts_at)
        hold_until(booking, booking.expires_at)
        record_new_time(booking, side=Side.LEARNER, cause=Cause.APPROVED, actor=guardian)
        ask_payer(booking, payer=guardian)
    return booking
