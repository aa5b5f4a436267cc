"""The ASGI application: sockets under /ws/. The front server sends everything else to soosh.wsgi."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soosh.settings")

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path, re_path

# It sets Django up, which the imports below need.
get_asgi_application()

from bookings.consumers import DashboardConsumer  # noqa: E402
from core.consumers import no_such_socket  # noqa: E402
from notifications.consumers import InboxConsumer  # noqa: E402

websockets = [
    path("ws/dashboard/", DashboardConsumer.as_asgi()),
    path("ws/notifications/", InboxConsumer.as_asgi()),
    path("ws/notifications", InboxConsumer.as_asgi()),
    re_path("", no_such_socket),  # type: ignore[arg-type]  # URLRouter takes ASGI applications
]

# No cookie opens a socket, so any origin may try.
application = ProtocolTypeRouter({"websocket": URLRouter(websockets)})
