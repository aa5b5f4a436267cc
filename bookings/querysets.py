from __future__ import annotations

import datetime
import uuid
from typing import TYPE_CHECKING, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from accounts.enums import GuardianshipState
from accounts.models import Guardianship, User
from bookings.enums import LIVE_STATES, NO_SHOWS, BookingState, WaitlistState

if TYPE_CHECKING:
    from bookings.models import Booking, WaitlistEntry  # noqa: F401  (the base classes name them as strings)


class BookingQuerySet(models.QuerySet["Booking"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Bookings of which this person is the learner, the mentor, or the learner's guardian. Staff look in the admin, where that is
        logged."""
        if not user.is_authenticated:
            return self.none()
        answers_for = Guardianship.objects.filter(guardian=user.pk, ward=OuterRef("learner"), state=GuardianshipState.ACTIVE)
        return self.filter(Q(learner_id=user.pk) | Q(session__mentor_id=user.pk) | Exists(answers_for))

    def live(self) -> Self:
        """Bookings that have a place in a session that is not over."""
        return self.filter(state__in=LIVE_STATES)

    def backing_series(self) -> Self:
        """Bookings of a series that keep its unpaid sessions held: agreed or paid for, and not paid back in full."""
        is_paid = Q(state__in=(BookingState.REQUESTED, BookingState.CONFIRMED, BookingState.IN_SESSION, BookingState.COMPLETED))
        is_kept = Q(refund_amount__lt=F("price_amount"))
        return self.filter(is_paid | Q(state__in=NO_SHOWS) | is_kept, series__isnull=False)

    def overdue(self, now: datetime.datetime) -> Self:
        """Bookings that were not paid for, or not answered, in time."""
        return self.filter(expires_at__lte=now)

    def over(self, before: datetime.datetime) -> Self:
        """Confirmed bookings whose session ended before an instant, and of which nobody has said yet how it was."""
        return self.filter(state__in=(BookingState.CONFIRMED, BookingState.IN_SESSION), session__ends_at__lte=before)

    def to_settle(self, now: datetime.datetime) -> Self:
        """Bookings whose money is to be divided now."""
        return self.filter(Q(look_again_at__isnull=True) | Q(look_again_at__lte=now), settled_at__isnull=True, settle_at__lte=now)


class WaitlistQuerySet(models.QuerySet["WaitlistEntry"]):
    def waiting(self) -> Self:
        """Who has been offered nothing yet."""
        return self.filter(state=WaitlistState.WAITING)

    def look_at(self, instant: datetime.datetime | None) -> int:
        """Say when these were last looked at, None for never. They are locked in the order of their ids, so that two who do this never
        wait for each other. Returns how many there are."""
        keys = list(self.order_by("pk").select_for_update().values_list("pk", flat=True))
        return self.model._default_manager.filter(pk__in=keys).update(looked_at=instant, updated_at=timezone.now())

    def waiting_for_time(self, mentor_id: uuid.UUID, starts_at: datetime.datetime, ends_at: datetime.datetime) -> Self:
        """Who waits for a time with this mentor that may lie between these two."""
        return self.waiting().filter(mentor=mentor_id, session__isnull=True, opens_at__lt=ends_at, closes_at__gt=starts_at)
