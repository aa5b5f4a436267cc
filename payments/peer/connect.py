"""Mentors' accounts: onboarding, transfers and their reversals, payouts, balances, and the books."""

from __future__ import annotations

from collections import Counter

from payments.peer import NOTE, shapes
from payments.peer.engine import Call, Peer, route
from payments.peer.faults import Refusal
from payments.peer.payins import book
from payments.peer.store import Thing

# Where Stripe pays out to Express accounts, shortened to what tests and demos ask for.
_COUNTRIES = """
AE AT AU BE BG BR CA CH CY CZ DE DK EE ES FI FR GB GH GI GR HK HR HU IE IN IT JP KE LI LT LU LV MT MX MY NG NL NO NZ PL PT RO SE SG SI SK
TH US ZA
"""
COUNTRIES = frozenset(_COUNTRIES.split())


@route("GET", "/v1/account")
def read_own_account(peer: Peer, call: Call) -> Thing:
    return peer.find(call.account, "account") if call.account else peer.platform


@route("POST", "/v1/accounts")
def create_account(peer: Peer, call: Call) -> Thing:
    if call.given.get("country", "US") not in COUNTRIES:
        raise Refusal("country_unsupported", f"{call.given['country']} is not currently supported.", param="country")
    account = peer.store.put(shapes.account(peer.store.new_id("acct"), peer.now(), call.given))
    peer.tell("account.updated", account)
    return account


@route("GET", "/v1/accounts/{id}")
def read_account(peer: Peer, call: Call) -> Thing:
    return peer.find(call.key, "account", param="account")


@route("POST", "/v1/account_links")
def create_account_link(peer: Peer, call: Call) -> Thing:
    account = peer.find(call.given["account"], "account", param="account")
    return {
        "object": "account_link",
        "created": peer.now(),
        "expires_at": peer.now() + 300,
        "url": f"{peer.site}/onboarding/{account['id']}",
    }


@route("POST", "/v1/transfers")
def create_transfer(peer: Peer, call: Call) -> Thing:
    given = call.given
    destination = peer.find(given["destination"], "account", param="destination")
    if destination["capabilities"].get("transfers") != "active":
        raise Refusal("insufficient_capabilities_for_transfer", "Your destination account needs to have the transfers capability enabled.")
    if given["amount"] <= 0:
        raise Refusal("parameter_invalid_integer", "This value must be greater than or equal to 1.", param="amount")
    available_on = _source_of(peer, call)
    transfer = peer.store.put(shapes.transfer(peer.store.new_id("tr"), peer.now(), given))
    amount, currency = given["amount"], given["currency"]
    transfer["balance_transaction"] = book(peer, "transfer", amount=-amount, currency=currency, source=transfer["id"])["id"]
    arrived = peer.store.put(shapes.destination_payment(peer.store.new_id("py"), peer.now(), transfer))
    more = {"account": destination["id"], "available_on": available_on}
    arrived["balance_transaction"] = book(peer, "payment", amount=amount, currency=currency, source=arrived["id"], **more)["id"]
    transfer["destination_payment"] = arrived["id"]
    peer.tell("transfer.created", transfer)
    return transfer


@route("GET", "/v1/transfers")
def list_transfers(peer: Peer, call: Call) -> Thing:
    wanted = {name: call.given[name] for name in ("destination", "transfer_group") if call.given.get(name)}
    rows = (row for row in peer.store.of("transfer") if all(row[name] == value for name, value in wanted.items()))
    return peer.listed(rows, call, "/v1/transfers")


@route("GET", "/v1/transfers/{id}")
def read_transfer(peer: Peer, call: Call) -> Thing:
    return peer.find(call.key, "transfer")


@route("POST", "/v1/transfers/{id}/reversals")
def reverse_transfer(peer: Peer, call: Call) -> Thing:
    transfer = peer.find(call.key, "transfer")
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = call.given.get("amount", left)
    if not 0 < amount <= left:
        raise Refusal("amount_too_large", "Reversal amount is greater than the unreversed amount.", param="amount")
    if _balance(peer, transfer["destination"], transfer["currency"])[1] < amount:
        raise Refusal("balance_insufficient", "The connected account has insufficient funds to cover the reversal.")
    made = peer.store.put(shapes.reversal(peer.store.new_id("trr"), peer.now(), transfer, amount, call.given))
    currency = transfer["currency"]
    made["balance_transaction"] = book(peer, "transfer_refund", amount=amount, currency=currency, source=made["id"])["id"]
    book(peer, "payment_refund", amount=-amount, currency=currency, source=made["id"], account=transfer["destination"])
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    transfer["reversals"]["data"].append(shapes.shown(made))
    peer.store.put(transfer)
    peer.tell("transfer.reversed", transfer)
    return made


@route("GET", "/v1/transfers/{id}/reversals")
def list_reversals(peer: Peer, call: Call) -> Thing:
    rows = (row for row in peer.store.of("transfer_reversal") if row["transfer"] == call.key)
    return peer.listed(rows, call, f"/v1/transfers/{call.key}/reversals")


@route("GET", "/v1/balance")
def read_balance(peer: Peer, call: Call) -> Thing:
    rows = [row for row in peer.store.of("balance_transaction") if row["of_account"] == call.account]
    codes = sorted({row["currency"] for row in rows}) or ["usd"]
    sums = {code: _balance(peer, call.account, code) for code in codes}
    available = [{"amount": now, "currency": code, "source_types": {"card": now}} for code, (now, _) in sums.items()]
    pending = [{"amount": all_ - now, "currency": code, "source_types": {"card": all_ - now}} for code, (now, all_) in sums.items()]
    return {"object": "balance", "available": available, "livemode": False, "pending": pending}


@route("GET", "/v1/balance_transactions")
def list_bookings(peer: Peer, call: Call) -> Thing:
    rows = (row for row in peer.store.of("balance_transaction") if row["of_account"] == call.account)
    wanted = {name: call.given[name] for name in ("type", "source") if call.given.get(name)}
    return peer.listed((row for row in rows if all(row[name] == value for name, value in wanted.items())), call, "/v1/balance_transactions")


@route("GET", "/v1/balance_transactions/{id}")
def read_booking(peer: Peer, call: Call) -> Thing:
    return peer.find(call.key, "balance_transaction", account=call.account)


@route("POST", "/v1/payouts")
def create_payout(peer: Peer, call: Call) -> Thing:
    if not call.account:
        raise Refusal("", f"Payouts are made for connected accounts alone here. {NOTE}")
    account = peer.find(call.account, "account")
    if not account["payouts_enabled"]:
        raise Refusal("payouts_not_allowed", "Payouts are not enabled on this account.")
    given = call.given
    if given["amount"] <= 0 or (given["currency"] in ("huf", "twd", "isk", "ugx") and given["amount"] % 100):
        raise Refusal("parameter_invalid_integer", "Invalid amount for a payout.", param="amount")
    if _balance(peer, call.account, given["currency"])[0] < given["amount"]:
        raise Refusal("balance_insufficient", "You have insufficient funds in your Stripe account for this transfer.")
    payout = peer.store.put(shapes.payout(peer.store.new_id("po"), peer.now(), given, call.account))
    more = {"source": payout["id"], "account": call.account}
    payout["balance_transaction"] = book(peer, "payout", amount=-given["amount"], currency=given["currency"], **more)["id"]
    peer.tell("payout.created", payout)
    return payout


@route("GET", "/v1/payouts")
def list_payouts(peer: Peer, call: Call) -> Thing:
    rows = (row for row in peer.store.of("payout") if row["of_account"] == call.account)
    return peer.listed((row for row in rows if call.given.get("status", row["status"]) == row["status"]), call, "/v1/payouts")


@route("GET", "/v1/payouts/{id}")
def read_payout(peer: Peer, call: Call) -> Thing:
    return peer.find(call.key, "payout", account=call.account)


@route("GET", "/v1/events")
def list_events(peer: Peer, call: Call) -> Thing:
    # Those of mentors' accounts are listed there, and only delivered to the platform.
    rows = (row for row in peer.store.of("event") if row.get("account", "") == call.account)
    kinds = [call.given["type"]] if call.given.get("type") else call.given.get("types", [])
    return peer.listed((row for row in rows if not kinds or row["type"] in kinds), call, "/v1/events")


@route("GET", "/v1/events/{id}")
def read_event(peer: Peer, call: Call) -> Thing:
    return peer.find(call.key, "event")


def onboard(peer: Peer, account: Thing, *, is_accepted: bool = True) -> None:
    """The mentor has filled in the form, and was accepted or is asked for more."""
    changes = shapes.onboarded() if is_accepted else {"details_submitted": True}
    account |= changes
    peer.store.put(account)
    peer.tell("account.updated", account)


def end_payout(peer: Peer, payout: Thing, *, is_paid: bool) -> None:
    """A payout arrives, or the bank sends it back."""
    if payout["status"] != "pending":
        return
    payout["status"] = "paid" if is_paid else "failed"
    if not is_paid:
        payout["failure_code"], payout["failure_message"] = "account_closed", "The bank account has been closed."
        more = {"source": payout["id"], "account": payout["of_account"]}
        back = book(peer, "payout_failure", amount=payout["amount"], currency=payout["currency"], **more)
        payout["failure_balance_transaction"] = back["id"]
    peer.store.put(payout)
    peer.tell("payout.paid" if is_paid else "payout.failed", payout)


def _source_of(peer: Peer, call: Call) -> int:
    """When what is transferred is available: with its charge, or at once out of the platform's balance."""
    given = call.given
    if not given.get("source_transaction"):
        if _balance(peer, "", given["currency"])[0] < given["amount"]:
            raise Refusal("balance_insufficient", "You have insufficient available funds in your Stripe account.")
        return peer.now()
    charge = peer.find(given["source_transaction"], "charge", param="source_transaction")
    if not charge["captured"] or charge["currency"] != given["currency"]:
        raise Refusal("", "The source transaction is not a captured charge in this currency.", param="source_transaction")
    sent = sum(row["amount"] for row in peer.store.of("transfer") if row["source_transaction"] == charge["id"])
    if sent + given["amount"] > charge["amount_captured"]:
        raise Refusal("amount_too_large", "Transfers using this transaction as a source must not exceed its amount.", param="amount")
    return int(peer.find(charge["balance_transaction"], "balance_transaction")["available_on"])


def _balance(peer: Peer, account: str, currency: str) -> tuple[int, int]:
    """What is available now, and all there is."""
    sums: Counter[bool] = Counter()
    for row in peer.store.of("balance_transaction"):
        if row["of_account"] == account and row["currency"] == currency:
            sums[row["available_on"] <= peer.now() or row["net"] < 0] += row["net"]
    return sums[True], sums[True] + sums[False]
