"""The sessions of a series that are not paid for yet. They stay held only as long as another session of the series is paid for, or is free
and agreed, and as the learner pays for each in time."""

from __future__ import annotations

import datetime

from django.db.models import QuerySet
from django.utils import timezone

from bookings.enums import BookingState, Cause
from bookings.events import PaymentDue
from bookings.models import Booking
from bookings.services.placing import hold_until
from bookings.services.reminding import plan_payment_reminders
from core.events import publish

# Each session of a series is paid for a week before it; whoever books at short notice has a day, up to the start.
PAID_BEFORE, LEAST_TIME_TO_PAY = datetime.timedelta(days=7), datetime.timedelta(hours=24)
# How long the learner can pay for another session after the one that kept the others held was cancelled.
PAY_ANOTHER_WITHIN = datetime.timedelta(hours=24)
# After this many sessions that were not paid in time, the rest of a series is released.
MOST_LAPSES = 2


def payment_due_at(booking: Booking) -> datetime.datetime:
    """How long an unpaid session is held once another session of its series is paid for."""
    start = booking.session.starts_at
    return min(max(start - PAID_BEFORE, timezone.now() + LEAST_TIME_TO_PAY), start)


def hold_rest(booking: Booking) -> None:
    """One session of a series is paid for: hold the others until each is to be paid. Needs the lock of the booking."""
    if booking.series_id is None or not booking.price:
        return
    for other in _held_beside(booking):
        # What is paid for together goes on together.
        if other.payment_id != booking.payment_id and other.expires_at is not None and other.expires_at > timezone.now():
            hold_unpaid(other, max(other.expires_at, payment_due_at(other)))


def hold_unpaid(booking: Booking, until: datetime.datetime) -> None:
    """Hold a session of a series, unpaid, up to an instant, and remind whoever pays before that. Needs the lock of its people."""
    booking.expires_at = until
    hold_until(booking, until)
    booking.save()
    plan_payment_reminders(booking)


def released_with(booking: Booking) -> list[Booking]:
    """Sessions that lapse with one that was not paid for in time: all other unpaid ones, if none of the series is paid for or if it is not
    the first to lapse. Needs the lock of the booking."""
    if booking.series_id is None:
        return []
    lapses = Booking.objects.filter(series=booking.series_id, state=BookingState.EXPIRED, history__cause=Cause.NOT_PAID).count()
    return list(_held_beside(booking)) if lapses >= MOST_LAPSES or not _is_backed(booking) else []


def shorten_rest(booking: Booking) -> None:
    """A session of a series was called off, declined or not answered. If nothing else of it is paid for, the learner has a day to pay for
    another one. Needs the lock of the booking."""
    if booking.series_id is None or not booking.price or _is_backed(booking):
        return
    latest = timezone.now() + PAY_ANOTHER_WITHIN
    shortened = [other for other in _held_beside(booking) if other.expires_at is not None and other.expires_at > latest]
    for other in shortened:
        hold_unpaid(other, latest)
    for other in shortened[:1]:
        publish(PaymentDue(other.pk, other.version))


def is_held_in_series(booking: Booking) -> bool:
    """Whether it is unpaid, and held because another session of its series is paid for."""
    return booking.state == BookingState.HELD and booking.series_id is not None and _is_backed(booking)


def _is_backed(booking: Booking) -> bool:
    return Booking.objects.backing_series().filter(series=booking.series_id).exists()


def _held_beside(booking: Booking) -> QuerySet[Booking]:
    """The other sessions of the series that are not paid for, the earliest first."""
    rows = Booking.objects.select_related("session__mentor", "learner", "offer", "payment")
    held = rows.filter(series=booking.series_id, state=BookingState.HELD).exclude(pk=booking.pk)
    return held.select_for_update(of=("self", "session")).order_by("session__starts_at", "pk")
