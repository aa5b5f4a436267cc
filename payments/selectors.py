from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from django.db.models import BigIntegerField, Case, F, Prefetch, QuerySet, Sum, When
from django.db.models.functions import TruncMonth

from accounts.models import User
from core.money import Money
from payments.enums import AccountKind, MovementKind, MovementState
from payments.models import LedgerEntry, Movement, Payment, PayoutAccount
from payments.services.splitting import entitlement

_MOST_UPCOMING = 50
_BATCH = 500


@dataclasses.dataclass(frozen=True)
class Balance:
    """What a mentor earned in one currency. `owed` is what they owe; it is taken off what is earned next."""

    pending: Money
    available: Money
    frozen: Money
    paid: Money
    owed: Money


@dataclasses.dataclass(frozen=True)
class Upcoming:
    """Earnings that wait: for the session (no date yet), or for the end of the window."""

    payment_id: uuid.UUID
    description: str
    amount: Money
    release_at: datetime.datetime | None


@dataclasses.dataclass(frozen=True)
class Earnings:
    account: PayoutAccount | None
    balances: list[Balance]
    upcoming: list[Upcoming]


def payments_of(user: User) -> QuerySet[Payment]:
    """What this person paid or was paid, newest first, with its refunds."""
    return Payment.objects.visible_to(user).prefetch_related(_refunds())


def movements_of_earnings(user: User) -> QuerySet[Movement]:
    """Transfers, what was taken back of them, and payouts of a mentor, newest first."""
    kinds = (MovementKind.TRANSFER, MovementKind.REVERSAL, MovementKind.PAYOUT)
    return Movement.objects.filter(person=user, kind__in=kinds)


def sent_by_month(user: User, since: datetime.datetime, zone: ZoneInfo) -> list[tuple[datetime.date, Money]]:
    """What went to this mentor's account in each month of the zone, less what was taken back in it, by currency and month. Months without
    anything are left out."""
    rows = Movement.objects.filter(
        person=user, kind__in=(MovementKind.TRANSFER, MovementKind.REVERSAL), state=MovementState.DONE, done_at__gte=since
    )
    signed = Case(When(kind=MovementKind.REVERSAL, then=-F("amount")), default=F("amount"), output_field=BigIntegerField())
    months = rows.order_by().annotate(month=TruncMonth("done_at", tzinfo=zone)).values_list("currency", "month")
    totals = months.annotate(total=Sum(signed, output_field=BigIntegerField())).order_by("currency", "month")
    return [(month.date(), Money(int(total), currency)) for currency, month, total in totals]


def earnings_of(user: User) -> Earnings:
    """What a mentor earned, by currency, and what is coming when."""
    sums: dict[str, dict[str, int]] = {}
    entries = LedgerEntry.objects.filter(account__owner=user).order_by()
    for currency, kind, total in entries.values_list("currency", "account__kind").annotate(total=Sum("amount")):
        sums.setdefault(currency, {})[kind] = -int(total)
    sent = _sums(Movement.objects.filter(person=user, kind=MovementKind.TRANSFER, state=MovementState.DONE))
    back = _sums(Movement.objects.filter(person=user, kind=MovementKind.REVERSAL, state=MovementState.DONE))
    balances = [_balance(code, sums.get(code, {}), sent.get(code, 0) - back.get(code, 0)) for code in sorted({*sums, *sent})]
    return Earnings(PayoutAccount.objects.filter(person=user).first(), balances, _upcoming(user))


def rows_of_history(user: User) -> Iterator[tuple[Payment, str]]:
    """Everything that this person paid or was paid, oldest first, a batch at a time; each with "payer" or "payee"."""
    rows = Payment.objects.visible_to(user).order_by("id").iterator(chunk_size=_BATCH)
    return ((payment, "payer" if payment.payer_id == user.pk else "payee") for payment in rows)


def _refunds() -> Prefetch[str, QuerySet[Movement], str]:
    return Prefetch("movements", Movement.objects.filter(kind=MovementKind.REFUND).order_by("id"), to_attr="refunds")


def _sums(movements: QuerySet[Movement]) -> dict[str, int]:
    return {code: int(total) for code, total in movements.order_by().values_list("currency").annotate(total=Sum("amount"))}


def _balance(code: str, sums: dict[str, int], paid: int) -> Balance:
    available = sums.get(AccountKind.AVAILABLE, 0)
    return Balance(
        pending=Money(sums.get(AccountKind.PENDING, 0), code),
        available=Money(max(available, 0), code),
        frozen=Money(sums.get(AccountKind.FROZEN, 0), code),
        paid=Money(paid, code),
        owed=Money(max(-available, 0), code),
    )


def _upcoming(user: User) -> list[Upcoming]:
    rows = Payment.objects.filter(payee=user, captured_amount__gt=0, released_at__isnull=True)
    ordered = rows.order_by("release_at", "id")[:_MOST_UPCOMING]
    return [Upcoming(row.pk, row.description, entitlement(row), row.release_at) for row in ordered]
