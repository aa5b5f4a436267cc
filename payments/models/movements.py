from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from core.models import BaseModel
from core.money import Money
from payments.enums import DisputeState, MovementKind, MovementState, RefundReason
from payments.models.payments import Payment

UNSETTLED = (MovementState.PLANNED, MovementState.SENT)
_OF_PAYMENTS = (MovementKind.CAPTURE, MovementKind.CANCEL, MovementKind.REFUND, MovementKind.TRANSFER, MovementKind.REVERSAL)


class Movement(BaseModel):
    """One thing that the provider is asked to do, once: the queue of record of all calls that move money.

    The row is there before the provider is asked, and `key` goes along as the idempotency key, so whoever asks again after a crash gets the
    same answer. A movement that is tried anew by staff gets a new key.
    """

    kind = models.CharField(max_length=8, choices=MovementKind)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="movements")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reverses = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversals")
    amount = models.BigIntegerField()
    unowed_amount = models.BigIntegerField(
        default=0, help_text="Of a refund of the provider's dashboard: what was not owed. It pays refunds that cannot be made any more."
    )
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=20, choices=RefundReason, blank=True, default="")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    key = models.CharField(max_length=100, unique=True)
    state = models.CharField(max_length=8, choices=MovementState, default=MovementState.PLANNED)
    provider_id = models.CharField(max_length=80, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Counted before the provider is asked: with none it never was.")
    planned_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    failure_code = models.CharField(max_length=80, blank=True, default="")
    done_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(amount__gt=0) | Q(kind=MovementKind.CANCEL, amount=0), name="movement_moves_something"),
            models.CheckConstraint(
                condition=Q(unowed_amount=0) | Q(unowed_amount__gt=0, unowed_amount__lte=F("amount"), reason=RefundReason.AT_PROVIDER),
                name="only_refunds_of_the_dashboard_are_not_owed",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=_OF_PAYMENTS, payment__isnull=False) | Q(kind=MovementKind.PAYOUT, payment__isnull=True),
                name="movement_is_of_a_payment_or_a_payout",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=("transfer", "reversal", "payout"), person__isnull=False)
                | ~Q(kind__in=("transfer", "reversal", "payout")) & Q(person__isnull=True),
                name="movement_of_earnings_names_the_mentor",
            ),
            models.CheckConstraint(
                condition=Q(kind=MovementKind.REVERSAL, reverses__isnull=False) | ~Q(kind=MovementKind.REVERSAL) & Q(reverses__isnull=True),
                name="reversal_names_its_transfer",
            ),
            models.CheckConstraint(
                condition=Q(kind=MovementKind.REFUND) & ~Q(reason="") | ~Q(kind=MovementKind.REFUND) & Q(reason=""),
                name="refund_has_its_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=(MovementState.DONE, MovementState.SENT)) | Q(kind__in=("capture", "cancel")) | ~Q(provider_id=""),
                name="what_was_done_is_known_by_the_provider",
            ),
            models.UniqueConstraint(fields=("kind", "provider_id"), condition=~Q(provider_id=""), name="one_movement_per_provider_object"),
            models.UniqueConstraint(
                fields=("payment", "kind"),
                condition=Q(kind__in=("capture", "cancel"), state__in=UNSETTLED),
                name="one_capture_and_one_cancel_at_a_time",
            ),
            models.UniqueConstraint(
                fields=("person", "currency"),
                condition=Q(kind=MovementKind.PAYOUT, state=MovementState.PLANNED),
                name="one_payout_at_a_time",
            ),
        )
        indexes = (
            models.Index(fields=("due_at",), condition=Q(state=MovementState.PLANNED), name="movement_due"),
            models.Index(fields=("payment", "kind"), name="movement_of_payment"),
            models.Index(fields=("person", "kind", "-id"), condition=Q(person__isnull=False), name="movement_of_person"),
            models.Index(fields=("state", "-id"), name="movement_by_state"),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.money} ({self.state})"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class Dispute(BaseModel):
    """A payer's bank looks into a payment, and holds the money meanwhile."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    provider_id = models.CharField(max_length=80, unique=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    counted_amount = models.BigIntegerField(help_text="The part of it that had not been paid back before.")
    frozen_amount = models.BigIntegerField(default=0, help_text="The mentor's part of it that waits.")
    reason = models.CharField(max_length=60, blank=True, default="")
    state = models.CharField(max_length=4, choices=DisputeState, default=DisputeState.OPEN)
    opened_at = models.DateTimeField()
    evidence_due_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(amount__gt=0, counted_amount__gte=0, counted_amount__lte=F("amount"), frozen_amount__gte=0)
                & Q(frozen_amount__lte=F("counted_amount")),
                name="parts_of_a_dispute_lie_within_it",
            ),
            models.CheckConstraint(
                condition=Q(state=DisputeState.OPEN, decided_at__isnull=True) | ~Q(state=DisputeState.OPEN) & Q(decided_at__isnull=False),
                name="decided_dispute_says_when",
            ),
        )
        indexes = (models.Index(fields=("state", "-id"), name="dispute_by_state"),)

    def __str__(self) -> str:
        return f"{self.money} {self.state}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
