"""Sockets under /ws/, and everything else for those who run one process: on one machine `make run` serves both from here. Behind a proxy
that tells them apart, soosh.wsgi serves the rest; see the README."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soosh.settings")

from a2wsgi import WSGIMiddleware
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

# It sets Django up, which the imports below need.
get_asgi_application()

from notifications.consumers import InboxConsumer  # noqa: E402
from soosh.wsgi import application as wsgi_application  # noqa: E402

websockets = [
    path("ws/notifications/", InboxConsumer.as_asgi()),
    path("ws/notifications", InboxConsumer.as_asgi()),
]
application = ProtocolTypeRouter(
    {
        # Django's own ASGI handler takes about three times as long for each request as its WSGI handler in a thread.
        "http": WSGIMiddleware(wsgi_application, workers=8),  # type: ignore[arg-type]  # Django types its answer more narrowly
        # No cookie opens a socket, so any origin may try.
        "websocket": URLRouter(websockets),
    }
)
