from __future__ import annotations

import uuid

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from accounts.models import User
from bookings.enums import AHEAD_STATES, BookingState, Side
from bookings.models import Booking, BookingMove, BookingTerms
from core.querysets import COLUMNS_OF_VECTORS

_WIDE = tuple(f"session__mentor__mentor_profile__{name}" for name in COLUMNS_OF_VECTORS)


def bookings_of(user: User) -> QuerySet[Booking]:
    """What this person, or somebody in their care, booked, and what was booked with them, newest first."""
    rows = Booking.objects.visible_to(user)
    return rows.select_related("session__mentor__mentor_profile", "learner").defer(*_WIDE)


def booking_with_history(user: User) -> QuerySet[Booking]:
    """The same, with all that happened."""
    return bookings_of(user).prefetch_related(Prefetch("history", BookingMove.objects.select_related("actor").order_by("version")))


def narrowed(rows: QuerySet[Booking], *, state: str = "", side: str = "", when: str = "", user: User) -> QuerySet[Booking]:
    """By state, by the side on which this person is, and by whether it is ahead or past."""
    if state:
        rows = rows.filter(state=state)
    if side == Side.MENTOR:
        rows = rows.filter(session__mentor=user)
    elif side == Side.LEARNER:
        rows = rows.exclude(session__mentor=user)
    if when == "ahead":
        rows = rows.filter(state__in=(*AHEAD_STATES, BookingState.IN_SESSION), session__ends_at__gt=timezone.now())
    elif when == "past":
        rows = rows.filter(session__ends_at__lte=timezone.now())
    return rows


def terms_of(mentor_id: uuid.UUID) -> BookingTerms:
    """How a mentor takes bookings; who never said gets the usual terms."""
    return BookingTerms.objects.filter(mentor=mentor_id).first() or BookingTerms(mentor_id=mentor_id)
