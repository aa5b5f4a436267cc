"""What is held about money. Rows of the books are kept by law when a person goes; they name nobody but the pseudonym that the person's own
row becomes. See `core.privacy`."""

from __future__ import annotations

from django.apps import apps

from core.privacy import OnErasure, declare
from payments.models import (
    Dispute,
    Finding,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Movement,
    Payment,
    PayoutAccount,
    ProviderEvent,
    ProviderRecord,
    Reconciliation,
)

_BASE = ("id", "created_at", "updated_at")
# dj-stripe's tables hold copies of objects that name ids alone (see `payments.providers.copies`), or nothing at all; none is edited.
_SECRETS = {"secret", "client_secret", "djstripe_uuid"}

for _copied in apps.get_app_config("djstripe").get_models(include_auto_created=True):
    _columns = {field.name for field in _copied._meta.concrete_fields}
    declare(_copied, none=_columns - _SECRETS, secret=_columns & _SECRETS)

declare(
    Payment,
    subject="payer_id",
    on_erasure=OnErasure.KEEP,
    none=(*_BASE, "subject_id", "attempt", "payer", "payee", "provider_id", "charge_id", "looked_at"),
    money_record=(
        *("description", "currency", "amount", "fee_amount", "tax_amount", "tax_name", "tax_basis_points", "capture_mode", "window_days"),
        *("state", "failure_code", "is_unwanted", "captured_amount", "returned_amount", "transferred_amount", "authorised_at"),
        *("captured_at", "cancelled_at", "earned_at", "release_at", "released_at"),
    ),
)
declare(
    PayoutAccount,
    subject="person_id",
    on_erasure=OnErasure.CLEAR,
    cleared={"country": "", "missing": [], "disabled_reason": ""},
    none=(*_BASE, "person", "provider_id", "is_submitted", "can_receive", "can_pay_out", "told_held_up_at"),
    personal=("country", "missing", "disabled_reason"),
)
declare(
    Movement,
    subject="person_id",
    on_erasure=OnErasure.KEEP,
    none=(*_BASE, "payment", "person", "reverses", "requested_by", "key", "provider_id", "attempts", "planned_at", "due_at"),
    money_record=("kind", "amount", "unowed_amount", "currency", "reason", "state", "failure_code", "done_at", "note"),
)
declare(
    Dispute,
    subject="payment__payer_id",
    on_erasure=OnErasure.KEEP,
    none=(*_BASE, "payment", "provider_id"),
    money_record=(
        *("amount", "currency", "counted_amount", "frozen_amount", "reason", "state", "opened_at", "evidence_due_at", "decided_at"),
    ),
)
declare(LedgerAccount, subject="owner_id", on_erasure=OnErasure.KEEP, none=(*_BASE, "owner"), money_record=("kind", "currency"))
declare(
    LedgerTransaction,
    none=("id", "cause", "payment", "provider_record"),
    money_record=("kind", "happened_at", "note"),
)
declare(
    LedgerEntry,
    subject="account__owner_id",
    on_erasure=OnErasure.KEEP,
    none=("id", "transaction", "account"),
    money_record=("amount", "currency"),
)
declare(
    ProviderEvent,
    none=(
        *(*_BASE, "provider_id", "kind", "account", "object_kind", "object_id", "intent_id", "happened_at", "state", "attempts", "due_at"),
        *("done_at", "last_error"),
    ),
)
declare(Reconciliation, none=(*_BASE, "since", "until", "records", "findings", "finished_at", "failure"))
declare(ProviderRecord, none=("id", "reconciliation", "record", "kind", "source", "net", "currency", "is_inside"))
declare(
    Finding,
    none=(
        *(
            *_BASE,
            "kind",
            "record",
            "source",
            "booked_amount",
            "provider_amount",
            "currency",
            "found_by",
            "resolved_at",
            "resolved_by",
            "note",
        ),
    ),
)
