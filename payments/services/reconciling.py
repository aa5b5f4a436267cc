"""Comparing the provider's books with ours, line by line, by the provider's own number of each line. It finds; people put right."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from core.errors import FieldError, InvalidInput
from core.events import publish
from payments.enums import FindingKind
from payments.errors import ProviderAway, ProviderRefused
from payments.events import DifferencesFound
from payments.models import Finding, Movement, Payment, ProviderRecord, Reconciliation
from payments.providers import stripe

_BATCH = 1_000
# What happened at the edge may stand on one side already and not on the other yet.
_SETTLING = datetime.timedelta(minutes=10)
# A line may have been booked here long after it was made there.
_LOOK_BACK = datetime.timedelta(days=2)
# The platform's own banking is none of the ledger's business (docs.stripe.com/reports/balance-transaction-types).
OWN_BANKING = (
    *("payout", "payout_cancel", "payout_failure", "payout_minimum_balance_hold", "payout_minimum_balance_release"),
    *("stripe_fee", "stripe_fx_fee", "tax_fee", "topup", "topup_reversal", "network_cost", "reserve_transaction"),
    *("reserved_funds", "contribution", "connect_collection_transfer"),
)

_MISSING_HERE = """
SELECT theirs.record, theirs.source, NULL::bigint, theirs.net, theirs.currency
FROM payments_providerrecord AS theirs
LEFT JOIN payments_ledgertransaction AS ours ON ours.provider_record = theirs.record
WHERE theirs.reconciliation_id = %(run)s AND theirs.is_inside AND ours.id IS NULL AND NOT theirs.kind = ANY(%(own_banking)s)
"""
# What a ledger transaction moved on our balance at the provider; one without any such line is none of the provider's business.
_BOOKED = """
    SELECT ours.id, ours.provider_record AS record, sum(entry.amount)::bigint AS net, min(entry.currency) AS currency, ours.happened_at
    FROM payments_ledgertransaction AS ours
    JOIN payments_ledgerentry AS entry ON entry.transaction_id = ours.id
    JOIN payments_ledgeraccount AS account ON account.id = entry.account_id AND account.kind = 'provider'
    GROUP BY ours.id
"""
_MISSING_THERE = f"""
SELECT coalesce(nullif(booked.record, ''), booked.id::text), '', booked.net, NULL::bigint, booked.currency
FROM ({_BOOKED.replace("GROUP BY", "WHERE ours.happened_at >= %(since)s AND ours.happened_at < %(until)s GROUP BY")}) AS booked
LEFT JOIN payments_providerrecord AS theirs ON theirs.record = booked.record AND theirs.reconciliation_id = %(run)s
WHERE theirs.record IS NULL
"""
_LISTED = "ours.provider_record IN (SELECT record FROM payments_providerrecord WHERE reconciliation_id = %(run)s)"
_WRONG_AMOUNT = f"""
SELECT theirs.record, theirs.source, booked.net, theirs.net, theirs.currency
FROM payments_providerrecord AS theirs
JOIN ({_BOOKED.replace("GROUP BY", f"WHERE {_LISTED} GROUP BY")}) AS booked ON booked.record = theirs.record
WHERE theirs.reconciliation_id = %(run)s AND (booked.net <> theirs.net OR booked.currency <> theirs.currency)
"""


@dataclasses.dataclass(frozen=True)
class _Difference:
    """A row of one of the statements above: what each side has of a line."""

    record: str
    source: str
    booked: int | None
    theirs: int | None
    currency: str


def reconcile(*, since: datetime.datetime, until: datetime.datetime) -> Reconciliation:
    """Compare all that the provider booked from `since` up to `until` with the ledger. What was found before is not found again.

    Raises:
        InvalidInput: the times are the wrong way round.
        ProviderAway: its list could not be read; the row says so.
    """
    if since >= until:
        raise InvalidInput(errors=(FieldError("since", "invalid_time", "The start must come before the end."),))
    end = min(until, timezone.now() - _SETTLING)
    run = Reconciliation.objects.create(since=min(since, end - _SETTLING), until=end)
    try:
        run.records = _load(run)
        run.findings = _compare(run)
    except ProviderAway:
        run.failure = "The provider could not be asked."
        raise
    finally:
        ProviderRecord.objects.filter(reconciliation=run).delete()
        _finish(run)
    return run


def resolve_finding(*, finding: Finding, staff: User, note: str) -> None:
    """Staff have put a difference right, or know why there is one."""
    if not note.strip():
        raise InvalidInput(errors=(FieldError("note", "required", "Say how it was resolved."),))
    with transaction.atomic():
        Finding.objects.select_for_update().filter(pk=finding.pk, resolved_at__isnull=True).update(
            resolved_at=timezone.now(), resolved_by=staff, note=note[:500], updated_at=timezone.now()
        )


def _finish(run: Reconciliation) -> None:
    with transaction.atomic():
        run.finished_at = timezone.now()
        run.save()
        if run.findings:
            publish(DifferencesFound(run.pk, run.findings))


def _load(run: Reconciliation) -> int:
    """Copy the provider's list into a table, a page at a time. Returns how many lines lie inside the time that is compared."""
    inside = 0
    records = stripe.records_between(run.since - _LOOK_BACK, timezone.now())
    while batch := list(itertools.islice(records, _BATCH)):
        rows = [
            ProviderRecord(
                reconciliation=run,
                record=each.record,
                kind=each.kind,
                source=each.source,
                net=each.net.amount,
                currency=each.net.currency,
                is_inside=run.since <= each.created_at < run.until,
            )
            for each in batch
        ]
        ProviderRecord.objects.bulk_create(rows, ignore_conflicts=True)
        inside += sum(row.is_inside for row in rows)
    return inside


def _compare(run: Reconciliation) -> int:
    parameters: dict[str, Any] = {"run": run.pk, "since": run.since, "until": run.until, "own_banking": list(OWN_BANKING)}
    new = 0
    for kind, sql in (
        (FindingKind.MISSING_HERE, _MISSING_HERE),
        (FindingKind.MISSING_THERE, _MISSING_THERE),
        (FindingKind.WRONG_AMOUNT, _WRONG_AMOUNT),
    ):
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            found = [_finding(run, kind, _Difference(*row)) for row in cursor.fetchall()]
        rows = [row for row in found if row is not None]
        known = set(Finding.objects.filter(record__in=[row.record for row in rows]).values_list("kind", "record"))
        fresh = [row for row in rows if (row.kind, row.record) not in known]
        Finding.objects.bulk_create(fresh, ignore_conflicts=True)
        new += len(fresh)
    return new


def _finding(run: Reconciliation, kind: FindingKind, found: _Difference) -> Finding | None:
    theirs = found.theirs
    if kind == FindingKind.MISSING_HERE and _is_doubled(found.source):
        kind = FindingKind.DOUBLED
    if kind == FindingKind.MISSING_THERE:
        listed = _read(found.record)
        if listed == (found.booked, found.currency):
            return None  # made there long before it was booked here
        if listed is not None:
            kind, theirs = FindingKind.WRONG_AMOUNT, listed[0]
    return Finding(
        kind=kind,
        record=found.record,
        source=found.source,
        booked_amount=found.booked,
        provider_amount=theirs,
        currency=found.currency,
        found_by=run,
    )


def _is_doubled(source: str) -> bool:
    """Whether the provider did for a second time what was done once here."""
    payment_id, movement_id = stripe.owner_of(source)
    if movement_id is not None:
        row = Movement.objects.filter(pk=movement_id).exclude(provider_id="").values_list("provider_id", flat=True).first()
        return row is not None and row != source
    if payment_id is not None:
        row = Payment.objects.filter(pk=payment_id).exclude(charge_id="").values_list("charge_id", flat=True).first()
        return row is not None and row != source
    return False


def _read(record: str) -> tuple[int, str] | None:
    try:
        found = stripe.read_record(record)
    except ProviderRefused:
        return None
    return found.net.amount, found.net.currency
