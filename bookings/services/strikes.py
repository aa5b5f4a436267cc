"""Strikes: sessions that somebody called off as the mentor, put off shortly before, or missed. They count for thirty days."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from bookings.enums import StrikeKind
from bookings.errors import TooManyStrikes
from bookings.events import StrikeGiven
from bookings.models import Booking, Strike
from core.events import publish
from mentors.services.profiles import bar_until

COUNTED_FOR = datetime.timedelta(days=30)
WARNED_AT, STOPPED_AT = 2, 4
# Whoever puts a session off later than this before the start leaves the other one with a gap in their day.
LATE = datetime.timedelta(hours=12)


def strikes_of(person: User) -> int:
    """How many count now."""
    return Strike.objects.filter(person=person, forgiven_at__isnull=True, given_at__gt=timezone.now() - COUNTED_FOR).count()


def require_few_strikes(person: User) -> None:
    """Raises:
    TooManyStrikes: with the instant at which the oldest one that counts is forgotten.
    """
    again_at = stopped_until(person)
    if again_at is not None:
        raise TooManyStrikes(again_at=again_at.isoformat())


def stopped_until(person: User) -> datetime.datetime | None:
    """When so few strikes are left that this person may book and be booked again; None if they may."""
    counted = Strike.objects.filter(person=person, forgiven_at__isnull=True, given_at__gt=timezone.now() - COUNTED_FOR)
    last = counted.order_by("-given_at").values_list("given_at", flat=True)[STOPPED_AT - 1 : STOPPED_AT].first()
    return last + COUNTED_FOR if last is not None else None


def give_strike(*, person: User, booking: Booking, kind: StrikeKind) -> None:
    """Once for each session and kind, however many people were to come. A mentor with too many takes no bookings until they count no more.
    Needs the lock of the person."""
    if Strike.objects.filter(person=person, booking__session=booking.session_id, kind=kind).exists():
        return
    strike = Strike.objects.create(person=person, booking=booking, kind=kind, given_at=timezone.now())
    publish(StrikeGiven(person.pk, strike.pk))
    bar_until(user_id=person.pk, until=stopped_until(person))


def forgive(*, strike: Strike) -> None:
    """Staff let one count no more."""
    with transaction.atomic():
        Strike.objects.filter(pk=strike.pk, forgiven_at__isnull=True).update(forgiven_at=timezone.now())
        bar_until(user_id=strike.person_id, until=stopped_until(strike.person))
