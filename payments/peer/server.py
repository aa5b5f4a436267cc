"""The peer over HTTP: the API, the pages on which a person pays or fills in a form, and webhooks to Soosh."""

from __future__ import annotations

import json
import queue
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from payments.peer import API_VERSION, NOTE, pages
from payments.peer.engine import Peer, body_of, signature_of
from payments.peer.faults import LostConnection
from payments.peer.store import Thing

_RETRIES = (0, 1, 5, 30)
_TIMEOUT_SECONDS = 10


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PeerServer

    def do_GET(self) -> None:
        self._respond("GET")

    def do_POST(self) -> None:
        self._respond("POST")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the library's name)
        """Say nothing: callers log what they ask."""

    def _respond(self, method: str) -> None:
        parts = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        form = parts.query if method == "GET" else body
        if parts.path.startswith("/v1/"):
            self._send_answer(method, parts.path, form)
        else:
            status, page, location = pages.respond(self.server.peer, method, parts.path, form)
            self._send(status, page.encode(), "text/html; charset=utf-8", {"Location": location} if location else {})

    def _send_answer(self, method: str, path: str, form: str) -> None:
        try:
            answer = self.server.peer.handle(method, path, form, dict(self.headers))
        except LostConnection:
            self.close_connection = True
            return
        headers = {"Request-Id": "req_peer", "Stripe-Version": API_VERSION, "X-Peer": NOTE, **answer.headers}
        self._send(answer.status, json.dumps(answer.body).encode(), "application/json", headers)

    def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class PeerServer(ThreadingHTTPServer):
    """Serves a peer on a port of this machine, and delivers its events to `webhook`, if one is given."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, peer: Peer, port: int, webhook: str = "") -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.peer = peer
        self.peer.site = f"http://127.0.0.1:{self.server_address[1]}"
        self._events: queue.Queue[Thing] = queue.Queue()
        if webhook:
            self._webhook = webhook
            peer.deliver = self._queue
            threading.Thread(target=self._deliver, daemon=True).start()

    def _queue(self, events: list[Thing]) -> None:
        for event in events:
            self._events.put(event)

    def _deliver(self) -> None:
        while True:
            event = self._events.get()
            threading.Thread(target=self._post, args=(event,), daemon=True).start()

    def _post(self, event: Thing) -> None:
        body = body_of(event)
        for wait in _RETRIES:
            time.sleep(wait)
            headers = {"Content-Type": "application/json", "Stripe-Signature": signature_of(body, int(time.time()))}
            request = urllib.request.Request(self._webhook, body, headers)  # noqa: S310  (our own address)
            try:
                with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS):  # noqa: S310
                    return
            except urllib.error.HTTPError as refusal:
                refusal.close()
            except OSError:
                continue
