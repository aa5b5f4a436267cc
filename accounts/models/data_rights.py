from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.enums import ErasureState, ExportState
from accounts.querysets import OwnedQuerySet
from core.models import BaseModel


class DataExport(BaseModel):
    """One archive of everything that is held about a person: made part by part in the background, kept for some days, then deleted."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exports")
    state = models.CharField(max_length=8, choices=ExportState, default=ExportState.WAITING)
    parts_done = models.PositiveIntegerField(default=0)
    parts_total = models.PositiveIntegerField(default=0)
    file_name = models.CharField(max_length=200, blank=True, default="", editable=False)
    size_bytes = models.PositiveBigIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    ready_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("user",),
                condition=Q(state__in=(ExportState.WAITING, ExportState.RUNNING)),
                name="one_export_under_way_per_person",
            ),
            models.CheckConstraint(condition=~Q(state=ExportState.READY) | ~Q(file_name=""), name="ready_export_has_its_file"),
        )
        indexes = (
            models.Index(fields=("user", "-id"), name="export_by_user"),
            models.Index(fields=("state", "id"), name="export_by_state"),
        )

    def __str__(self) -> str:
        return f"{self.state} {self.created_at:%Y-%m-%d}"


class Erasure(BaseModel):
    """The forgetting of one person: scheduled, undoable until `due_at`, then run step by step. Each step that is done stands in
    `steps_done`, so that a run that was killed goes on where it stopped. No key to the person: the row outlives their data."""

    person_id = models.UUIDField(db_index=True)
    state = models.CharField(max_length=10, choices=ErasureState, default=ErasureState.SCHEDULED)
    due_at = models.DateTimeField()
    steps_done = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    remains = models.JSONField(default=dict, blank=True, help_text="What the last sweep still found, by place. Empty means nothing.")
    started_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("person_id",),
                condition=Q(state__in=(ErasureState.SCHEDULED, ErasureState.RUNNING)),
                name="one_erasure_under_way_per_person",
            ),
            models.CheckConstraint(condition=~Q(state=ErasureState.DONE) | Q(done_at__isnull=False, remains={}), name="done_left_nothing"),
        )
        indexes = (models.Index(fields=("state", "due_at"), name="erasure_due"),)

    def __str__(self) -> str:
        return f"{self.state} {self.person_id}"


class RetiredHandle(models.Model):
    """The digest of a handle whose owner was erased: nobody may come back under another person's name."""

    digest = models.CharField(max_length=64, primary_key=True)
    retired_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-retired_at",)

    def __str__(self) -> str:
        return self.digest[:12]
