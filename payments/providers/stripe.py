"""Stripe by its own SDK, with separate charges and transfers (docs.stripe.com/connect/separate-charges-and-transfers).

Every call that changes something takes the key under which Stripe does it once. Retries are left to whoever calls: the SDK's own would keep
a worker waiting. Nothing about people goes to Stripe but ids of ours; what it needs to know of a mentor, the mentor tells Stripe itself.
"""

from __future__ import annotations

import datetime
import functools
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import stripe
from django.conf import settings

from core.money import Money
from core.signed_events import instant_in, mapping_in, parse_event, text_in
from payments.enums import CaptureMode, RefundReason
from payments.errors import ProviderAway, ProviderRefused
from payments.providers.amounts import from_stripe, payout_step, to_stripe
from payments.providers.base import (
    Account,
    Booking,
    Intent,
    IntentStatus,
    Notice,
    Outcome,
    Payout,
    ProviderDispute,
    Record,
    Refund,
    Transfer,
)

_TIMEOUT_SECONDS = 10
_PAGE = 100
# Signatures older or newer than this are refused (docs.stripe.com/webhooks#replay-attacks).
_TOLERANCE_SECONDS = 300

_INTENT_STATUS = {
    "requires_payment_method": IntentStatus.NEEDS_PAYER,
    "requires_confirmation": IntentStatus.NEEDS_PAYER,
    "requires_action": IntentStatus.NEEDS_PAYER,
    "processing": IntentStatus.PROCESSING,
    "requires_capture": IntentStatus.AUTHORISED,
    "succeeded": IntentStatus.SUCCEEDED,
    "canceled": IntentStatus.CANCELLED,
}
_REFUND_OUTCOME = {"succeeded": Outcome.DONE, "failed": Outcome.FAILED, "canceled": Outcome.FAILED}
_PAYOUT_OUTCOME = {"paid": Outcome.DONE, "failed": Outcome.FAILED, "canceled": Outcome.FAILED}
_REASONS = {RefundReason.DUPLICATE: "duplicate", RefundReason.FRAUD: "fraudulent", RefundReason.REQUESTED: "requested_by_customer"}
_DECIDED = ("won", "lost", "warning_closed", "prevented")

# How the object behind a booking is read, by the first part of its id.
_SOURCES: Mapping[str, Callable[[Any, str], Any]] = {
    "ch": lambda api, source: api.charges.retrieve(source),
    "py": lambda api, source: api.charges.retrieve(source),
    "re": lambda api, source: api.refunds.retrieve(source),
    "pyr": lambda api, source: api.refunds.retrieve(source),
    "tr": lambda api, source: api.transfers.retrieve(source),
}

Answer = TypeVar("Answer")


@functools.cache
def _client(key: str, base: str, version: str) -> stripe.StripeClient:
    http = stripe.RequestsClient(timeout=_TIMEOUT_SECONDS)
    return stripe.StripeClient(key, base_addresses={"api": base}, http_client=http, max_network_retries=0, stripe_version=version)


def asked(call: Callable[[Any], Answer]) -> Answer:
    """The answer to one call.

    Raises:
        ProviderAway: nobody knows whether it was done; ask again with the same key.
        ProviderRefused: it was understood and not done.
    """
    try:
        return call(_client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, stripe.api_version).v1)
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise ProviderAway from error
    except stripe.StripeError as error:
        status = error.http_status or 500
        if status >= 500 or status == 409 or isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
            raise ProviderAway from error
        raise ProviderRefused(reason=error.code or type(error).__name__) from error


def create_intent(*, money: Money, mode: CaptureMode, payment_id: str, subject_id: str, description: str, key: str) -> Intent:
    """Make an agreement to pay, which the payer then confirms with the secret that it holds."""
    params: Any = {
        "amount": to_stripe(money),
        "currency": money.currency.lower(),
        "capture_method": mode.value,
        "automatic_payment_methods": {"enabled": True},
        "description": description,
        "metadata": {"payment": payment_id, "subject": subject_id},
        "transfer_group": payment_id,
        "expand": ["latest_charge.balance_transaction"],
    }
    return _intent(asked(lambda api: api.payment_intents.create(params, {"idempotency_key": key})))


def read_intent(intent_id: str) -> Intent:
    """How an agreement to pay stands now."""
    params: Any = {"expand": ["latest_charge.balance_transaction"]}
    return _intent(asked(lambda api: api.payment_intents.retrieve(intent_id, params)))


def capture_intent(intent_id: str, *, money: Money, key: str) -> None:
    """Take what is reserved, or less; the rest is let go."""
    params: Any = {"amount_to_capture": to_stripe(money)}
    asked(lambda api: api.payment_intents.capture(intent_id, params, {"idempotency_key": key}))


def cancel_intent(intent_id: str, *, key: str) -> None:
    """Call off an agreement of which nothing was taken."""
    asked(lambda api: api.payment_intents.cancel(intent_id, {}, {"idempotency_key": key}))


def refund_intent(intent_id: str, *, money: Money, reason: str, movement_id: str, key: str) -> Refund:
    """Pay back a part of what was taken."""
    params: Any = {
        "payment_intent": intent_id,
        "amount": to_stripe(money),
        "metadata": {"movement": movement_id},
        "expand": ["balance_transaction", "failure_balance_transaction"],
    }
    known = _REASONS.get(RefundReason(reason))
    if known:
        params["reason"] = known
    return _refund(asked(lambda api: api.refunds.create(params, {"idempotency_key": key})))


def refunds_of(intent_id: str) -> list[Refund]:
    """All refunds of an agreement to pay, oldest first."""
    params: Any = {
        "payment_intent": intent_id,
        "limit": _PAGE,
        "expand": ["data.balance_transaction", "data.failure_balance_transaction"],
    }
    rows = [_refund(row) for row in _all(asked(lambda api: api.refunds.list(params)))]
    return sorted(rows, key=lambda row: (row.created_at, row.id))


def disputes_of(intent_id: str) -> list[ProviderDispute]:
    """All disputes about an agreement to pay, oldest first."""
    params: Any = {"payment_intent": intent_id, "limit": _PAGE}
    rows = [_dispute(row) for row in _all(asked(lambda api: api.disputes.list(params)))]
    return sorted(rows, key=lambda row: (row.created_at, row.id))


def transfer(*, money: Money, account_id: str, charge_id: str, payment_id: str, movement_id: str, key: str) -> Transfer:
    """Send a part of a charge to a mentor's account, as soon as the charge itself is settled."""
    params: Any = {
        "amount": to_stripe(money),
        "currency": money.currency.lower(),
        "destination": account_id,
        "source_transaction": charge_id,
        "transfer_group": payment_id,
        "metadata": {"movement": movement_id},
        "expand": ["balance_transaction"],
    }
    return _transfer(asked(lambda api: api.transfers.create(params, {"idempotency_key": key})))


def reverse_transfer(transfer_id: str, *, money: Money, movement_id: str, key: str) -> Transfer:
    """Take a part of a transfer back from the mentor's account."""
    params: Any = {"amount": to_stripe(money), "metadata": {"movement": movement_id}, "expand": ["balance_transaction"]}
    return _transfer(asked(lambda api: api.transfers.reversals.create(transfer_id, params, {"idempotency_key": key})))


def create_account(*, country: str, person_id: str, key: str) -> Account:
    """Make a mentor's Express account, which receives transfers and pays out when it is told to."""
    params: Any = {
        "type": "express",
        "country": country,
        "capabilities": {"transfers": {"requested": True}},
        "settings": {"payouts": {"schedule": {"interval": "manual"}}},
        "metadata": {"person": person_id},
    }
    return _account(asked(lambda api: api.accounts.create(params, {"idempotency_key": key})))


def read_account(account_id: str) -> Account:
    return _account(asked(lambda api: api.accounts.retrieve(account_id)))


def onboarding_url(account_id: str, *, return_url: str, refresh_url: str) -> str:
    """Where the mentor tells the provider what it wants to know; good once, for some minutes."""
    params: Any = {"account": account_id, "type": "account_onboarding", "return_url": return_url, "refresh_url": refresh_url}
    return str(asked(lambda api: api.account_links.create(params)).url)


def payable_balances(account_id: str) -> list[Money]:
    """What can be paid out of a mentor's account now, in amounts that their banks take."""
    balance = asked(lambda api: api.balance.retrieve({}, {"stripe_account": account_id}))
    amounts = [from_stripe(row.amount, row.currency) for row in balance.available]
    steps = [Money(amount.amount // payout_step(amount.currency) * payout_step(amount.currency), amount.currency) for amount in amounts]
    return [amount for amount in steps if amount.amount > 0]


def pay_out(*, money: Money, account_id: str, movement_id: str, key: str) -> Payout:
    """Send money of a mentor's account to their bank."""
    params: Any = {"amount": to_stripe(money), "currency": money.currency.lower(), "metadata": {"movement": movement_id}}
    options: Any = {"idempotency_key": key, "stripe_account": account_id}
    return _payout(asked(lambda api: api.payouts.create(params, options)))


def read_payout(payout_id: str, *, account_id: str) -> Payout:
    return _payout(asked(lambda api: api.payouts.retrieve(payout_id, {}, {"stripe_account": account_id})))


def records_between(since: datetime.datetime, until: datetime.datetime) -> Iterator[Record]:
    """The provider's own bookings of our balance, page by page, newest first."""
    created: Any = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
    params: Any = {"created": created, "limit": _PAGE}
    for row in _all(asked(lambda api: api.balance_transactions.list(params))):
        yield _record(row)


def read_record(record: str) -> Record:
    """One of the provider's bookings."""
    return _record(asked(lambda api: api.balance_transactions.retrieve(record)))


def owner_of(source: str) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    """The payment and the movement of ours that the object behind a booking names."""
    reader = _SOURCES.get(source.partition("_")[0])
    if reader is None:
        return None, None
    thing = asked(lambda api: reader(api, source))
    return _id(_meta(thing, "payment")), _id(_meta(thing, "movement"))


def notices_since(instant: datetime.datetime) -> Iterator[Notice]:
    """Events of the platform's account since then, newest first; Stripe keeps them for thirty days."""
    params: Any = {"created": {"gte": int(instant.timestamp())}, "limit": _PAGE}
    for row in _all(asked(lambda api: api.events.list(params))):
        yield _notice(row.to_dict())


def read_notice(body: bytes, signature: str) -> Notice | None:
    """An event as Stripe sent it; None where the signature is not Stripe's, is old, or the mode is not ours.

    Raises:
        UnreadableEvent: Stripe signed something that is no event.
    """
    if not any(_is_signed(body, signature, secret) for secret in settings.STRIPE_WEBHOOK_SECRETS):
        return None
    event = parse_event(body)
    return _notice(event) if event.get("livemode") is settings.STRIPE_IS_LIVE else None


def _is_signed(body: bytes, signature: str, secret: str) -> bool:
    if not signature.isascii():
        # Signatures can be compared as ASCII alone.
        return False
    try:
        stripe.WebhookSignature.verify_header(body.decode(), signature, secret, _TOLERANCE_SECONDS)  # type: ignore[no-untyped-call]  # not in the SDK's types
    except (ValueError, stripe.SignatureVerificationError):
        return False
    return True


def _all(page: Any) -> Iterator[Any]:
    """Every row of a list, further pages as they are needed."""
    while True:
        yield from page.data
        if not page.has_more:
            return
        current = page
        page = asked(lambda _, current=current: current.next_page())  # type: ignore[misc]  # a default of a lambda has no type


def _intent(row: Any) -> Intent:
    charge = row.latest_charge if row.latest_charge and not isinstance(row.latest_charge, str) else None
    error = row.last_payment_error
    return Intent(
        id=row.id,
        status=_INTENT_STATUS[row.status],
        amount=from_stripe(row.amount, row.currency),
        captured=from_stripe(row.amount_received, row.currency),
        charge_id=charge.id if charge else "",
        client_secret=row.client_secret or "",
        failure_code=(getattr(error, "decline_code", "") or getattr(error, "code", "") or "failed") if error else "",
        payment_id=_meta(row, "payment"),
        booking=_booking(charge.balance_transaction if charge else None),
    )


def _refund(row: Any) -> Refund:
    return Refund(
        id=row.id,
        amount=from_stripe(row.amount, row.currency),
        outcome=_REFUND_OUTCOME.get(row.status, Outcome.UNDER_WAY),
        failure_code=getattr(row, "failure_reason", "") or "",
        movement_id=_meta(row, "movement"),
        created_at=_instant(row.created),
        booking=_booking(row.balance_transaction),
        returned=_booking(getattr(row, "failure_balance_transaction", None)),
    )


def _dispute(row: Any) -> ProviderDispute:
    bookings = [_booking(each) for each in row.balance_transactions]
    due = row.evidence_details.due_by if row.evidence_details else None
    return ProviderDispute(
        id=row.id,
        amount=from_stripe(row.amount, row.currency),
        reason=row.reason,
        is_open=row.status not in _DECIDED,
        is_won=row.status in ("won", "warning_closed", "prevented"),
        created_at=_instant(row.created),
        evidence_due_at=_instant(due) if due else None,
        taken=next((each for each in bookings if each and each.amount.amount < 0), None),
        given_back=next((each for each in bookings if each and each.amount.amount > 0), None),
    )


def _transfer(row: Any) -> Transfer:
    booking = _booking(row.balance_transaction)
    if booking is None:
        # Stripe books a transfer when it makes it.
        raise ProviderAway
    return Transfer(row.id, from_stripe(row.amount, row.currency), booking)


def _payout(row: Any) -> Payout:
    return Payout(row.id, _PAYOUT_OUTCOME.get(row.status, Outcome.UNDER_WAY), row.failure_code or "")


def _account(row: Any) -> Account:
    requirements, capabilities = row.requirements, row.capabilities
    missing = [*(requirements.currently_due or ()), *(requirements.past_due or ())] if requirements else []
    return Account(
        id=row.id,
        is_submitted=bool(row.details_submitted),
        can_receive=bool(capabilities) and getattr(capabilities, "transfers", "") == "active",
        can_pay_out=bool(row.payouts_enabled),
        missing=tuple(dict.fromkeys(missing)),
        disabled_reason=(requirements.disabled_reason or "") if requirements else "",
    )


def _record(row: Any) -> Record:
    source = row.source if isinstance(row.source, str) else getattr(row.source, "id", "")
    return Record(row.id, row.type, source or "", from_stripe(row.net, row.currency), _instant(row.created))


def _booking(row: Any) -> Booking | None:
    if row is None or isinstance(row, str):
        return None
    return Booking(row.id, from_stripe(row.amount, row.currency), from_stripe(row.fee, row.currency))


def _notice(event: Mapping[str, Any]) -> Notice:
    """Only names are taken out of an event: what it is about is asked for when it is processed.

    Raises:
        UnreadableEvent: it is not of the form of Stripe's events.
    """
    thing = mapping_in(mapping_in(event, "data"), "object")
    kind = text_in(thing, "object", longest=60, is_required=False)
    holder, name = (thing, "id") if kind == "payment_intent" else (thing, "payment_intent")
    if isinstance(holder.get(name), Mapping):
        holder, name = holder[name], "id"
    return Notice(
        id=text_in(event, "id", longest=80),
        kind=text_in(event, "type", longest=100),
        account=text_in(event, "account", longest=80, is_required=False),
        object_kind=kind,
        object_id=text_in(thing, "id", longest=120, is_required=False),
        intent_id=text_in(holder, name, longest=80, is_required=False),
        happened_at=instant_in(event, "created"),
    )


def _meta(row: Any, name: str) -> str:
    metadata = row.metadata.to_dict() if row.metadata else {}
    return str(metadata.get(name, ""))


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _instant(seconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
