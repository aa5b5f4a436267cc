from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from core.models import BaseModel, new_id
from core.money import Money
from payments.enums import OWNED_ACCOUNTS, AccountKind, LedgerKind
from payments.models.payments import Payment


class LedgerAccount(BaseModel):
    """An account of the ledger in one currency; those of people by person."""

    kind = models.CharField(max_length=16, choices=AccountKind)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="ledger_accounts")
    currency = models.CharField(max_length=3)

    class Meta:
        ordering = ("kind", "currency", "id")
        constraints = (
            models.UniqueConstraint(fields=("kind", "owner", "currency"), nulls_distinct=False, name="one_ledger_account_of_a_kind"),
            models.CheckConstraint(
                condition=Q(kind__in=OWNED_ACCOUNTS, owner__isnull=False) | ~Q(kind__in=OWNED_ACCOUNTS) & Q(owner__isnull=True),
                name="accounts_of_people_have_their_owner",
            ),
            # Entries point at both, so that an entry in another currency is impossible.
            models.UniqueConstraint(fields=("id", "currency"), name="ledger_account_with_currency"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.currency}"


class LedgerTransaction(models.Model):
    """Something that happened to money, told once: `cause` is the row that made it happen. A trigger refuses every change and every
    transaction whose entries do not sum up to zero."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=LedgerKind)
    cause = models.UUIDField()
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="ledger_transactions")
    happened_at = models.DateTimeField(default=timezone.now)
    provider_record = models.CharField(max_length=80, blank=True, default="", help_text="The balance transaction of the provider.")
    note = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("kind", "cause"), name="every_cause_is_booked_once"),
            models.UniqueConstraint(fields=("provider_record",), condition=~Q(provider_record=""), name="every_record_is_booked_once"),
        )
        indexes = (
            models.Index(fields=("payment", "id"), name="ledger_of_payment"),
            models.Index(fields=("happened_at",), name="ledger_by_instant"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.cause}"


class LedgerEntry(models.Model):
    """One side of a transaction: a debit is positive, a credit negative. Never changed, never deleted; a trigger holds that."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    transaction = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, related_name="entries")
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="entries")
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        verbose_name_plural = "ledger entries"
        ordering = ("-id",)
        constraints = (models.CheckConstraint(condition=~Q(amount=0), name="ledger_entry_moves_something"),)
        indexes = (models.Index(fields=("account", "id"), include=("amount",), name="ledger_of_account"),)

    def __str__(self) -> str:
        return str(self.money)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
