"""Sockets under /ws/, and everything else for those who run one process: on one machine `make run` serves both from here. Behind a proxy
that tells them apart, soosh.wsgi serves the rest; see the README."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soosh.settings")

from a2wsgi import WSGIMiddleware
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

# It sets Django up, which the imports below need.
get_asgi_application()

from bookings.consumers import DashboardConsumer  # noqa: E402
from notifications.consumers import InboxConsumer  # noqa: E402
from soosh.wsgi import application as wsgi_application  # noqa: E402

websockets = [
    path("ws/dashboard/", DashboardConsumer.as_asgi()),
    path("ws/notifications/", InboxConsumer.as_asgi()),
    path("ws/notifications", InboxConsumer.as_asgi()),
]
_in_threads = WSGIMiddleware(wsgi_application, workers=8)  # type: ignore[arg-type]  # Django types its answer more narrowly


async def requests(scope: Any, receive: Any, send: Any) -> None:
    """Django's WSGI handler in threads: its ASGI handler takes about three times as long for each request."""

    async def receive_body() -> Any:
        # The server's own may be awaited, but is no coroutine, which a thread needs to hand it over.
        return await receive()

    await _in_threads(scope, receive_body, send)


application = ProtocolTypeRouter(
    {
        "http": requests,
        # No cookie opens a socket, so any origin may try.
        "websocket": URLRouter(websockets),
    }
)
