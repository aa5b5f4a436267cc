"""Objecting to a no-show."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from bookings.enums import NO_SHOWS, AppealState, BookingState, Cause, Side
from bookings.errors import CannotAppeal
from bookings.events import AppealDecided, AppealOpened
from bookings.models import Appeal, Booking
from bookings.services.ending import complete
from bookings.services.moving import locked_booking, move, side_of
from bookings.services.placing import give_place_back
from bookings.services.settling import owe
from bookings.services.strikes import forgive_strikes
from core.errors import Forbidden
from core.events import publish
from payments.enums import RefundReason

_OBJECTED_BY = {
    BookingState.NO_SHOW_BY_LEARNER: (Side.LEARNER,),
    BookingState.NO_SHOW_BY_MENTOR: (Side.MENTOR,),
    BookingState.NO_SHOW_BY_BOTH: (Side.LEARNER, Side.MENTOR),
}


def appeal(*, booking_id: uuid.UUID, user: User, text: str) -> Appeal:
    """Who is said not to have come says what happened. The money waits until staff have decided.

    Raises:
        CannotAppeal: nobody said that they did not come, the money was divided, or they objected before.
    """
    with transaction.atomic():
        booking = locked_booking(booking_id)
        sides = _OBJECTED_BY.get(BookingState(booking.state), ())
        if (
            side_of(booking, user) not in sides
            or booking.settled_at is not None
            or Appeal.objects.filter(booking=booking, person=user).exists()
        ):
            raise CannotAppeal
        row = Appeal.objects.create(booking=booking, person=user, text=text)
        publish(AppealOpened(row.pk))
    return row


def decide_appeal(*, row: Appeal, staff: User, state: AppealState, note: str) -> None:
    """Staff decide: it took place after all, it was nobody's fault (all comes back, no strike), or it stays.

    Raises:
        Forbidden: nobody decides about their own session.
        CannotAppeal: it was decided before.
    """
    with transaction.atomic():
        booking = locked_booking(row.booking_id)
        locked = Appeal.objects.select_for_update().get(pk=row.pk)
        if staff.pk in (booking.learner_id, booking.session.mentor_id):
            raise Forbidden
        if locked.state != AppealState.OPEN:
            raise CannotAppeal
        locked.state, locked.decided_by, locked.decided_at, locked.decision_note = state, staff, timezone.now(), note
        locked.save()
        # After an appeal of the other side that was upheld there is nothing left to decide.
        if booking.state in NO_SHOWS:
            _apply(booking, state, staff)
        publish(AppealDecided(locked.pk))


def _apply(booking: Booking, state: AppealState, staff: User) -> None:
    if state == AppealState.REFUSED:
        # It stays; the money is divided when its time has come and nobody else objects.
        booking.look_again_at = None
        booking.save()
        return
    forgive_strikes(booking)
    if state == AppealState.UPHELD:
        complete(booking, side=Side.PLATFORM, cause=Cause.APPEAL, actor=staff)
    else:
        # It may still be going on; and it stands in the calendars of both.
        give_place_back(booking)
        move(booking, BookingState.CANCELLED_BY_PLATFORM, side=Side.PLATFORM, cause=Cause.APPEAL, actor=staff)
        owe(booking, booking.price, reason=RefundReason.GOODWILL)
