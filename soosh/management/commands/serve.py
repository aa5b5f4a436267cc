from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core.embedded.front import Front, write_configuration
from core.embedded.processes import HOME_VARIABLE, listener_on
from core.embedded.services import ServicesAlreadyRunning, prepare, prepare_folders
from core.embedded.supervision import WebServers, configuration, web_configuration

# A server gets more workers than a developer's machine.
_AT_A_DESK = WebServers(workers=1, threads=8, autostart=False)
_ALONE = WebServers(workers=2, threads=4, autostart=True)


class Command(BaseCommand):
    help = (
        "Run all of Soosh on this machine under one supervisor: the embedded services, the web servers, worker and beat. Ctrl-C stops it."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own declaration style)

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--web",
            action="store_true",
            help="Run only the web servers, on every network interface, as a production container does.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        home, is_web = settings.EMBEDDED_HOME, options["web"]
        try:
            prepare_folders(home) if is_web else prepare(home)
        except ServicesAlreadyRunning as error:
            raise CommandError(str(error)) from error
        _refuse_foreign_listeners([settings.PORT] if is_web else [settings.PORT, *_ports_beside()])
        write_configuration(home, _front("0.0.0.0" if is_web else "127.0.0.1"))  # noqa: S104  (a container has a network of its own)
        file = home.root / "supervisord.conf"
        file.write_text(_text(is_web=is_web))
        # This process becomes the supervisor, so that signals reach it without a middleman.
        environment = os.environ | {HOME_VARIABLE: str(home.root), "SOOSH_HOME": str(home.root), "PYTHONUNBUFFERED": "1"}
        os.execve(sys.executable, [sys.executable, "-m", "supervisor.supervisord", "-c", str(file)], environment)


def _text(*, is_web: bool) -> str:
    home, checkout = settings.EMBEDDED_HOME, settings.BASE_DIR
    if is_web:
        return web_configuration(home, checkout=checkout, servers=_ALONE)
    return configuration(home, checkout=checkout, servers=_AT_A_DESK, embedded=settings.IS_EMBEDDED, beside=_programs_beside())


def _front(host: str) -> Front:
    return Front(
        host=host,
        port=settings.PORT,
        trusted_proxies=settings.TRUSTED_PROXY_COUNT,
        # ".soosh.example" allows the host and its subdomains.
        probe_host=str(settings.ALLOWED_HOSTS[0]).lstrip("."),
        problem_types=settings.PROBLEM_TYPE_BASE,
    )


def _refuse_foreign_listeners(ports: list[int]) -> None:
    for port in ports:
        listener = listener_on(port)
        if listener:
            raise CommandError(f"Port {port} is taken by {listener}. End it, or set PORT to another port.")


def _ports_beside() -> list[int]:
    return [settings.STRIPE_PEER_PORT] if settings.PAYMENT_ENGINE == "peer" else []


def _programs_beside() -> dict[str, list[str]]:
    """The peer of Stripe, where nobody has a key: it tells us what it does as Stripe would."""
    if settings.PAYMENT_ENGINE != "peer":
        return {}
    webhook = f"http://127.0.0.1:{settings.PORT}/api/v1/payments/webhooks/stripe/"
    file = settings.EMBEDDED_HOME.root / "stripe-peer.sqlite"
    return {"stripe-peer": ["-m", "payments.peer", str(settings.STRIPE_PEER_PORT), str(file), webhook]}
