from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from core.models import BaseModel
from payments.enums import EventState, FindingKind


class ProviderEvent(BaseModel):
    """Something that the provider told us to look at. It is stored before it is looked into. What it is about is asked of the provider
    then, so nothing but names stands here: the order and the number of events do not matter, and nobody's data are kept."""

    provider_id = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=100)
    account = models.CharField(max_length=80, blank=True, default="", help_text="The mentor's account, for events of one.")
    object_kind = models.CharField(max_length=60, blank=True, default="")
    object_id = models.CharField(max_length=120, blank=True, default="")
    intent_id = models.CharField(max_length=80, blank=True, default="", help_text="The PaymentIntent that the object belongs to.")
    happened_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=EventState, default=EventState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("due_at",), condition=Q(state=EventState.WAITING), name="provider_event_due"),
            models.Index(fields=("state", "-id"), name="provider_event_by_state"),
            models.Index(fields=("happened_at",), name="provider_event_by_instant"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.provider_id}"


class Reconciliation(BaseModel):
    """One comparison of the provider's list of bookings with the ledger, over bookings from `since` up to `until`."""

    since = models.DateTimeField()
    until = models.DateTimeField()
    records = models.PositiveIntegerField(default=0, help_text="How many bookings the provider has for that time.")
    findings = models.PositiveIntegerField(default=0, help_text="How many differences were new.")
    finished_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering = ("-id",)
        constraints = (models.CheckConstraint(condition=Q(since__lt=models.F("until")), name="reconciliation_covers_some_time"),)

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d} to {self.until:%Y-%m-%d}"


class ProviderRecord(models.Model):
    """A booking of the provider during one comparison; deleted after it."""

    reconciliation = models.ForeignKey(Reconciliation, on_delete=models.CASCADE, related_name="provider_records")
    record = models.CharField(max_length=80)
    kind = models.CharField(max_length=60)
    source = models.CharField(max_length=120, blank=True, default="")
    net = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    is_inside = models.BooleanField(help_text="Made within the time that is compared.")

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("reconciliation", "record"), name="one_row_per_provider_record"),)

    def __str__(self) -> str:
        return self.record


class Finding(BaseModel):
    """A difference between the provider's bookings and the ledger, for staff. Found again, it stays one."""

    kind = models.CharField(max_length=14, choices=FindingKind)
    record = models.CharField(max_length=120, help_text="The balance transaction, or the ledger transaction that has none.")
    source = models.CharField(max_length=120, blank=True, default="")
    booked_amount = models.BigIntegerField(null=True, blank=True, help_text="In the ledger.")
    provider_amount = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    found_by = models.ForeignKey(Reconciliation, on_delete=models.PROTECT, related_name="found")
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=500, blank=True, default="", help_text="How it was resolved.")

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("kind", "record"), name="one_finding_per_difference"),)
        indexes = (models.Index(fields=("-id",), condition=Q(resolved_at__isnull=True), name="finding_to_resolve"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.record}"
