"""What the front server says about a request. It replaces the headers that clients could forge, and reaches the application by a socket
that nobody else can connect to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

_FORGEABLE = ("HTTP_X_REAL_IP", "HTTP_X_REQUEST_ID")

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def known_clients(application: Wsgi) -> Wsgi:
    """Take the client's address from the front server. A request that came over the network has one of its own, and no say."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        said = {name: environ.pop(name, "") for name in _FORGEABLE}
        if not environ.get("REMOTE_ADDR"):
            environ["REMOTE_ADDR"] = said["HTTP_X_REAL_IP"]
            environ["HTTP_X_REQUEST_ID"] = said["HTTP_X_REQUEST_ID"]
        return application(environ, start_response)

    return answer
