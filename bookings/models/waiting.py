from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from bookings.enums import OFFERED_STATES, WaitlistState
from bookings.models.bookings import Booking, Session
from bookings.querysets import WaitlistQuerySet
from core.models import BaseModel
from mentors.models import Offer


class WaitlistEntry(BaseModel):
    """Somebody waits for a seat in a session for several, or for a time with a mentor within a window. Who came first is offered it first:
    lower ids came earlier. What is offered is a booking that is held for them; it is theirs once they take it."""

    learner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="waitlist_entries")
    mentor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, null=True, blank=True, related_name="waitlist")
    offer = models.ForeignKey(Offer, on_delete=models.CASCADE, null=True, blank=True, related_name="+", help_text="What they would book.")
    opens_at = models.DateTimeField(help_text="The earliest start that would do.")
    closes_at = models.DateTimeField(help_text="By then it would have to be over.")
    state = models.CharField(max_length=7, choices=WaitlistState, default=WaitlistState.WAITING)
    booking = models.OneToOneField(Booking, on_delete=models.CASCADE, null=True, blank=True, related_name="waited_for")
    looked_at = models.DateTimeField(null=True, blank=True, help_text="When there was last nothing for them.")

    objects = WaitlistQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "waitlist entries"
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(session__isnull=False, offer__isnull=True) | Q(session__isnull=True, offer__isnull=False),
                name="one_waits_for_a_seat_or_a_time",
            ),
            models.CheckConstraint(condition=Q(closes_at__gt=F("opens_at")), name="a_window_has_two_ends"),
            models.CheckConstraint(
                condition=Q(state__in=OFFERED_STATES, booking__isnull=False) | ~Q(state__in=OFFERED_STATES) & Q(booking__isnull=True),
                name="what_is_offered_is_a_booking",
            ),
            models.UniqueConstraint(
                fields=("learner", "session"),
                condition=Q(session__isnull=False, state__in=(WaitlistState.WAITING, WaitlistState.OFFERED)),
                name="one_wait_per_session",
            ),
            models.UniqueConstraint(
                fields=("learner", "offer", "opens_at", "closes_at"),
                condition=Q(session__isnull=True, state__in=(WaitlistState.WAITING, WaitlistState.OFFERED)),
                name="one_wait_per_window",
            ),
            models.UniqueConstraint(
                fields=("learner", "mentor"),
                condition=Q(session__isnull=True, state=WaitlistState.OFFERED),
                name="one_time_offered_at_once",
            ),
        )
        indexes = (
            models.Index(fields=("learner", "-id"), name="waitlist_of_learner"),
            models.Index(fields=("mentor", "id"), condition=Q(state=WaitlistState.WAITING), name="waitlist_of_mentor"),
            models.Index(fields=("session", "id"), condition=Q(state=WaitlistState.WAITING), name="waitlist_of_session"),
            models.Index(
                F("looked_at").asc(nulls_first=True), F("id"), condition=Q(state=WaitlistState.WAITING), name="waitlist_to_look_at"
            ),
            models.Index(fields=("closes_at",), condition=Q(state=WaitlistState.WAITING), name="waitlist_to_close"),
        )

    def __str__(self) -> str:
        return f"{self.state} {self.pk}"
