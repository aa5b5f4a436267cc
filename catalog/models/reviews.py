from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from catalog.enums import ReviewSignal, ReviewState
from catalog.models.opportunities import Opportunity
from core.models import BaseModel


class PostingReview(BaseModel):
    """Why a posting waits for a look by staff, and what they decided."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="reviews")
    state = models.CharField(max_length=10, choices=ReviewState, default=ReviewState.OPEN)
    signals = ArrayField(models.CharField(max_length=20, choices=ReviewSignal), default=list)
    excerpts = ArrayField(models.CharField(max_length=200), default=list, help_text="The words behind the signals, in their order.")
    note = models.CharField(max_length=1000, blank=True, default="", help_text="Told to the poster.")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("opportunity",), condition=Q(state=ReviewState.OPEN), name="one_open_review_per_posting"),
            models.CheckConstraint(
                condition=Q(state=ReviewState.OPEN, decided_at__isnull=True) | ~Q(state=ReviewState.OPEN) & Q(decided_at__isnull=False),
                name="decided_review_has_its_instant",
            ),
        )
        indexes = (models.Index(fields=("state", "-id"), name="review_queue"),)

    def __str__(self) -> str:
        return f"{self.opportunity_id}: {', '.join(self.signals)}"
