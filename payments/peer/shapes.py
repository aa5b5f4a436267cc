"""Objects as Stripe's API gives them, with the members that Soosh or dj-stripe read and those that the schema asks for."""

from __future__ import annotations

from typing import Any

_NO_CONDITIONS: dict[str, Any] = {
    **{"alternatives": [], "current_deadline": None, "currently_due": [], "disabled_reason": None, "errors": [], "eventually_due": []},
    **{"past_due": [], "pending_verification": []},
}
_ASKED = ["business_profile.product_description", "external_account", "individual.verification.document", "tos_acceptance.date"]
CATEGORIES = {
    **{
        "charge": "charge",
        "refund": "refund",
        "refund_failure": "refund_failure",
        "transfer": "transfer",
        "transfer_refund": "transfer_reversal",
    },
    **{"payment": "charge", "payment_refund": "refund", "payout": "payout", "payout_failure": "payout_reversal"},
}


def intent(key: str, now: int, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": key,
        "object": "payment_intent",
        "amount": given["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True} if "automatic_payment_methods" in given else None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": given.get("capture_method", "automatic"),
        "client_secret": f"{key}_secret_peer",
        "confirmation_method": "automatic",
        "created": now,
        "currency": given["currency"],
        "customer": None,
        "customer_account": None,
        "description": given.get("description"),
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": given.get("transfer_group"),
    }


def charge(key: str, now: int, of: dict[str, Any], card: str) -> dict[str, Any]:
    nothing = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {
        "id": key,
        "object": "charge",
        "amount": of["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": {"address": nothing, "email": None, "name": None, "phone": None, "tax_id": None},
        "calculated_statement_descriptor": "PEER",
        "captured": False,
        "created": now,
        "currency": of["currency"],
        "customer": None,
        "description": of["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(of["metadata"]),
        "on_behalf_of": None,
        "outcome": None,
        "paid": True,
        "payment_intent": of["id"],
        "payment_method": card,
        "payment_method_details": None,
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded",
        "transfer_group": of["transfer_group"],
    }


def destination_payment(key: str, now: int, transfer: dict[str, Any]) -> dict[str, Any]:
    """The other end of a transfer, in the mentor's account."""
    of = {
        **{"id": None, "amount": transfer["amount"], "currency": transfer["currency"], "description": None},
        "metadata": {},
        "transfer_group": None,
    }
    return charge(key, now, of, "") | {
        **{"amount_captured": transfer["amount"], "captured": True, "payment_method": None, "source_transfer": transfer["id"]},
        "of_account": transfer["destination"],
    }


def refund(key: str, now: int, of: dict[str, Any], amount: int, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": key,
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": of["id"],
        "created": now,
        "currency": of["currency"],
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": given.get("metadata", {}),
        "payment_intent": of["payment_intent"],
        "reason": given.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def dispute(key: str, now: int, of: dict[str, Any], amount: int, reason: str) -> dict[str, Any]:
    return {
        "id": key,
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": of["id"],
        "created": now,
        "currency": of["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(_EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            **{"due_by": now + 9 * 86_400, "enhanced_eligibility": {}, "has_evidence": False, "past_due": False, "submission_count": 0}
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": of["payment_intent"],
        "reason": reason,
        "status": "needs_response",
    }


def booking(key: str, now: int, kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """A balance transaction; `category` differs from the kind for disputes."""
    fee = given.get("fee", 0)
    details = [{"amount": fee, "application": None, "currency": given["currency"], "description": "Fees of the peer", "type": "stripe_fee"}]
    return {
        "id": key,
        "object": "balance_transaction",
        "amount": given["amount"],
        "available_on": given.get("available_on", now),
        "balance_type": "payments",
        "created": now,
        "currency": given["currency"],
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": details if fee else [],
        "net": given["amount"] - fee,
        "reporting_category": given.get("category") or CATEGORIES[kind],
        "source": given["source"],
        "status": "available",
        "type": kind,
        "of_account": given.get("account", ""),
    }


def account(key: str, now: int, given: dict[str, Any], is_platform: bool = False) -> dict[str, Any]:
    return {
        "id": key,
        "object": "account",
        "business_profile": None,
        "business_type": None,
        "capabilities": {"card_payments": "active"} if is_platform else {"transfers": "inactive"},
        "charges_enabled": is_platform,
        "country": given.get("country", "US"),
        "created": now,
        "default_currency": "usd",
        "details_submitted": is_platform,
        "email": None,
        "external_accounts": {"object": "list", "data": [], "has_more": False, "url": f"/v1/accounts/{key}/external_accounts"},
        "future_requirements": dict(_NO_CONDITIONS),
        "metadata": given.get("metadata", {}),
        "payouts_enabled": is_platform,
        "requirements": _NO_CONDITIONS
        | ({} if is_platform else {"currently_due": list(_ASKED), "disabled_reason": "requirements.past_due", "past_due": list(_ASKED)}),
        "settings": None,
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": "standard" if is_platform else given.get("type", "standard"),
    }


def onboarded() -> dict[str, Any]:
    """What changes in an account when the form was filled in."""
    return {
        **{"details_submitted": True, "payouts_enabled": True, "capabilities": {"transfers": "active"}},
        "requirements": dict(_NO_CONDITIONS),
    }


def transfer(key: str, now: int, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": key,
        "object": "transfer",
        "amount": given["amount"],
        "amount_reversed": 0,
        "balance_transaction": None,
        "created": now,
        "currency": given["currency"],
        "description": given.get("description"),
        "destination": given["destination"],
        "destination_payment": None,
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "reversals": {"object": "list", "data": [], "has_more": False, "url": f"/v1/transfers/{key}/reversals"},
        "reversed": False,
        "source_transaction": given.get("source_transaction"),
        "source_type": "card",
        "transfer_group": given.get("transfer_group"),
    }


def reversal(key: str, now: int, of: dict[str, Any], amount: int, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": key,
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": None,
        "created": now,
        "currency": of["currency"],
        "destination_payment_refund": None,
        "metadata": given.get("metadata", {}),
        "source_refund": None,
        "transfer": of["id"],
    }


def payout(key: str, now: int, given: dict[str, Any], account: str) -> dict[str, Any]:
    return {
        "id": key,
        "object": "payout",
        "amount": given["amount"],
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": now + 2 * 86_400,
        "automatic": False,
        "balance_transaction": None,
        "created": now,
        "currency": given["currency"],
        "description": given.get("description"),
        "destination": "ba_peer",
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "pending",
        "trace_id": None,
        "type": "bank_account",
        "of_account": account,
    }


def event(key: str, now: int, kind: str, thing: dict[str, Any], version: str) -> dict[str, Any]:
    account = thing.get("of_account")
    return {
        "id": key,
        "object": "event",
        "api_version": version,
        "created": now,
        "data": {"object": shown(thing)},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    } | ({"account": account} if account else {})


def shown(thing: dict[str, Any]) -> dict[str, Any]:
    """An object as clients see it: without what the peer alone knows."""
    return {name: value for name, value in thing.items() if name != "of_account"}


_EVIDENCE_NAMES = """
access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal customer_communication
customer_email_address customer_name customer_purchase_ip customer_signature duplicate_charge_documentation duplicate_charge_explanation
duplicate_charge_id product_description receipt refund_policy refund_policy_disclosure refund_refusal_explanation service_date
service_documentation shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number uncategorized_file
uncategorized_text
"""
_EVIDENCE = _EVIDENCE_NAMES.split()
