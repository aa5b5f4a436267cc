"""Reminders: before a session, as each of the two chose them, and before the last moment to pay for one of a series."""

from __future__ import annotations

import datetime
import uuid

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from bookings.enums import BookingState, ReminderKind
from bookings.events import ReminderDue
from bookings.models import Booking, Reminder, ReminderChoice
from bookings.models.terms import USUAL_REMINDERS
from bookings.services.telling import guardians_of
from core.events import publish

_BATCH = 200
# Three days and one day before the last moment, in minutes.
PAYMENT_REMINDERS = (3 * 24 * 60, 24 * 60)
_MINUTE = datetime.timedelta(minutes=1)


def plan_reminders(booking: Booking) -> None:
    """Plan those that are still ahead, in place of earlier ones. For a child with a guardian's profile, who has no mailbox, the guardians
    are reminded, too. Needs the lock of the booking."""
    drop_reminders(booking)
    people = [booking.learner_id, booking.session.mentor_id, *(guardians_of(booking.learner) if booking.learner.is_ward else ())]
    chosen = dict(ReminderChoice.objects.filter(person__in=people).values_list("person", "minutes"))
    now = timezone.now()
    rows = [
        Reminder(booking=booking, person_id=person, minutes_before=minutes, due_at=booking.session.starts_at - minutes * _MINUTE)
        for person in people
        for minutes in sorted(set(chosen.get(person, USUAL_REMINDERS)))
    ]
    Reminder.objects.bulk_create(row for row in rows if row.due_at > now)


def plan_payment_reminders(booking: Booking) -> None:
    """Plan those of an unpaid booking that are still ahead, for whoever pays or has to agree first. Needs the lock of the booking."""
    assert booking.expires_at is not None  # what is held has an end
    drop_reminders(booking)
    payers = [booking.payment.payer_id] if booking.payment is not None else guardians_of(booking.learner)
    Reminder.objects.bulk_create(
        Reminder(booking=booking, person_id=person, kind=ReminderKind.PAYMENT, minutes_before=minutes, due_at=due_at)
        for person in payers
        for minutes in PAYMENT_REMINDERS
        if (due_at := booking.expires_at - minutes * _MINUTE) > timezone.now()
    )


def drop_reminders(booking: Booking) -> None:
    """Nobody is to be reminded any more."""
    Reminder.objects.filter(booking=booking).delete()


def choose_reminders(*, person: User, minutes: list[int]) -> None:
    """From now on, and for the sessions that are booked."""
    with transaction.atomic():
        ReminderChoice.objects.update_or_create(person=person, defaults={"minutes": sorted(set(minutes), reverse=True)})
        mine = Booking.objects.visible_to(person).filter(state=BookingState.CONFIRMED, session__starts_at__gt=timezone.now())
        for booking in mine.select_related("session", "learner").order_by("pk"):
            plan_reminders(booking)


def reminders_of(person: User) -> list[int]:
    """How many minutes before."""
    choice = ReminderChoice.objects.filter(person=person).first()
    return list(choice.minutes if choice else USUAL_REMINDERS)


def tell_due_reminders() -> int:
    """Publish what is due. Returns how many."""
    with transaction.atomic():
        due = Reminder.objects.filter(told_at__isnull=True, due_at__lte=timezone.now()).order_by("due_at")
        rows: list[tuple[uuid.UUID, ...]] = list(due.select_for_update(skip_locked=True).values_list("pk")[:_BATCH])
        keys = [row[0] for row in rows]
        Reminder.objects.filter(pk__in=keys).update(told_at=timezone.now())
        for key in keys:
            publish(ReminderDue(key))
    return len(keys)
