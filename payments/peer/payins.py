"""Money that comes in, and goes back: agreements to pay, charges, refunds, disputes."""

from __future__ import annotations

from typing import Any

from payments.peer import shapes
from payments.peer.engine import Call, Peer, route
from payments.peer.faults import Refusal
from payments.peer.store import Thing

_DAY = 86_400
_AUTHORISED_DAYS = 7
_WHOLE = ("isk", "ugx")
_THREE_DECIMALS = ("bhd", "jod", "kwd", "omr", "tnd")
_DISPUTE_FEE = 1_500
# What becomes of a card (docs.stripe.com/testing): numbers as a person types them, and the names that the API knows them by.
CARDS: dict[str, tuple[str, str]] = {
    "4242424242424242": ("pm_card_visa", "is paid"),
    "4000000000000002": ("pm_card_visa_chargeDeclined", "is declined"),
    "4000000000009995": ("pm_card_visa_chargeDeclinedInsufficientFunds", "is declined: not enough money"),
    "4000002760003184": ("pm_card_authenticationRequired", "asks the payer to prove who they are"),
    "4000000000000259": ("pm_card_createDispute", "is paid, and disputed at once"),
    "4000000000005126": ("pm_card_refundFail", "is paid; refunds fail later"),
    "4000000000007726": ("pm_card_pendingRefund", "is paid; refunds take time"),
}
_DECLINES = {
    "pm_card_visa_chargeDeclined": "generic_decline",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "insufficient_funds",
}
_METHODS = {name for name, _ in CARDS.values()}


@route("POST", "/v1/payment_intents")
def create_intent(peer: Peer, call: Call) -> Thing:
    _require_amount(call.given["amount"], call.given["currency"])
    if call.given.get("capture_method", "automatic") not in ("automatic", "automatic_async", "manual"):
        raise Refusal("", "Invalid capture_method", param="capture_method")
    intent = peer.store.put(shapes.intent(peer.store.new_id("pi"), peer.now(), call.given))
    peer.tell("payment_intent.created", intent)
    if call.given.get("payment_method"):
        intent["payment_method"], intent["status"] = call.given["payment_method"], "requires_confirmation"
    if call.given.get("confirm"):
        _confirm(peer, intent)
    return intent


@route("GET", "/v1/payment_intents")
def list_intents(peer: Peer, call: Call) -> Thing:
    return peer.listed(peer.store.of("payment_intent"), call, "/v1/payment_intents")


@route("GET", "/v1/payment_intents/{id}")
def read_intent(peer: Peer, call: Call) -> Thing:
    return peer.find(call.key, "payment_intent", param="intent")


@route("POST", "/v1/payment_intents/{id}")
def update_intent(peer: Peer, call: Call) -> Thing:
    intent = peer.find(call.key, "payment_intent", param="intent")
    intent["metadata"] |= call.given.get("metadata", {})
    intent["description"] = call.given.get("description", intent["description"])
    return peer.store.put(intent)


@route("POST", "/v1/payment_intents/{id}/confirm")
def confirm_intent(peer: Peer, call: Call) -> Thing:
    intent = peer.find(call.key, "payment_intent", param="intent")
    _require_status(intent, "confirm", ("requires_payment_method", "requires_confirmation"))
    intent["payment_method"] = call.given.get("payment_method") or intent["payment_method"]
    if intent["payment_method"] is None:
        raise Refusal("payment_intent_unexpected_state", "You cannot confirm this PaymentIntent because it's missing a payment method.")
    return _confirm(peer, intent)


@route("POST", "/v1/payment_intents/{id}/capture")
def capture_intent(peer: Peer, call: Call) -> Thing:
    intent = peer.find(call.key, "payment_intent", param="intent")
    _require_status(intent, "capture", ("requires_capture",))
    most: int = intent["amount_capturable"]
    amount: int = call.given.get("amount_to_capture", most)
    if not 0 < amount <= most:
        raise Refusal("amount_too_large", "The amount to capture is more than what is authorized.", param="amount_to_capture")
    _require_amount(amount, intent["currency"])
    charge = peer.find(intent["latest_charge"], "charge")
    _take(peer, intent, charge, amount)
    return intent


@route("POST", "/v1/payment_intents/{id}/cancel")
def cancel_intent(peer: Peer, call: Call) -> Thing:
    intent = peer.find(call.key, "payment_intent", param="intent")
    _require_status(intent, "cancel", ("requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"))
    return _cancel(peer, intent, call.given.get("cancellation_reason"))


@route("GET", "/v1/charges")
def list_charges(peer: Peer, call: Call) -> Thing:
    rows = (row for row in _own(peer, "charge") if call.given.get("payment_intent", row["payment_intent"]) == row["payment_intent"])
    return peer.listed(rows, call, "/v1/charges")


@route("GET", "/v1/charges/{id}")
def read_charge(peer: Peer, call: Call) -> Thing:
    return peer.find(call.key, "charge", account=call.account, param="charge")


@route("POST", "/v1/refunds")
def create_refund(peer: Peer, call: Call) -> Thing:
    charge = _charge_of(peer, call.given)
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = call.given.get("amount", left)
    if not charge["captured"]:
        raise Refusal("charge_not_refundable", "This charge has not been captured. Cancel its PaymentIntent.")
    if charge["disputed"]:
        raise Refusal("charge_disputed", f"Charge {charge['id']} has been charged back; cannot issue a refund.")
    if left == 0:
        raise Refusal("charge_already_refunded", f"Charge {charge['id']} has already been refunded.")
    if not 0 < amount <= left:
        raise Refusal("amount_too_large", f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount")
    _require_whole(amount, charge["currency"])
    refund = peer.store.put(shapes.refund(peer.store.new_id("re"), peer.now(), charge, amount, call.given))
    refund["balance_transaction"] = book(peer, "refund", amount=-amount, currency=charge["currency"], source=refund["id"])["id"]
    if charge["payment_method"] in ("pm_card_refundFail", "pm_card_pendingRefund"):
        refund["status"] = "pending"
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    peer.store.put(charge)
    peer.tell("refund.created", refund)
    peer.tell("charge.refunded", charge)
    return refund


@route("GET", "/v1/refunds")
def list_refunds(peer: Peer, call: Call) -> Thing:
    return peer.listed(_of_payment(peer, "refund", call.given), call, "/v1/refunds")


@route("GET", "/v1/refunds/{id}")
def read_refund(peer: Peer, call: Call) -> Thing:
    return peer.find(call.key, "refund")


@route("GET", "/v1/disputes")
def list_disputes(peer: Peer, call: Call) -> Thing:
    return peer.listed(_of_payment(peer, "dispute", call.given), call, "/v1/disputes")


@route("GET", "/v1/disputes/{id}")
def read_dispute(peer: Peer, call: Call) -> Thing:
    return peer.find(call.key, "dispute")


@route("POST", "/v1/disputes/{id}")
def update_dispute(peer: Peer, call: Call) -> Thing:
    """Evidence that says `winning_evidence` or `losing_evidence` decides, as in Stripe's test mode."""
    dispute = peer.find(call.key, "dispute")
    _require_open(dispute)
    dispute["evidence"] |= call.given.get("evidence", {})
    text = str(dispute["evidence"]["uncategorized_text"])
    if text in ("winning_evidence", "losing_evidence"):
        decide(peer, dispute, is_won=text == "winning_evidence")
    return peer.store.put(dispute)


@route("POST", "/v1/disputes/{id}/close")
def close_dispute(peer: Peer, call: Call) -> Thing:
    dispute = peer.find(call.key, "dispute")
    _require_open(dispute)
    decide(peer, dispute, is_won=False)
    return dispute


def authenticate(peer: Peer, intent: Thing, *, is_proven: bool) -> None:
    """The payer has proved who they are, or has not."""
    if intent["status"] != "requires_action":
        return
    intent["next_action"] = None
    if is_proven:
        _authorise(peer, intent)
    else:
        _decline(peer, intent, "payment_intent_authentication_failure", "")


def open_dispute(peer: Peer, charge: Thing, *, amount: int | None = None, reason: str = "fraudulent") -> Thing:
    """The payer's bank disputes a charge, or a part of it, and takes it back for the time being."""
    left = charge["amount_captured"] - charge["amount_refunded"]
    dispute = peer.store.put(shapes.dispute(peer.store.new_id("dp"), peer.now(), charge, amount or left, reason))
    taken = book(
        peer,
        "adjustment",
        amount=-dispute["amount"],
        fee=_DISPUTE_FEE,
        currency=charge["currency"],
        source=dispute["id"],
        category="dispute",
    )
    dispute["balance_transactions"].append(shapes.shown(taken))
    charge["disputed"] = True
    peer.store.put(charge)
    peer.tell("charge.dispute.created", dispute)
    peer.tell("charge.dispute.funds_withdrawn", dispute)
    return dispute


def decide(peer: Peer, dispute: Thing, *, is_won: bool) -> None:
    """The payer's bank decides."""
    dispute["status"] = "won" if is_won else "lost"
    if is_won:
        given_back = book(
            peer, "adjustment", amount=dispute["amount"], currency=dispute["currency"], source=dispute["id"], category="dispute_reversal"
        )
        dispute["balance_transactions"].append(shapes.shown(given_back))
        charge = peer.find(dispute["charge"], "charge")
        charge["disputed"] = False
        peer.store.put(charge)
        peer.tell("charge.dispute.funds_reinstated", dispute)
    peer.store.put(dispute)
    peer.tell("charge.dispute.closed", dispute)


def end_refund(peer: Peer, refund: Thing, *, is_paid: bool) -> None:
    """A refund that takes time arrives, or comes back."""
    if refund["status"] != "pending":
        return
    refund["status"] = "succeeded" if is_paid else "failed"
    if not is_paid:
        refund["failure_reason"] = "expired_or_canceled_card"
        back = book(peer, "refund_failure", amount=refund["amount"], currency=refund["currency"], source=refund["id"])
        refund["failure_balance_transaction"] = back["id"]
        charge = peer.find(refund["charge"], "charge")
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = False
        peer.store.put(charge)
        peer.tell("refund.failed", refund)
    peer.store.put(refund)
    peer.tell("refund.updated", refund)


@route("PEER", "expire")
def expire(peer: Peer, call: Call) -> Thing:
    """What was reserved for a week is let go."""
    for intent in peer.store.of("payment_intent"):
        if intent["status"] == "requires_capture" and intent["created"] + _AUTHORISED_DAYS * _DAY <= peer.now():
            _cancel(peer, intent, "automatic")
    return {"id": "", "object": "nothing"}


def book(peer: Peer, kind: str, **given: Any) -> Thing:
    """A line in the books of the platform, or of `account`."""
    return peer.store.put(shapes.booking(peer.store.new_id("txn"), peer.now(), kind, given))


def _confirm(peer: Peer, intent: Thing) -> Thing:
    method = intent["payment_method"]
    if method not in _METHODS:
        raise Refusal("resource_missing", f"No such PaymentMethod: '{method}'", param="payment_method")
    if method in _DECLINES:
        _decline(peer, intent, "card_declined", _DECLINES[method])
        error = intent["last_payment_error"]
        more = {"decline_code": error["decline_code"], "payment_intent": shapes.shown(intent)}
        raise Refusal("card_declined", error["message"], status=402, kind="card_error", **more)
    if method == "pm_card_authenticationRequired":
        url = f"/pay/{intent['client_secret']}"
        intent["status"], intent["next_action"] = (
            "requires_action",
            {"type": "redirect_to_url", "redirect_to_url": {"return_url": None, "url": url}},
        )
        peer.store.put(intent)
        peer.tell("payment_intent.requires_action", intent)
        return intent
    _authorise(peer, intent)
    return intent


def _authorise(peer: Peer, intent: Thing) -> None:
    charge = peer.store.put(shapes.charge(peer.store.new_id("ch"), peer.now(), intent, intent["payment_method"]))
    intent["latest_charge"], intent["last_payment_error"] = charge["id"], None
    if intent["capture_method"] == "manual":
        intent["status"], intent["amount_capturable"] = "requires_capture", intent["amount"]
        peer.store.put(intent)
        peer.tell("payment_intent.amount_capturable_updated", intent)
        return
    _take(peer, intent, charge, intent["amount"])
    if intent["payment_method"] == "pm_card_createDispute":
        open_dispute(peer, charge)


def _take(peer: Peer, intent: Thing, charge: Thing, amount: int) -> None:
    currency = charge["currency"]
    fee = amount * 29 // 1_000 + 30
    if currency in _WHOLE:
        fee = fee // 100 * 100
    booked = book(peer, "charge", amount=amount, fee=fee, currency=currency, source=charge["id"], available_on=peer.now() + 2 * _DAY)
    charge["balance_transaction"], charge["captured"], charge["amount_captured"] = booked["id"], True, amount
    intent["status"], intent["amount_received"], intent["amount_capturable"] = "succeeded", amount, 0
    peer.store.put(charge)
    peer.store.put(intent)
    peer.tell("charge.succeeded" if intent["capture_method"] != "manual" else "charge.captured", charge)
    peer.tell("payment_intent.succeeded", intent)


def _decline(peer: Peer, intent: Thing, code: str, decline: str) -> None:
    message = "Your card was declined." if decline else "We are unable to authenticate your payment method."
    error = {"type": "card_error", "code": code, "message": message, "doc_url": f"https://stripe.com/docs/error-codes/{code}"}
    intent["last_payment_error"] = error | ({"decline_code": decline} if decline else {})
    intent["status"], intent["payment_method"] = "requires_payment_method", None
    peer.store.put(intent)
    peer.tell("payment_intent.payment_failed", intent)


def _cancel(peer: Peer, intent: Thing, reason: str | None) -> Thing:
    intent["status"], intent["canceled_at"], intent["cancellation_reason"] = "canceled", peer.now(), reason
    intent["amount_capturable"] = 0
    peer.store.put(intent)
    peer.tell("payment_intent.canceled", intent)
    return intent


def _charge_of(peer: Peer, given: dict[str, Any]) -> Thing:
    if given.get("charge"):
        return peer.find(given["charge"], "charge", param="charge")
    if not given.get("payment_intent"):
        raise Refusal("parameter_missing", "One of the following params should be provided for this request: payment_intent or charge.")
    intent = peer.find(given["payment_intent"], "payment_intent", param="payment_intent")
    if intent["latest_charge"] is None:
        raise Refusal("charge_not_refundable", "This PaymentIntent does not have a successful charge to refund.")
    return peer.find(intent["latest_charge"], "charge")


def _of_payment(peer: Peer, kind: str, given: dict[str, Any]) -> list[Thing]:
    wanted = {name: given[name] for name in ("payment_intent", "charge") if given.get(name)}
    return [row for row in peer.store.of(kind) if all(row[name] == value for name, value in wanted.items())]


def _own(peer: Peer, kind: str) -> list[Thing]:
    return [row for row in peer.store.of(kind) if not row.get("of_account")]


def _require_status(intent: Thing, verb: str, allowed: tuple[str, ...]) -> None:
    if intent["status"] not in allowed:
        message = f"This PaymentIntent could not be {verb}ed because it has a status of {intent['status']}."
        raise Refusal("payment_intent_unexpected_state", message, payment_intent=shapes.shown(intent))


def _require_open(dispute: Thing) -> None:
    if dispute["status"] != "needs_response":
        raise Refusal("", "This dispute is closed.")


def _require_amount(amount: int, currency: str) -> None:
    least = 50
    if amount < least:
        raise Refusal("amount_too_small", "The amount is less than the minimum that can be charged.", param="amount")
    if amount > 99_999_999:
        raise Refusal("amount_too_large", "Amount must be no more than 99999999", param="amount")
    _require_whole(amount, currency)


def _require_whole(amount: int, currency: str) -> None:
    if not (isinstance(currency, str) and len(currency) == 3 and currency.islower()):
        raise Refusal("", f"Invalid currency: {currency}", param="currency")
    if (currency in _WHOLE and amount % 100) or (currency in _THREE_DECIMALS and amount % 10):
        raise Refusal("parameter_invalid_integer", "Invalid integer: the currency has no such fractions.", param="amount")
