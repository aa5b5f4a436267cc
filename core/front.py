"""Client address and request id, as the front server sends them. It replaces headers that clients could forge, and reaches the application
by a Unix socket that nobody else can connect to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

_FORGEABLE = ("HTTP_X_REAL_IP", "HTTP_X_REQUEST_ID")

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def known_clients(application: Wsgi) -> Wsgi:
    """Wrap a WSGI application: take the client's address and request id from the front server.

    A request that arrives over TCP has a peer address; its own headers are dropped.
    """

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        headers = {name: environ.pop(name, "") for name in _FORGEABLE}
        if not environ.get("REMOTE_ADDR"):
            environ["REMOTE_ADDR"] = headers["HTTP_X_REAL_IP"]
            environ["HTTP_X_REQUEST_ID"] = headers["HTTP_X_REQUEST_ID"]
        return application(environ, start_response)

    return answer
