from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from bookings.enums import STATEMENTS, AppealState, Outcome, Side, StrikeKind
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


class Statement(BaseModel):
    """How one side says that a session went. It proves nothing by itself; see docs/decisions/0022."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="statements")
    side = models.CharField(max_length=8, choices=Side)
    says = models.CharField(max_length=14, choices=Outcome)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    said_at = models.DateTimeField()
    note = models.CharField(max_length=500, blank=True, default="", help_text="In the words of who said it, for both sides.")

    class Meta:
        ordering = ("booking", "said_at")
        constraints = (
            models.UniqueConstraint(fields=("booking", "side"), name="one_statement_per_side"),
            models.CheckConstraint(condition=Q(side__in=(Side.LEARNER, Side.MENTOR)), name="a_statement_is_of_one_of_the_two"),
            models.CheckConstraint(condition=Q(says__in=STATEMENTS), name="a_statement_says_something"),
        )

    def __str__(self) -> str:
        return f"{self.side}: {self.says}"


class Appeal(BaseModel):
    """One side's account of a session whose ending is contested. Staff decide; nothing is final until then."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="appeals")
    side = models.CharField(max_length=8, choices=Side)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    text = models.TextField(max_length=2000, blank=True, default="", help_text="What happened, in the person's own words.")
    state = models.CharField(max_length=14, choices=AppealState, default=AppealState.OPEN)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_note = models.CharField(max_length=1000, blank=True, default="", help_text="Shown to both.")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("booking", "side"), name="one_appeal_per_side_and_booking"),
            models.CheckConstraint(
                condition=Q(state=AppealState.OPEN, decided_at__isnull=True) | ~Q(state=AppealState.OPEN) & Q(decided_at__isnull=False),
                name="a_decided_appeal_says_when",
            ),
        )
        indexes = (models.Index(fields=("created_at",), condition=Q(state=AppealState.OPEN), name="appeal_to_decide"),)

    def __str__(self) -> str:
        return f"{self.state} {self.booking_id}"


class AppealEvidence(BaseModel):
    """A file that one side adds to its account. The row is written before the file and deleted after it, so that no file is orphaned."""

    appeal = models.ForeignKey(Appeal, on_delete=models.CASCADE, related_name="evidence")
    file = models.CharField(max_length=200, unique=True)
    content_type = models.CharField(max_length=30)
    size = models.PositiveIntegerField()
    is_stored = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "appeal evidence"
        ordering = ("id",)
        indexes = (models.Index(fields=("created_at",), condition=Q(is_stored=False), name="evidence_never_stored"),)

    def __str__(self) -> str:
        return f"{self.content_type} of {self.appeal_id}"
