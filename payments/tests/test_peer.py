"""The peer against Stripe's own description of its API, and against `localstripe`, which others wrote."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import stripe

from payments.peer import API_VERSION, connect, payins
from payments.peer.engine import ROUTES, Peer
from payments.peer.faults import LostConnection, Refusal
from payments.peer.parameters import KNOWN
from payments.peer.store import Store
from payments.tests import published
from payments.tests.world import World, sdk

assert connect and payins


def test_the_description_is_there() -> None:
    assert published.FILE.exists(), "Stripe's OpenAPI file (github.com/stripe/openapi, MIT) is missing: the peer cannot be checked."
    assert stripe.api_version == API_VERSION


def test_every_route_and_parameter_is_one_of_stripes() -> None:
    api = {key for key in ROUTES if key[0] != "PEER"}
    assert api == KNOWN.keys()
    for key, names in KNOWN.items():
        operation = published.operations()[key]
        if key[0] == "GET":
            known = {parameter["name"] for parameter in operation["parameters"]}
        else:
            schema = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
            known = set(schema["properties"])
            needed = set(schema.get("required", ()))
            assert needed <= {name.rstrip("!") for name in names}, key
        assert {name.rstrip("!") for name in names} <= known, (key, {name.rstrip("!") for name in names} - known)


@pytest.mark.django_db
def test_all_that_flows_is_as_stripe_says(world: World) -> None:
    """The wire of every test is checked; here each kind of call is made once."""
    world.onboard()
    for card in (
        "pm_card_visa",
        "pm_card_refundFail",
        "pm_card_createDispute",
        "pm_card_visa_chargeDeclined",
        "pm_card_authenticationRequired",
    ):
        world.paid(card=card)
    api = sdk(world.peer).v1
    for resource in ("payment_intents", "charges", "refunds", "disputes", "transfers", "balance_transactions", "events", "payouts"):
        options: Any = {"stripe_account": world.onboard().provider_id} if resource == "payouts" else {}
        for row in getattr(api, resource).list({"limit": 100}, options).data:
            getattr(api, resource).retrieve(row.id, {}, options)
    api.balance.retrieve()
    assert api.accounts.retrieve_current().type == "standard"
    with pytest.raises(jsonschema_rs.ValidationError):
        published.check_answer("GET", "/v1/balance", 200, {"object": "balance"})
    with pytest.raises(AssertionError):
        published.check_request("GET", "/v1/balance", "nonsense=1")
    with pytest.raises(jsonschema_rs.ValidationError):
        published.check_request("POST", "/v1/refunds", "nonsense=1")


class TestProtocol:
    def call(self, peer: Peer, method: str, path: str, form: str = "", **headers: str) -> Any:
        return peer.handle(method, path, form, {"Authorization": "Bearer sk_test_x", **headers})

    def make(self, peer: Peer, form: str = "amount=500&currency=usd", **headers: str) -> Any:
        return self.call(peer, "POST", "/v1/payment_intents", form, **headers)

    def test_keys_answer_once(self, peer: Peer) -> None:
        key = {"Idempotency-Key": "k"}
        first, second = self.make(peer, **key), self.make(peer, **key)
        assert (first.body, second.headers) == (second.body, {"Idempotent-Replayed": "true"})
        other = self.make(peer, "amount=501&currency=usd", **key)
        assert (other.status, other.body["error"]["type"]) == (400, "idempotency_error")
        assert len(list(peer.store.of("payment_intent"))) == 1

    @pytest.mark.parametrize(
        ("form", "code"),
        [
            ("currency=usd", "parameter_missing"),
            ("amount=500&currency=usd&colour=red", "parameter_unknown"),
            ("amount=5.0&currency=usd", "parameter_invalid_integer"),
            ("amount=49&currency=usd", "amount_too_small"),
            ("amount=100000000&currency=usd", "amount_too_large"),
            ("amount=550&currency=isk", "parameter_invalid_integer"),
            ("amount=555&currency=kwd", "parameter_invalid_integer"),
        ],
    )
    def test_bad_input_is_refused(self, peer: Peer, form: str, code: str) -> None:
        answer = self.make(peer, form)
        assert (answer.status, answer.body["error"].get("code")) == (400, code)

    def test_who_may_not(self, peer: Peer) -> None:
        assert peer.handle("GET", "/v1/balance", "", {}).status == 401
        assert self.call(peer, "GET", "/v1/balance", **{"Stripe-Version": "2020-01-01"}).status == 400
        assert self.call(peer, "GET", "/v1/nonsense").status == 404
        assert self.call(peer, "GET", "/v1/charges/ch_nonsense").status == 404

    def test_accidents(self, peer: Peer) -> None:
        peer.dial.before = 1
        with pytest.raises(LostConnection):
            self.make(peer)
        assert not list(peer.store.of("payment_intent"))
        peer.dial.before, peer.dial.after = 0, 1
        with pytest.raises(LostConnection):
            self.make(peer)
        assert len(list(peer.store.of("payment_intent"))) == 1

    def test_lists_go_on(self, peer: Peer) -> None:
        for _ in range(25):
            self.make(peer)
        rows = [row.id for row in sdk(peer).v1.payment_intents.list({"limit": 10}).auto_paging_iter()]
        assert len(rows) == len(set(rows)) == 25

    def test_a_file_keeps_everything(self, tmp_path: Path) -> None:
        peer = Peer(tmp_path / "peer.sqlite")
        key = self.make(peer).body["id"]
        again = Peer(tmp_path / "peer.sqlite")
        assert again.find(key, "payment_intent")["amount"] == 500
        assert again.store.new_id("x") == peer.store.new_id("x")
        with pytest.raises(Refusal):
            again.find("pi_other", "payment_intent")
        assert Store().now() > 0


@pytest.fixture(scope="module")
def localstripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stripe.StripeClient]:
    """A server that others wrote (GPL-3; it runs beside us). It speaks an old version of the API and knows parts of it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("localstripe")
    command = [str(Path(sys.executable).with_name("localstripe")), "--port", str(port), "--from-scratch"]
    environment = os.environ | {"TMPDIR": str(folder)}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    for _ in range(100):
        try:
            urllib.request.urlopen(base, timeout=1)
        except urllib.error.HTTPError:
            break
        except OSError:
            time.sleep(0.1)
    yield stripe.StripeClient("sk_test_12345", base_addresses={"api": base}, max_network_retries=0)
    process.terminate()
    process.wait()


def outcome(client: stripe.StripeClient) -> dict[str, Any]:
    """What both servers know: make, confirm, reserve, take, call off, pay back."""
    api = client.v1
    made = api.payment_intents.create({"amount": 2_000, "currency": "usd", "payment_method_types": ["card"]})
    seen: dict[str, Any] = {"made": (made.status, made.amount, made.currency)}
    called_off = api.payment_intents.cancel(made.id)
    seen["called off"] = called_off.status
    try:
        api.payment_intents.cancel(made.id)
    except stripe.StripeError as error:
        seen["called off twice"] = error.http_status
    try:
        api.payment_intents.retrieve("pi_nonsense")
    except stripe.StripeError as error:
        seen["unknown"] = error.http_status
    try:
        api.payment_intents.create({"currency": "usd"})  # type: ignore[typeddict-item]  # that is the point
    except stripe.StripeError as error:
        seen["without amount"] = error.http_status
    bought: Any = {"amount": 3_000, "currency": "usd", "payment_method_types": ["card"], "payment_method": "pm_card_visa", "confirm": True}
    paid = api.payment_intents.create(bought)
    seen["paid"] = paid.status
    part = api.refunds.create({"payment_intent": paid.id, "amount": 1_000})
    seen["paid back"] = (part.status, part.amount, part.object)
    reserved = api.payment_intents.create(bought | {"capture_method": "manual"})
    seen["reserved"] = reserved.status
    taken = api.payment_intents.capture(reserved.id, {"amount_to_capture": 2_500})
    seen["taken"] = taken.status
    return seen


def test_a_second_opinion(localstripe: stripe.StripeClient, peer: Peer) -> None:
    assert outcome(localstripe) == outcome(sdk(peer, is_checked=False))
