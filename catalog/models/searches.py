from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.querysets import OwnedQuerySet
from catalog.models.opportunities import Opportunity
from core.models import BaseModel


class SavedSearch(BaseModel):
    """A search that a person keeps, and that tells them what is new."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_searches")
    name = models.CharField(max_length=100)
    filters = models.JSONField(default=dict, help_text="The parameters of the search, as its address has them.")
    is_notifying = models.BooleanField(default=True)
    # What was published until then has been looked through.
    looked_until = models.DateTimeField(default=timezone.now)
    found = models.ManyToManyField(Opportunity, blank=True, related_name="+")

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "saved searches"
        constraints = (models.UniqueConstraint(fields=("user", "name"), name="one_saved_search_per_person_and_name"),)
        indexes = (models.Index(fields=("looked_until",), name="saved_search_due"),)

    def __str__(self) -> str:
        return self.name
