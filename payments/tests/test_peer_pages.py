"""The peer on its port: pages on which a person pays, a mentor's form, and signed events to an address."""

from __future__ import annotations

import json
import queue
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import stripe

from payments.peer import NOTE, WEBHOOK_SECRET
from payments.peer.engine import Peer
from payments.peer.server import PeerServer


class Listener(BaseHTTPRequestHandler):
    """Takes events; the first attempt of each is refused, as by a server that is starting."""

    seen: ClassVar[set[str]]
    taken: ClassVar[queue.Queue[tuple[bytes, str]]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = json.loads(body)["id"]
        is_first = key not in self.seen
        self.seen.add(key)
        self.send_response(503 if is_first else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        if not is_first:
            self.taken.put((body, self.headers["Stripe-Signature"]))

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[str]:
    Listener.seen, Listener.taken = set(), queue.Queue()
    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/events"
    server.shutdown()
    server.server_close()


@pytest.fixture
def site(listener: str, tmp_path: Path) -> Iterator[str]:
    server = PeerServer(Peer(tmp_path / "peer.sqlite"), 0, listener)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.peer.site
    server.shutdown()
    server.server_close()


def page(address: str, **form: str) -> str:
    body = urllib.parse.urlencode(form).encode() if form else None
    with urllib.request.urlopen(urllib.request.Request(address, body), timeout=10) as answer:
        return str(answer.read().decode())


@pytest.fixture
def api(site: str) -> Iterator[Any]:
    http = stripe.RequestsClient()
    yield stripe.StripeClient("sk_test_x", base_addresses={"api": site}, http_client=http, max_network_retries=0).v1
    http.close()


def test_a_person_pays_on_the_page_and_we_are_told(site: str, api: Any) -> None:
    made = api.payment_intents.create({"amount": 4_500, "currency": "eur"})
    address = f"{site}/pay/{made.client_secret}"
    first = page(address)
    assert NOTE in first and "<h1>Pay 4500 EUR (minor units)</h1>" in first and 'lang="en"' in first
    assert 'role="alert"' in page(address, card="4000000000000002")
    assert "Your bank asks whether it is you." in page(address, card="4000002760003184")
    assert 'role="alert"' in page(address, proof="fail-proof")
    assert "Status: succeeded" in page(address, card="4242424242424242")
    assert api.payment_intents.retrieve(made.id).status == "succeeded"
    kinds = set()
    while "payment_intent.succeeded" not in kinds:
        body, signature = Listener.taken.get(timeout=20)
        event = stripe.Webhook.construct_event(body, signature, WEBHOOK_SECRET)  # type: ignore[no-untyped-call]
        kinds.add(event.type)
    assert kinds <= {
        *("payment_intent.created", "payment_intent.payment_failed", "payment_intent.requires_action"),
        *("charge.succeeded", "payment_intent.succeeded"),
    }


def test_a_mentor_fills_in_the_form(api: Any) -> None:
    account = api.accounts.create({"type": "express", "country": "DE"})
    link = api.account_links.create(
        {"account": account.id, "type": "account_onboarding", "return_url": "http://x.org", "refresh_url": "http://x.org"}
    )
    assert "may not receive transfers yet" in page(link.url)
    assert "may not receive transfers yet" in page(link.url, form="ask-more")
    assert "may receive transfers" in page(link.url, form="onboard")
    assert api.accounts.retrieve(account.id).payouts_enabled


def test_what_banks_do_and_what_is_not_there(site: str, api: Any) -> None:
    made = api.payment_intents.create({"amount": 4_500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True})
    assert "dispute" in page(f"{site}/act/dispute/{made.latest_charge}", go="1")
    assert len(api.disputes.list().data) == 1
    assert "A peer of Stripe" in page(site)
    for path in ("pay/nothing", "onboarding/nothing", "nothing"):
        with pytest.raises(urllib.error.HTTPError) as found:
            page(f"{site}/{path}")
        assert found.value.code == 404
        found.value.close()
    for action in ("act/nonsense/x", "act/win/nothing"):
        with pytest.raises(urllib.error.HTTPError) as found:
            page(f"{site}/{action}", go="1")
        assert found.value.code == 404
        found.value.close()
