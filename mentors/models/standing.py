from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from core.models import BaseModel
from mentors.enums import RequestOutcome
from mentors.models.profiles import MentorProfile


class SessionRequest(BaseModel):
    """Somebody asked a mentor for a session, and how that ended. Who asked is told by what stands under the reference."""

    profile = models.ForeignKey(MentorProfile, on_delete=models.CASCADE, related_name="session_requests")
    reference = models.UUIDField(unique=True)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="Not answered by then, it is missed.")
    outcome = models.CharField(max_length=9, choices=RequestOutcome, default=RequestOutcome.OPEN)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(due_at__gt=F("asked_at")), name="a_request_leaves_time"),
            models.CheckConstraint(
                condition=Q(outcome=RequestOutcome.OPEN, ended_at__isnull=True)
                | ~Q(outcome=RequestOutcome.OPEN) & Q(ended_at__gte=F("asked_at")),
                name="a_request_ends_after_it_was_asked",
            ),
        )
        indexes = (
            models.Index(fields=("profile", "-asked_at"), name="request_of_mentor"),
            models.Index(fields=("due_at",), condition=Q(outcome=RequestOutcome.OPEN), name="request_due"),
        )

    def __str__(self) -> str:
        return f"{self.reference} {self.outcome}"
