"""Clients that hold a server's connections open: by a slow head, a slow body, slow reading, or a silent socket."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import http.client
import json
import os
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from typing import Any

ATTACKER, HONEST = "127.0.0.1", "127.0.0.2"
KINDS = ("silent", "head", "body", "chunked", "reading", "socket")
_HOST = "Host: 127.0.0.1\r\n"


def _opening(kind: str, path: str) -> bytes:
    """What a client of this kind sends at once."""
    key = base64.b64encode(os.urandom(16)).decode()
    text = {
        "silent": "",
        "head": f"GET {path} HTTP/1.1\r\n{_HOST}X-Slow: ",
        "body": f"POST /api/v1/auth/login HTTP/1.1\r\n{_HOST}Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{{",
        "chunked": f"POST /api/v1/auth/login HTTP/1.1\r\n{_HOST}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n",
        "reading": f"GET {path} HTTP/1.1\r\n{_HOST}\r\n",
        "socket": f"GET /ws/notifications/ HTTP/1.1\r\n{_HOST}Upgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n",
    }[kind]
    return text.encode()


class SlowClients:
    """`number` connections of one kind from one address; each sends a byte every three seconds, if its kind sends anything."""

    def __init__(self, port: int, kind: str, number: int, *, path: str = "/static/core/htmx.min.js") -> None:
        self.kind = kind
        self.connections = [self._open(port, kind, path) for _ in range(number)]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._drip, daemon=True)
        self._thread.start()

    def _open(self, port: int, kind: str, path: str) -> socket.socket:
        connection = socket.socket()
        if kind == "reading":
            # A window so small that no answer fits into it.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_024)
        connection.bind((ATTACKER, 0))
        connection.settimeout(10)
        connection.connect(("127.0.0.1", port))
        connection.sendall(_opening(kind, path))
        connection.setblocking(False)
        return connection

    def _drip(self) -> None:
        piece = {"head": b"a", "body": b" ", "chunked": b"1\r\n \r\n"}.get(self.kind)
        while not self._ended.wait(3):
            for connection in self.connections:
                with contextlib.suppress(OSError):
                    if piece:
                        connection.send(piece)
                    elif self.kind == "reading":
                        connection.recv(1)

    def open_connections(self) -> int:
        """How many the server has not closed."""
        return sum(not _is_closed(connection) for connection in self.connections)

    def close(self) -> None:
        self._ended.set()
        for connection in self.connections:
            connection.close()


def _is_closed(connection: socket.socket) -> bool:
    try:
        return any(not data for data in iter(lambda: connection.recv(65_536), None))
    except BlockingIOError:
        return False
    except OSError:
        return True


@contextmanager
def slow_clients(port: int, kind: str, number: int, **options: str) -> Iterator[SlowClients]:
    clients = SlowClients(port, kind, number, **options)
    try:
        yield clients
    finally:
        clients.close()


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def exchange(
    port: int, path: str, *, method: str = "GET", body: bytes = b"", address: str = HONEST, headers: dict[str, str] | None = None
) -> Answer:
    """One request from an address of this machine, and its answer. Headers are sent as they are."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(address, 0))
    with contextlib.closing(connection):
        connection.request(method, path, body or None, headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())


def fetch(port: int, path: str, *, address: str = HONEST) -> int:
    return exchange(port, path, address=address).status


def p95(port: int, path: str, *, requests: int, address: str = HONEST, forwarded: bool = False) -> float:
    """The 95th percentile of the seconds that requests take, one after the other; each must be answered with 200. `forwarded` says each time
    for another client, as a proxy of ours would."""
    seconds = []
    for number in range(requests):
        headers = {"X-Forwarded-For": f"10.1.{number % 250}.{number // 250}", "X-Forwarded-Proto": "https"} if forwarded else {}
        began = time.perf_counter()
        answer = exchange(port, path, address=address, headers=headers)
        assert answer.status == 200, answer.body
        seconds.append(time.perf_counter() - began)
    return statistics.quantiles(seconds, n=20)[18]


def wait_until(condition: Callable[[], bool], seconds: float) -> float:
    """Seconds until the condition holds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.1)
    return time.monotonic() - began
