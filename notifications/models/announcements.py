from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.models import BaseModel
from notifications.enums import AnnouncementState


class Announcement(BaseModel):
    """One notice to everybody, told in the order of their ids. `last_id` says how far it has come, so any worker can go on."""

    title = models.CharField(max_length=120)
    text = models.CharField(max_length=1000)
    languages = models.CharField(max_length=100, blank=True, default="", help_text="Only to people of these, such as de,en. Empty: all.")
    state = models.CharField(max_length=7, choices=AnnouncementState, default=AnnouncementState.DRAFT)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_id = models.UUIDField(null=True, blank=True, editable=False)
    total = models.PositiveIntegerField(default=0, editable=False)
    done = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(state=AnnouncementState.DRAFT, started_at__isnull=True)
                | ~Q(state=AnnouncementState.DRAFT) & Q(started_at__isnull=False),
                name="announcement_started",
            ),
        )
        indexes = (models.Index(fields=("id",), condition=Q(state=AnnouncementState.RUNNING), name="announcement_running"),)

    def __str__(self) -> str:
        return self.title
