from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from core.models import BaseModel


class MatchServing(BaseModel):
    """Which mentors somebody was shown as matches, in this order, and how much each seemed to be wanted."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="match_servings")
    profile_ids = ArrayField(models.UUIDField(), default=list)
    wanting = ArrayField(models.FloatField(), default=list)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("user", "-created_at"), name="match_serving_of_person"),
            models.Index(fields=("created_at",), name="match_serving_by_age"),
        )

    def __str__(self) -> str:
        return f"{len(self.profile_ids)} for {self.user_id}"
