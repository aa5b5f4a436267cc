from __future__ import annotations

import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from core.models import BaseModel
from core.money import Money, validate_currency
from payments.enums import LIVE_STATES, CaptureMode, PaymentState
from payments.querysets import PaymentQuerySet


class Payment(BaseModel):
    """One payer pays one payee for one subject, which only whoever opened it knows. Amounts are minor units of one currency.

    The terms (amounts, fee, tax, window) are those of the sale and never change. `returned_amount` counts refunds from the moment at which
    they are owed, and disputes that were lost; `transferred_amount` what went to the payee's account, less what was taken back.
    """

    subject_id = models.UUIDField()
    attempt = models.PositiveSmallIntegerField(default=1)
    payer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payments_made")
    payee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payments_received")
    description = models.CharField(max_length=300, help_text="What was bought, as it stands on the receipt.")
    currency = models.CharField(max_length=3, validators=[validate_currency])
    amount = models.BigIntegerField()
    fee_amount = models.BigIntegerField(help_text="The platform's part of it.")
    tax_amount = models.BigIntegerField(default=0, help_text="Tax that is contained in it.")
    tax_name = models.CharField(max_length=40, blank=True, default="")
    tax_basis_points = models.PositiveIntegerField(default=0)
    capture_mode = models.CharField(max_length=10, choices=CaptureMode, default=CaptureMode.AUTOMATIC)
    window_days = models.PositiveSmallIntegerField(help_text="So long after it was earned the payee's part waits for disputes.")

    state = models.CharField(max_length=12, choices=PaymentState, default=PaymentState.OPEN)
    provider_id = models.CharField(max_length=80, blank=True, default="", help_text="Of the PaymentIntent.")
    charge_id = models.CharField(max_length=80, blank=True, default="")
    failure_code = models.CharField(max_length=60, blank=True, default="", help_text="Why the last attempt to pay failed.")
    is_unwanted = models.BooleanField(default=False, help_text="Called off: whatever is taken all the same is paid back.")
    captured_amount = models.BigIntegerField(default=0)
    returned_amount = models.BigIntegerField(default=0)
    transferred_amount = models.BigIntegerField(default=0)

    authorised_at = models.DateTimeField(null=True, blank=True)
    captured_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    earned_at = models.DateTimeField(null=True, blank=True, help_text="When what was paid for had taken place.")
    release_at = models.DateTimeField(null=True, blank=True, help_text="When the payee's part may go out.")
    released_at = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True, help_text="When the provider was asked last.")

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("subject_id", "attempt"), name="one_payment_per_subject_and_attempt"),
            models.UniqueConstraint(fields=("subject_id",), condition=Q(state__in=LIVE_STATES), name="one_live_payment_per_subject"),
            models.UniqueConstraint(fields=("provider_id",), condition=~Q(provider_id=""), name="one_payment_per_intent"),
            models.CheckConstraint(
                condition=Q(fee_amount__gte=0, tax_amount__gte=0, amount__gte=F("fee_amount") + F("tax_amount")),
                name="parts_of_a_payment_make_it_up",
            ),
            models.CheckConstraint(
                condition=Q(captured_amount__gte=0, captured_amount__lte=F("amount")), name="no_more_is_taken_than_was_agreed"
            ),
            models.CheckConstraint(
                condition=Q(returned_amount__gte=0, returned_amount__lte=F("captured_amount")), name="no_more_is_returned_than_was_taken"
            ),
            models.CheckConstraint(
                condition=Q(transferred_amount__gte=0, transferred_amount__lte=F("captured_amount")),
                name="no_more_is_transferred_than_was_taken",
            ),
            models.CheckConstraint(
                condition=Q(state=PaymentState.CAPTURED, captured_at__isnull=False)
                | ~Q(state=PaymentState.CAPTURED) & Q(captured_at__isnull=True, captured_amount=0),
                name="captured_payment_says_when",
            ),
            models.CheckConstraint(condition=~Q(payer=F("payee")), name="nobody_pays_themselves"),
            models.CheckConstraint(condition=Q(released_at__isnull=True) | Q(captured_at__isnull=False), name="released_after_capture"),
        )
        indexes = (
            models.Index(fields=("payer", "-id"), name="payment_of_payer"),
            models.Index(fields=("payee", "currency", "released_at"), name="payment_of_payee"),
            models.Index(
                fields=("release_at",), condition=Q(released_at__isnull=True, release_at__isnull=False), name="payment_to_release"
            ),
            models.Index(fields=("looked_at",), condition=Q(state__in=("waiting", "processing", "authorised")), name="payment_undecided"),
            models.Index(fields=("state", "-id"), name="payment_by_state"),
            models.Index(fields=("captured_at",), condition=Q(captured_at__isnull=False), name="payment_by_capture"),
        )

    def __str__(self) -> str:
        return f"{self.money} {self.state}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def captured(self) -> Money:
        return Money(self.captured_amount, self.currency)

    @property
    def returned(self) -> Money:
        return Money(self.returned_amount, self.currency)

    @property
    def transferred(self) -> Money:
        return Money(self.transferred_amount, self.currency)

    @property
    def returnable(self) -> Money:
        """What can still be paid back."""
        return self.captured - self.returned

    @property
    def is_free(self) -> bool:
        return self.amount == 0

    @property
    def window(self) -> datetime.timedelta:
        return datetime.timedelta(days=self.window_days)


class PayoutAccount(BaseModel):
    """A mentor's account at the provider, where their earnings go. What the provider wants to know of them stays there."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payout_account")
    provider_id = models.CharField(max_length=80, blank=True, default="")
    country = models.CharField(max_length=2)
    is_submitted = models.BooleanField(default=False, help_text="The mentor went through the provider's form.")
    can_receive = models.BooleanField(default=False, help_text="Transfers are possible.")
    can_pay_out = models.BooleanField(default=False, help_text="Payouts to the bank are possible.")
    missing = ArrayField(models.CharField(max_length=120), default=list, blank=True, help_text="What the provider still asks for.")
    disabled_reason = models.CharField(max_length=80, blank=True, default="")
    told_held_up_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("provider_id",), condition=~Q(provider_id=""), name="one_row_per_payout_account"),
            models.CheckConstraint(condition=Q(can_receive=False) | ~Q(provider_id=""), name="account_that_receives_exists"),
        )

    def __str__(self) -> str:
        return self.provider_id or str(self.person_id)
