from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from catalog.enums import DismissReason
from catalog.models.opportunities import Opportunity
from catalog.querysets import ReactionQuerySet
from core.models import BaseModel


class Reaction(BaseModel):
    """What one person did with one opportunity: opened it, saved it, dismissed it, applied for it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reactions")
    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="reactions")
    opened_at = models.DateTimeField(null=True, blank=True)
    saved_at = models.DateTimeField(null=True, blank=True)
    dismissed_at = models.DateTimeField(null=True, blank=True)
    dismissed_because = models.CharField(max_length=15, choices=DismissReason, blank=True, default="")
    applied_at = models.DateTimeField(null=True, blank=True)

    objects = ReactionQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("user", "opportunity"), name="one_reaction_per_person_and_opportunity"),
            models.CheckConstraint(
                condition=Q(opened_at__isnull=False)
                | Q(saved_at__isnull=False)
                | Q(dismissed_at__isnull=False)
                | Q(applied_at__isnull=False),
                name="reaction_is_one",
            ),
            models.CheckConstraint(
                condition=Q(saved_at__isnull=True) | Q(dismissed_at__isnull=True), name="nothing_is_saved_and_dismissed"
            ),
            models.CheckConstraint(
                condition=Q(dismissed_because="") | Q(dismissed_at__isnull=False), name="only_what_is_dismissed_has_a_reason_for_it"
            ),
        )
        indexes = (
            models.Index(fields=("user", "-saved_at"), condition=Q(saved_at__isnull=False), name="reaction_saved"),
            models.Index(fields=("user", "-dismissed_at"), condition=Q(dismissed_at__isnull=False), name="reaction_dismissed"),
            models.Index(fields=("user", "-applied_at"), condition=Q(applied_at__isnull=False), name="reaction_applied"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} and {self.opportunity_id}"
