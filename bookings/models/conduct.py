from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from bookings.enums import AppealState, StrikeKind
from bookings.models.bookings import Booking
from core.models import BaseModel


class Strike(BaseModel):
    """A session that somebody called off as its mentor, put off shortly before, or missed. Counted for thirty days."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="strikes")
    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="strikes")
    kind = models.CharField(max_length=10, choices=StrikeKind)
    given_at = models.DateTimeField()
    forgiven_at = models.DateTimeField(null=True, blank=True, help_text="An appeal was upheld.")

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("person", "booking", "kind"), name="one_strike_of_a_kind"),)
        indexes = (models.Index(fields=("person", "-given_at"), condition=Q(forgiven_at__isnull=True), name="strike_of_person"),)

    def __str__(self) -> str:
        return f"{self.kind} by {self.person_id}"


class Appeal(BaseModel):
    """Somebody says that they were there after all. Staff decide; the money waits until then."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="appeals")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    text = models.TextField(max_length=2000, help_text="What happened, in the person's own words.")
    state = models.CharField(max_length=13, choices=AppealState, default=AppealState.OPEN)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_note = models.CharField(max_length=1000, blank=True, default="", help_text="Told to both.")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("booking", "person"), name="one_appeal_per_person_and_booking"),
            models.CheckConstraint(
                condition=Q(state=AppealState.OPEN, decided_at__isnull=True) | ~Q(state=AppealState.OPEN) & Q(decided_at__isnull=False),
                name="a_decided_appeal_says_when",
            ),
        )
        indexes = (models.Index(fields=("created_at",), condition=Q(state=AppealState.OPEN), name="appeal_to_decide"),)

    def __str__(self) -> str:
        return f"{self.state} {self.booking_id}"
