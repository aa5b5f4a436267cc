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
from mentors.enums import MentorState, PauseReason
from mentors.models import MentorProfile
from mentors.services.profiles import pause

COUNTED_FOR = datetime.timedelta(days=30)
WARNED_AT, STOPPED_AT = 2, 4


def strikes_of(person: User) -> int:
    """How many count now."""
    return Strike.objects.filter(person=person, forgiven_at__isnull=True, given_at__gt=timezone.now() - COUNTED_FOR).count()


def require_few_strikes(person: User) -> None:
    """Raises:
    TooManyStrikes: with the instant at which the oldest one that counts is forgotten.
    """
    if strikes_of(person) >= STOPPED_AT:
        counted = Strike.objects.filter(person=person, forgiven_at__isnull=True, given_at__gt=timezone.now() - COUNTED_FOR)
        last = counted.order_by("-given_at")[STOPPED_AT - 1 : STOPPED_AT].get()
        raise TooManyStrikes(again_at=(last.given_at + COUNTED_FOR).isoformat())


def give_strike(*, person: User, booking: Booking, kind: StrikeKind) -> None:
    """Once for each booking and kind. A mentor with too many takes no bookings until they say so. Needs an open transaction."""
    strike, is_new = Strike.objects.get_or_create(person=person, booking=booking, kind=kind, defaults={"given_at": timezone.now()})
    if not is_new:
        return
    publish(StrikeGiven(person.pk, strike.pk))
    profile = MentorProfile.objects.filter(user=person, state=MentorState.LIVE).only("pk").first()
    if profile is not None and strikes_of(person) >= STOPPED_AT:
        pause(profile=profile, because=PauseReason.STRIKES)


def forgive(*, strike: Strike) -> None:
    """Staff let one count no more."""
    with transaction.atomic():
        Strike.objects.filter(pk=strike.pk, forgiven_at__isnull=True).update(forgiven_at=timezone.now())
