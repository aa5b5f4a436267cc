"""The peer itself: one request at a time, in its own transaction, once per idempotency key; lists, expansions, events."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import hmac
import json
import threading
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from payments.peer import API_VERSION, NOTE, WEBHOOK_SECRET, parameters, shapes
from payments.peer.faults import Dial, Refusal
from payments.peer.store import Store, Thing

_MOST_ROWS = 100
# Which members hold the id of another object, and so can be expanded.
_REFERENCES = (
    "latest_charge",
    "balance_transaction",
    "failure_balance_transaction",
    "charge",
    "payment_intent",
    "transfer",
    "source_transaction",
)


@dataclasses.dataclass(frozen=True)
class Call:
    """One request: its parameters, the id in its path, and the account that it is made for ("" is the platform's)."""

    given: dict[str, Any]
    key: str
    account: str


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


Route = Callable[["Peer", Call], Thing]
ROUTES: dict[tuple[str, str], Route] = {}


def route(method: str, path: str) -> Callable[[Route], Route]:
    """Register what answers a path, in which {id} stands for an id."""

    def register(function: Route) -> Route:
        ROUTES[method, path] = function
        return function

    return register


class Peer:
    """All of the peer's state. `deliver` is called with each event, after it was stored."""

    def __init__(self, file: Path | None = None) -> None:
        self.store = Store(file)
        self.dial = Dial()
        self.lock = threading.RLock()
        self.site = "http://peer.invalid"
        self.deliver: Callable[[list[Thing]], None] = lambda events: None
        self._made: list[Thing] = []
        self.platform = self.store.get("acct_peerplatform") or self.store.put(shapes.account("acct_peerplatform", self.now(), {}, True))

    def now(self) -> int:
        return self.store.now()

    def advance(self, *, days: int) -> None:
        """Put the clock forward; what runs out meanwhile does."""
        self.store.offset += days * 86_400
        with self.lock:
            ROUTES["PEER", "expire"](self, Call({}, "", ""))
        self.after_request()

    def handle(self, method: str, path: str, form: str, headers: Mapping[str, str]) -> Answer:
        """Answer one request of the API.

        Raises:
            LostConnection: the client gets no answer, as the dial has it.
        """
        self.dial.strike("before", method, path)
        with self.lock:
            answer = self._answered(method, path, form, {name.lower(): value for name, value in headers.items()})
        self.after_request()
        self.dial.strike("after", method, path)
        return answer

    def after_request(self) -> None:
        """Write down what was changed, and send the events of it."""
        with self.lock:
            made, self._made = self._made, []
            self.store.commit()
        if made:
            self.deliver(self.dial.deliveries(made))

    def tell(self, kind: str, thing: Thing) -> None:
        """Make an event."""
        made = shapes.event(self.store.new_id("evt"), self.now(), kind, copy.deepcopy(thing), API_VERSION)
        if thing["object"] == "account" and thing is not self.platform:
            made["account"] = thing["id"]
        self._made.append(self.store.put(made))

    def find(self, key: str, kind: str, *, account: str = "", param: str = "id") -> Thing:
        """An object of a kind.

        Raises:
            Refusal: there is none of that id.
        """
        thing = self.store.get(key)
        if thing is None or thing["object"] != kind or thing.get("of_account", "") != account:
            raise Refusal("resource_missing", f"No such {kind}: '{key}'", status=404, param=param)
        return thing

    def listed(self, rows: Iterable[Thing], call: Call, url: str) -> Thing:
        """A page of a list, newest first."""
        created = call.given.get("created", {})
        least, most = int(created.get("gte", 0)), int(created.get("lt", 10**12))
        found = [row for row in rows if least <= row["created"] < most][::-1]
        after = call.given.get("starting_after")
        if after:
            places = [place for place, row in enumerate(found) if row["id"] == after]
            if not places:
                raise Refusal("resource_missing", f"No such object: '{after}'", param="starting_after")
            found = found[places[0] + 1 :]
        limit = call.given.get("limit", 10)
        if not 1 <= limit <= _MOST_ROWS:
            raise Refusal("parameter_invalid_integer", "The limit is between 1 and 100.", param="limit")
        return {"object": "list", "url": url, "has_more": len(found) > limit, "data": found[:limit]}

    def _answered(self, method: str, path: str, form: str, headers: Mapping[str, str]) -> Answer:
        try:
            self._require_key(headers)
            template, key = _template(path)
            if (method, template) not in ROUTES:
                raise Refusal("", f"Unrecognized request URL ({method}: {path}). {NOTE}", status=404)
            given = parameters.checked(method, template, parameters.parse(form))
            account = headers.get("stripe-account", "").replace(self.platform["id"], "")
            call = Call({name: value for name, value in given.items() if name != "expand"}, key, account)
            expand = given.get("expand", [])
            if method != "POST" or not headers.get("idempotency-key"):
                return Answer(200, self._expanded(ROUTES[method, template](self, call), expand))
            return self._once(headers, f"{method} {path} {form}", lambda: self._expanded(ROUTES[method, template](self, call), expand))
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body)

    def _require_key(self, headers: Mapping[str, str]) -> None:
        if not headers.get("authorization", "").startswith("Bearer sk_test_"):
            raise Refusal("", "Invalid API Key provided. This peer takes test keys alone.", status=401)
        if headers.get("stripe-version", API_VERSION) != API_VERSION:
            raise Refusal("", f"This peer speaks version {API_VERSION} of the API alone.")

    def _once(self, headers: Mapping[str, str], fingerprint: str, run: Callable[[], Thing]) -> Answer:
        """The first answer under a key is the answer for ever, also if it is an error that came of carrying it out."""
        key = f"key {headers.get('stripe-account', '')} {headers['idempotency-key']}"
        kept = self.store.get(key)
        if kept is not None:
            if kept["fingerprint"] != fingerprint:
                message = "Keys for idempotent requests can only be used with the same parameters they were first used with."
                return Answer(400, {"error": {"type": "idempotency_error", "message": message}})
            return Answer(kept["status"], kept["body"], {"Idempotent-Replayed": "true"})
        try:
            answer = Answer(200, run())
        except Refusal as refusal:
            answer = Answer(refusal.status, refusal.body)
        made = {"id": key, "object": "key", "fingerprint": fingerprint, "status": answer.status, "body": copy.deepcopy(answer.body)}
        self.store.put(made)
        return answer

    def _expanded(self, thing: Thing, paths: Iterable[str]) -> Thing:
        shown = shapes.shown(copy.deepcopy(thing))
        if shown["object"] == "list":
            shown["data"] = [shapes.shown(row) for row in shown["data"]]
        for path in paths:
            self._expand(shown, path.split("."), path)
        return shown

    def _expand(self, thing: Thing, parts: list[str], path: str) -> None:
        name, *rest = parts
        if name == "data" and thing.get("object") == "list":
            for row in thing["data"]:
                self._expand(row, rest, path)
            return
        if name not in _REFERENCES or (name not in thing and name != "failure_balance_transaction"):
            raise Refusal("", f"This property cannot be expanded ({path}).", param="expand")
        if isinstance(thing.get(name), str):
            thing[name] = shapes.shown(copy.deepcopy(self.store.get(thing[name]) or {}))
        if rest and thing.get(name):
            self._expand(thing[name], rest, path)


def signature_of(body: bytes, at: int, secret: str = WEBHOOK_SECRET) -> str:
    """The header with which Stripe signs an event (docs.stripe.com/webhooks#verify-manually)."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def body_of(event: Thing) -> bytes:
    return json.dumps(event).encode()


def _template(path: str) -> tuple[str, str]:
    """`/v1/refunds/re_1` as (`/v1/refunds/{id}`, `re_1`)."""
    parts = path.strip("/").split("/")
    if len(parts) < 3:
        return path.rstrip("/"), ""
    key = urllib.parse.unquote(parts[2])
    return "/" + "/".join([*parts[:2], "{id}", *parts[3:]]), key
