"""Calling a booking off, and what comes back then."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from bookings.enums import AHEAD_STATES, BookingState, Cause, Side, StrikeKind
from bookings.errors import IllegalBookingMove, QuoteChanged
from bookings.events import BookingEnded
from bookings.models import Booking
from bookings.services.moving import locked_booking, move, require_state, side_of
from bookings.services.placing import give_place_back
from bookings.services.refunds import Quote, quote_for
from bookings.services.reminding import drop_reminders
from bookings.services.removing import remove
from bookings.services.rooms import close_room
from bookings.services.series_holds import shorten_rest
from bookings.services.settling import owe
from bookings.services.strikes import LATE, give_strike
from core.events import publish
from mentors.enums import RequestOutcome
from mentors.services.requests import record_answer
from payments.enums import PaymentState, RefundReason

_STATES = {
    Side.LEARNER: BookingState.CANCELLED_BY_LEARNER,
    Side.MENTOR: BookingState.CANCELLED_BY_MENTOR,
    Side.PLATFORM: BookingState.CANCELLED_BY_PLATFORM,
}


def cancellation_quote(*, booking: Booking, user: User) -> Quote:
    """What a cancel by this person would pay back now.

    Raises:
        IllegalBookingMove: there is nothing to cancel any more.
    """
    _require_ahead(booking)
    return quote_for(booking, side=side_of(booking, user), at=timezone.now())


def cancel_booking(*, booking_id: uuid.UUID, user: User, note: str = "", expected_refund: int | None = None) -> Booking:
    """Call it off: for the learner, their guardian or the mentor. A mentor pays all back and gets a strike; a learner gets what the policy
    says, which is what `cancellation_quote` said. With `expected_refund` (minor units) nothing happens if that has changed meanwhile. What
    is to be paid for together, and was not yet, ends together.

    Raises:
        IllegalBookingMove: it has begun, or is over.
        QuoteChanged: another amount would come back by now.
    """
    with transaction.atomic():
        booking = locked_booking(booking_id)
        _require_ahead(booking)
        side = side_of(booking, user)
        quote = quote_for(booking, side=side, at=timezone.now())
        if expected_refund is not None and expected_refund != quote.refund.amount:
            raise QuoteChanged(refund=quote.refund.as_json())
        was_confirmed = booking.state == BookingState.CONFIRMED
        _end(booking, side, quote, Cause.CANCELLED, actor=user, note=note)
        for other in _unpaid_with(booking):
            _end(other, side, quote_for(other, side=side, at=timezone.now()), Cause.CANCELLED, actor=user, note=note)
        if side == Side.MENTOR and was_confirmed:
            give_strike(person=user, booking=booking, kind=StrikeKind.CANCELLED)
        elif was_confirmed and quote.refund and _is_late_after_own_move(booking):
            give_strike(person=booking.learner, booking=booking, kind=StrikeKind.LATE_MOVE)
    return booking


def _is_late_after_own_move(booking: Booking) -> bool:
    """The learner moved it to an earlier time, and leaves the mentor with a gap shortly before that, or after it has begun."""
    start = booking.session.starts_at
    is_own_move = booking.moves_by_learner > 0 and not booking.moves_by_mentor
    return is_own_move and booking.counted_from > start and timezone.now() > start - LATE


def call_off(*, booking_id: uuid.UUID, side: Side, cause: Cause) -> None:
    """The same without anybody's click: somebody left, or the money was lost. What is over stays so."""
    with transaction.atomic():
        booking = locked_booking(booking_id)
        if booking.state in AHEAD_STATES:
            _end(booking, side, quote_for(booking, side=side, at=timezone.now()), cause)


def _require_ahead(booking: Booking) -> None:
    """Nobody cancels what is over: how it went is decided instead.

    Raises:
        IllegalBookingMove: it has begun, or is over.
    """
    require_state(booking, *AHEAD_STATES)
    if booking.session.ends_at <= timezone.now():
        raise IllegalBookingMove(state=booking.state)


def _unpaid_with(booking: Booking) -> list[Booking]:
    """What is held still for the same payment: one that was called off is made by nobody."""
    if booking.payment is None or booking.payment.state == PaymentState.CAPTURED:
        return []
    held = Booking.objects.filter(payment=booking.payment, state=BookingState.HELD).exclude(pk=booking.pk)
    return [locked_booking(key) for key in held.values_list("pk", flat=True)]


def _end(booking: Booking, side: Side, quote: Quote, cause: Cause, *, actor: User | None = None, note: str = "") -> None:
    record_answer(reference=booking.pk, outcome=RequestOutcome.WITHDRAWN if side != Side.MENTOR else RequestOutcome.DECLINED)
    give_place_back(booking)
    drop_reminders(booking)
    if not booking.session.is_group:
        close_room(booking.session)
    booking.session.sequence += 1
    booking.session.save()
    if booking.session.is_group and (side == Side.MENTOR or cause in (Cause.LEFT, Cause.APART)):
        # The others go on, in the same room.
        remove(session=booking.session, person_id=booking.learner_id)
    move(booking, _STATES[side], side=side, cause=cause, actor=actor, note=note)
    owe(booking, quote.refund, reason=RefundReason.REQUESTED if side == Side.LEARNER else RefundReason.NOT_DELIVERED)
    publish(BookingEnded(booking.pk, booking.version))
    shorten_rest(booking)
