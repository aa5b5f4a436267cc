"""Peers that speak as SendGrid, Expo and Twilio do, for tests. They are fakes of ours: nobody is told anything. What they took stands in a file
before they answer, so one that is killed knows it when it comes back; unknown or missing fields are refused as the vendors refuse them.

Shapes: SendGrid's v3 mail/send and its signed event webhook (docs.sendgrid.com), Expo's push API (docs.expo.dev), Twilio's Messages resource
of 2010-04-01 (twilio.com/docs/messaging/api). `python -m tests.telling_peers PORT FOLDER [SITE]`; with a site mails are reported to it.
"""

from __future__ import annotations

import base64
import datetime
import email.utils
import json
import sys
import threading
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SENDGRID_KEY, TWILIO_ACCOUNT, TWILIO_TOKEN, TWILIO_FROM = "SG.test", "AC" + "0" * 32, "twilio-token", "+15005550006"
_MAIL_FIELDS = {"personalizations", "from", "subject", "content", "attachments", "headers", "custom_args", "reply_to", "categories"}
_PUSH_FIELDS = {"to", "data", "title", "body", "sound", "priority", "badge", "channelId", "collapseId", "tag"}
_TEXT_FIELDS = {"To", "From", "Body", "StatusCallback"}
_TEXTS = f"/2010-04-01/Accounts/{TWILIO_ACCOUNT}/Messages.json"
STOPPED_NUMBER, LANDLINE = "+15005550004", "+15005550009"


def webhook_keys(folder: Path) -> tuple[ec.EllipticCurvePrivateKey, str]:
    """The key that signs events, and its public half as SendGrid's settings page shows it."""
    file = folder / "webhook.pem"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = ec.generate_private_key(ec.SECP256R1())
        no = serialization.NoEncryption()
        file.write_bytes(made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no))
    key: Any = serialization.load_pem_private_key(file.read_bytes(), None)
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return key, base64.b64encode(public).decode()


def signed(key: ec.EllipticCurvePrivateKey, events: Any) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of a call of the event webhook."""
    body, stamp = json.dumps(events).encode(), str(int(time.time()))
    signature = base64.b64encode(key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    names = ("X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp")
    return body, {"Content-Type": "application/json", **dict(zip(names, (signature, stamp), strict=True))}


class Book:
    """What was taken, one JSON line each. `told` is called with each."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "taken.jsonl"
        self._file.touch()
        self._lock = threading.Lock()
        self.lines = [json.loads(line) for line in self._file.read_bytes().split(b"\n")[:-1]]

    def take(self, *lines: dict[str, Any]) -> None:
        with self._lock, self._file.open("ab") as file:
            file.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
            self.lines += lines

    def of(self, kind: str) -> list[dict[str, Any]]:
        with self._lock:
            return [line for line in self.lines if line["kind"] == kind]


class Refused(Exception):
    def __init__(self, status: int, body: Any) -> None:
        self.status, self.body = status, body


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    book: ClassVar[Book]
    faults: ClassVar[Mapping[str, int]]

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer({_TEXTS: lambda query, body: (200, _texts(self.book, query, self.headers), {})})

    def do_POST(self) -> None:
        self._answer(
            {
                "/v3/mail/send": lambda query, body: (202, None, {"X-Message-Id": _mail(self.book, json.loads(body), self.headers)}),
                "/--/api/v2/push/send": lambda query, body: (200, {"data": _pushes(self.book, json.loads(body))}, {}),
                "/--/api/v2/push/getReceipts": lambda query, body: (200, {"data": _receipts(self.book, json.loads(body)["ids"])}, {}),
                _TEXTS: lambda query, body: (201, _text(self.book, dict(urllib.parse.parse_qsl(body.decode())), self.headers), {}),
            }
        )

    def _answer(self, methods: Mapping[str, Callable[[dict[str, str], bytes], tuple[int, Any, dict[str, str]]]]) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(self.path)
        fault = next((status for part, status in self.faults.items() if part in self.path), 0 if url.path in methods else 404)
        status, shown, headers = fault, {"errors": [{"message": "fault"}]}, {}
        if not fault:
            try:
                status, shown, headers = methods[url.path](dict(urllib.parse.parse_qsl(url.query)), body)
            except Refused as refused:
                status, shown = refused.status, refused.body
        content = b"" if shown is None else json.dumps(shown).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def handler_for(book: Book, faults: Mapping[str, int]) -> type[_Handler]:
    """`faults` gives parts of paths a status, which they are answered with and nothing is done."""
    return type("Handler", (_Handler,), {"book": book, "faults": faults})


def _mail(book: Book, mail: dict[str, Any], headers: Any) -> str:
    if headers.get("Authorization") != f"Bearer {SENDGRID_KEY}":
        raise Refused(401, {"errors": [{"message": "The provided authorization grant is invalid"}]})
    (person,) = mail["personalizations"]
    known = set(mail) <= _MAIL_FIELDS and {part["type"] for part in mail["content"]} <= {"text/plain", "text/html", "text/calendar"}
    if not known or mail["content"][0]["type"] != "text/plain" or not mail["subject"] or len(person["to"]) != 1:
        raise Refused(400, {"errors": [{"message": f"bad fields: {sorted(set(mail) - _MAIL_FIELDS)}", "field": None}]})
    arguments = mail.get("custom_args", {}) | person.get("custom_args", {})
    kind = "mail" if "key" in arguments else "mail without a key"
    sent = {
        "kind": kind,
        "id": uuid.uuid4().hex,
        "key": arguments.get("key", ""),
        "to": person["to"][0]["email"],
        "subject": mail["subject"],
    }
    book.take(sent | {"headers": mail.get("headers", {}) | person.get("headers", {})})
    return str(sent["id"])


def _pushes(book: Book, pushes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(pushes) > 100:
        raise Refused(400, {"errors": [{"code": "PUSH_TOO_MANY_NOTIFICATIONS", "message": "at most 100"}]})
    if any(not set(push) <= _PUSH_FIELDS for push in pushes):
        raise Refused(400, {"errors": [{"code": "API_ERROR", "message": "unknown field"}]})
    tickets: list[dict[str, Any]] = []
    taken = []
    for push in pushes:
        if "[dead]" in push["to"]:
            told = f'"{push["to"]}" is not a registered push notification recipient'
            tickets.append({"status": "error", "message": told, "details": {"error": "DeviceNotRegistered"}})
            continue
        tickets.append({"status": "ok", "id": str(uuid.uuid4())})
        taken.append({"kind": "push", "id": tickets[-1]["id"], **{name: push[name] for name in ("to", "title", "body", "tag", "data")}})
    book.take(*taken)
    return tickets


def _receipts(book: Book, ids: list[str]) -> dict[str, Any]:
    if len(ids) > 1_000:
        raise Refused(400, {"errors": [{"code": "PUSH_TOO_MANY_RECEIPTS", "message": "at most 1000"}]})
    lost = {"status": "error", "message": "gone", "details": {"error": "DeviceNotRegistered"}}
    known = {line["id"]: line for line in book.of("push")}
    return {key: lost if "[fading]" in known[key]["to"] else {"status": "ok"} for key in ids if key in known}


def _check_twilio(headers: Any) -> None:
    expected = base64.b64encode(f"{TWILIO_ACCOUNT}:{TWILIO_TOKEN}".encode()).decode()
    if headers.get("Authorization") != f"Basic {expected}":
        raise Refused(401, {"code": 20003, "message": "Authenticate", "status": 401})


def _text(book: Book, fields: dict[str, str], headers: Any) -> dict[str, Any]:
    _check_twilio(headers)
    if not {"To", "From", "Body"} <= set(fields) <= _TEXT_FIELDS:
        raise Refused(400, {"code": 21604, "message": "bad fields", "status": 400})
    codes = {STOPPED_NUMBER: 21610, LANDLINE: 21614}
    if fields["To"] in codes:
        raise Refused(400, {"code": codes[fields["To"]], "message": "not possible", "status": 400})
    sent = {"kind": "text", "id": f"SM{uuid.uuid4().hex}", "to": fields["To"], "body": fields["Body"], "at": time.time()}
    book.take(sent)
    return _shown(sent)


def _texts(book: Book, query: dict[str, str], headers: Any) -> dict[str, Any]:
    _check_twilio(headers)
    since = datetime.datetime.fromisoformat(query["DateSent>"].replace("Z", "+00:00")).timestamp() if "DateSent>" in query else 0.0
    found = [_shown(line) for line in book.of("text") if line["to"] == query.get("To", line["to"]) and line["at"] >= since]
    return {"messages": found, "page": 0, "page_size": 50, "next_page_uri": None}


def _shown(text: dict[str, Any]) -> dict[str, Any]:
    at = email.utils.formatdate(text["at"])
    known = {"sid": text["id"], "to": text["to"], "body": text["body"], "status": "queued", "direction": "outbound-api"}
    return known | {"account_sid": TWILIO_ACCOUNT, "date_created": at, "date_sent": at, "date_updated": at, "num_segments": "1"}


class Server(ThreadingHTTPServer):
    """Says nothing of clients that were killed."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def report(book: Book, folder: Path, site: str) -> None:
    """Tell the site of each mail that was taken, again and again until it listens."""
    key, _ = webhook_keys(folder)
    file = folder / "reported"
    done = int(file.read_text()) if file.exists() else 0
    while True:
        time.sleep(0.5)
        mails = book.of("mail")[done : done + 200]
        events = [
            {"email": mail["to"], "timestamp": int(time.time()), "event": event, "key": mail["key"], "sg_event_id": uuid.uuid4().hex}
            for mail in mails
            for event in ("processed", "delivered")
        ]
        body, headers = signed(key, events)
        try:
            if events:
                urllib.request.urlopen(urllib.request.Request(f"{site}/webhooks/sendgrid/", body, headers), timeout=30)
        except OSError:
            continue
        done += len(mails)
        file.write_text(str(done))


def main() -> None:
    port, folder, *site = sys.argv[1:]
    book = Book(Path(folder))
    if site:
        threading.Thread(target=report, args=(book, Path(folder), site[0]), daemon=True).start()
    Server(("127.0.0.1", int(port)), handler_for(book, {})).serve_forever()


if __name__ == "__main__":
    main()
