from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core.embedded.services import ServicesAlreadyRunning, prepare
from core.embedded.supervision import configuration


class Command(BaseCommand):
    help = "Run all of Soosh on this machine under one supervisor: the embedded services, web, worker and beat. Ctrl-C stops everything."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own declaration style)

    def handle(self, *args: Any, **options: Any) -> None:
        home = settings.EMBEDDED_HOME
        try:
            prepare(home)
        except ServicesAlreadyRunning as error:
            raise CommandError(str(error)) from error
        text = configuration(home, checkout=settings.BASE_DIR, port=settings.PORT, embedded=settings.IS_EMBEDDED, beside=_programs_beside())
        file = home.root / "supervisord.conf"
        file.write_text(text)
        # This process becomes the supervisor, so that signals reach it without a middleman.
        environment = os.environ | {"SOOSH_SUPERVISED": str(home.root), "SOOSH_HOME": str(home.root), "PYTHONUNBUFFERED": "1"}
        os.execve(sys.executable, [sys.executable, "-m", "supervisor.supervisord", "-c", str(file)], environment)


def _programs_beside() -> dict[str, list[str]]:
    """The peer of Stripe, where nobody has a key: it tells us what it does as Stripe would."""
    if settings.PAYMENT_ENGINE != "peer":
        return {}
    webhook = f"http://127.0.0.1:{settings.PORT}/api/v1/payments/webhooks/stripe/"
    file = settings.EMBEDDED_HOME.root / "stripe-peer.sqlite"
    return {"stripe-peer": ["-m", "payments.peer", str(settings.STRIPE_PEER_PORT), str(file), webhook]}
