from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from bookings.enums import RecordingState
from bookings.models.bookings import Session
from core.models import BaseModel


class RecordingConsent(BaseModel):
    """Somebody agrees that a session is recorded, in the words of a numbered text, until they take it back."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="recording_consents")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    text_version = models.PositiveSmallIntegerField()
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("session", "person"), condition=Q(withdrawn_at__isnull=True), name="one_consent_in_force"),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gte=F("given_at")), name="consent_is_given_before_it_is_taken_back"
            ),
        )

    def __str__(self) -> str:
        return f"{self.person_id} for {self.session_id}"


class SessionRecording(BaseModel):
    """A recording at the provider of video, from one start to its deletion. `provider_id` is known once the provider says it."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="recordings")
    state = models.CharField(max_length=8, choices=RecordingState, default=RecordingState.RUNNING)
    provider_id = models.CharField(max_length=100, blank=True, default="")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(help_text="When it is to be looked after: stopped, found, or deleted.")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("session",), condition=Q(state=RecordingState.RUNNING), name="one_recording_at_once"),
            models.UniqueConstraint(fields=("provider_id",), condition=~Q(provider_id=""), name="one_row_per_recording"),
            models.CheckConstraint(
                condition=Q(state=RecordingState.RUNNING, stopped_at__isnull=True)
                | ~Q(state=RecordingState.RUNNING) & Q(stopped_at__isnull=False),
                name="what_runs_was_not_stopped",
            ),
        )
        indexes = (models.Index(fields=("due_at",), condition=~Q(state=RecordingState.DELETED), name="recording_due"),)

    def __str__(self) -> str:
        return f"{self.state} {self.session_id}"
