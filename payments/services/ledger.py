"""The ledger: the only writer of its tables, and what they say. Everything that happens to money is booked here, in the transaction in
which it becomes true."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import Iterable, Sequence

from django.db import connection
from django.db.models import Sum

from core.money import Money
from payments.enums import AccountKind, LedgerKind
from payments.models import LedgerAccount, LedgerEntry, LedgerTransaction, Payment


@dataclasses.dataclass(frozen=True)
class Posting:
    """An amount on an account: a debit is positive, a credit negative. Nothing is booked for zero."""

    account: AccountKind
    money: Money
    owner_id: uuid.UUID | None = None


class Unbalanced(Exception):
    """The postings of a transaction do not sum up to zero."""


def book(
    *,
    kind: LedgerKind,
    cause: uuid.UUID,
    postings: Sequence[Posting],
    payment: Payment | None = None,
    provider_record: str = "",
    note: str = "",
) -> bool:
    """Book what happened, in the open transaction. Returns False, and books nothing, if this cause was booked before.

    Raises:
        Unbalanced: debits and credits differ. The database would refuse it too, later.
    """
    moved = [posting for posting in postings if posting.money]
    currency = postings[0].money.currency
    if Money.total([posting.money for posting in moved], currency):
        raise Unbalanced(f"{kind} {cause}: {moved}")
    if not moved or LedgerTransaction.objects.filter(kind=kind, cause=cause).exists():
        return False
    accounts = _accounts(moved, currency)
    transaction = LedgerTransaction.objects.create(kind=kind, cause=cause, payment=payment, provider_record=provider_record, note=note)
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            transaction=transaction,
            account_id=accounts[posting.account, posting.owner_id],
            amount=posting.money.amount,
            currency=currency,
        )
        for posting in moved
    )
    return True


def is_booked(kind: LedgerKind, cause: uuid.UUID) -> bool:
    return LedgerTransaction.objects.filter(kind=kind, cause=cause).exists()


def balance_of(account: AccountKind, currency: str, owner_id: uuid.UUID | None = None, *, at: datetime.datetime | None = None) -> Money:
    """The sum of an account, debits positive; at an instant, if one is given."""
    entries = LedgerEntry.objects.filter(account__kind=account, account__owner=owner_id, account__currency=currency)
    if at is not None:
        entries = entries.filter(transaction__happened_at__lte=at)
    return Money(int(entries.aggregate(total=Sum("amount"))["total"] or 0), currency)


def owed_to(account: AccountKind, currency: str, owner_id: uuid.UUID) -> Money:
    """What is owed to a person on an account; negative, what they owe."""
    return -balance_of(account, currency, owner_id)


def balances_of_payment(payment: Payment) -> dict[AccountKind, Money]:
    """What one payment has left on each account, debits positive."""
    entries = LedgerEntry.objects.filter(transaction__payment=payment)
    sums = entries.order_by().values_list("account__kind").annotate(total=Sum("amount"))
    return {AccountKind(kind): Money(int(total), payment.currency) for kind, total in sums}


def hold_money_of(person_ids: Iterable[uuid.UUID]) -> None:
    """Let nobody else decide about what these people have available until the open transaction ends. Taken after the locks of payments, and
    sorted, so that nobody waits in a circle."""
    with connection.cursor() as cursor:
        for key in sorted(str(person_id) for person_id in person_ids):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"payments.money {key}",))


def _accounts(postings: Sequence[Posting], currency: str) -> dict[tuple[AccountKind, uuid.UUID | None], uuid.UUID]:
    wanted = {(posting.account, posting.owner_id) for posting in postings}
    kinds = {kind for kind, _ in wanted}
    owners = {owner for _, owner in wanted if owner is not None}
    rows = LedgerAccount.objects.filter(kind__in=kinds, currency=currency)
    found = {(AccountKind(row.kind), row.owner_id): row.pk for row in (*rows.filter(owner__isnull=True), *rows.filter(owner__in=owners))}
    missing = [LedgerAccount(kind=kind, owner_id=owner, currency=currency) for kind, owner in sorted(wanted - found.keys(), key=str)]
    if missing:
        # Somebody else may be making the same ones.
        LedgerAccount.objects.bulk_create(missing, ignore_conflicts=True)
        return _accounts(postings, currency)
    return found
