"""What banks, payers and clocks do: the buttons of the pages, and the tools of tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from payments.peer import connect, payins
from payments.peer.engine import Peer
from payments.peer.faults import Refusal


def act(peer: Peer, action: str, key: str) -> None:
    """Do one of `ACTIONS` to the object of this id.

    Raises:
        Refusal: there is nothing of that id.
    """
    with peer.lock:
        ACTIONS[action](peer, key)
    peer.after_request()


def _refund(peer: Peer, key: str, *, is_paid: bool) -> None:
    payins.end_refund(peer, peer.find(key, "refund"), is_paid=is_paid)


def _payout(peer: Peer, key: str, *, is_paid: bool) -> None:
    payout = peer.store.get(key)
    if payout is None:
        raise Refusal("resource_missing", f"No such payout: '{key}'", status=404)
    connect.end_payout(peer, payout, is_paid=is_paid)


ACTIONS: Mapping[str, Callable[[Peer, str], object]] = {
    "prove": lambda peer, key: payins.authenticate(peer, peer.find(key, "payment_intent"), is_proven=True),
    "fail-proof": lambda peer, key: payins.authenticate(peer, peer.find(key, "payment_intent"), is_proven=False),
    "dispute": lambda peer, key: payins.open_dispute(peer, peer.find(key, "charge")),
    "win": lambda peer, key: payins.decide(peer, peer.find(key, "dispute"), is_won=True),
    "lose": lambda peer, key: payins.decide(peer, peer.find(key, "dispute"), is_won=False),
    "refund-arrives": lambda peer, key: _refund(peer, key, is_paid=True),
    "refund-fails": lambda peer, key: _refund(peer, key, is_paid=False),
    "payout-arrives": lambda peer, key: _payout(peer, key, is_paid=True),
    "payout-fails": lambda peer, key: _payout(peer, key, is_paid=False),
    "onboard": lambda peer, key: connect.onboard(peer, peer.find(key, "account")),
    "ask-more": lambda peer, key: connect.onboard(peer, peer.find(key, "account"), is_accepted=False),
}
