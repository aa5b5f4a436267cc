"""Parameters of requests: forms with brackets, and the names that this peer knows. Whatever it does not know it refuses, as Stripe does."""

from __future__ import annotations

import re
import urllib.parse
from typing import Any

from payments.peer.faults import Refusal

_PART = re.compile(r"[^\[\]]+")
_LIST = {"limit": int, "starting_after": str, "ending_before": str, "expand": list, "created": dict}
_METADATA = {"metadata": dict, "expand": list}

# (method, path): names and kinds; those with an exclamation mark are needed. Nested names are checked by whoever reads them.
KNOWN: dict[tuple[str, str], dict[str, type]] = {
    ("POST", "/v1/payment_intents"): {
        **{"amount!": int, "currency!": str, "capture_method": str, "automatic_payment_methods": dict, "payment_method_types": list},
        **{"description": str, "transfer_group": str, "payment_method": str, "confirm": bool, "return_url": str},
        **_METADATA,
    },
    ("GET", "/v1/payment_intents"): _LIST,
    ("GET", "/v1/payment_intents/{id}"): {"expand": list, "client_secret": str},
    ("POST", "/v1/payment_intents/{id}"): {"description": str, **_METADATA},
    ("POST", "/v1/payment_intents/{id}/confirm"): {"payment_method": str, "client_secret": str, "return_url": str, "expand": list},
    ("POST", "/v1/payment_intents/{id}/capture"): {"amount_to_capture": int, **_METADATA},
    ("POST", "/v1/payment_intents/{id}/cancel"): {"cancellation_reason": str, "expand": list},
    ("GET", "/v1/charges"): {"payment_intent": str, **_LIST},
    ("GET", "/v1/charges/{id}"): {"expand": list},
    ("POST", "/v1/refunds"): {"payment_intent": str, "charge": str, "amount": int, "reason": str, **_METADATA},
    ("GET", "/v1/refunds"): {"payment_intent": str, "charge": str, **_LIST},
    ("GET", "/v1/refunds/{id}"): {"expand": list},
    ("GET", "/v1/disputes"): {"payment_intent": str, "charge": str, **_LIST},
    ("GET", "/v1/disputes/{id}"): {"expand": list},
    ("POST", "/v1/disputes/{id}"): {"evidence": dict, "submit": bool, **_METADATA},
    ("POST", "/v1/disputes/{id}/close"): {"expand": list},
    ("GET", "/v1/account"): {"expand": list},
    ("POST", "/v1/accounts"): {"type": str, "country": str, "capabilities": dict, "settings": dict, "email": str, **_METADATA},
    ("GET", "/v1/accounts/{id}"): {"expand": list},
    ("POST", "/v1/account_links"): {"account!": str, "type!": str, "return_url": str, "refresh_url": str, "expand": list},
    ("POST", "/v1/transfers"): {
        **{"amount!": int, "currency!": str, "destination!": str, "source_transaction": str, "transfer_group": str, "description": str},
        **_METADATA,
    },
    ("GET", "/v1/transfers"): {"destination": str, "transfer_group": str, **_LIST},
    ("GET", "/v1/transfers/{id}"): {"expand": list},
    ("POST", "/v1/transfers/{id}/reversals"): {"amount": int, "description": str, **_METADATA},
    ("GET", "/v1/transfers/{id}/reversals"): {name: kind for name, kind in _LIST.items() if name != "created"},
    ("GET", "/v1/balance"): {"expand": list},
    ("GET", "/v1/balance_transactions"): {"type": str, "source": str, **_LIST},
    ("GET", "/v1/balance_transactions/{id}"): {"expand": list},
    ("POST", "/v1/payouts"): {"amount!": int, "currency!": str, "description": str, **_METADATA},
    ("GET", "/v1/payouts"): {"status": str, **_LIST},
    ("GET", "/v1/payouts/{id}"): {"expand": list},
    ("GET", "/v1/events"): {"type": str, "types": list, **_LIST},
    ("GET", "/v1/events/{id}"): {"expand": list},
}


def parse(form: str) -> dict[str, Any]:
    """`a[b]=1&c[0]=2` as {"a": {"b": "1"}, "c": {"0": "2"}}."""
    found: dict[str, Any] = {}
    for name, value in urllib.parse.parse_qsl(form, keep_blank_values=True, max_num_fields=1_000):
        parts = _PART.findall(name) or [name]
        inner = found
        for part in parts[:-1]:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise Refusal("parameter_invalid", "Invalid object", param=name)
        inner[parts[-1]] = value
    return found


def checked(method: str, path: str, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a call, each of its kind.

    Raises:
        Refusal: a name that the call does not know, one that is missing, or a value of another kind.
    """
    known = KNOWN[method, path]
    kinds = {name.rstrip("!"): kind for name, kind in known.items()}
    for name in given:
        if name not in kinds:
            raise Refusal("parameter_unknown", f"Received unknown parameter: {name}", param=name)
    for name in known:
        if name.endswith("!") and given.get(name[:-1], "") == "":
            raise Refusal("parameter_missing", f"Missing required param: {name[:-1]}.", param=name[:-1])
    return {name: _read(name, value, kinds[name]) for name, value in given.items()}


def _read(name: str, value: Any, kind: type) -> Any:
    if kind is int:
        if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,15}", value):
            raise Refusal("parameter_invalid_integer", f"Invalid integer: {value}", param=name)
        return int(value)
    if kind is bool:
        if value not in ("true", "false"):
            raise Refusal("", f"Invalid boolean: {value}", param=name)
        return value == "true"
    if kind is list:
        return list(value.values()) if isinstance(value, dict) else [value]
    if kind is dict and not isinstance(value, dict):
        raise Refusal("", "Invalid object", param=name)
    if kind is str and not isinstance(value, str):
        raise Refusal("", "Invalid string", param=name)
    return value
