from __future__ import annotations

import http.client
import json
import socket
import time
import urllib.error
import urllib.request
import xmlrpc.client
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from accounts.demo import DEMO_PASSWORD, DEMO_PEOPLE
from core.embedded.services import wait_until_ready
from soosh.demo import load_demo
from soosh.services_in_force import services_in_force

_READY_SECONDS = 120
# supervisor.xmlrpc.Faults.ALREADY_STARTED
_ALREADY_STARTED = 60


class Command(BaseCommand):
    help = "The supervisor's first step: migrate, load the reference and demo data once, start all servers, and say where they are."
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own declaration style)

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        supervisor = _supervisor()
        try:
            if settings.IS_EMBEDDED:
                wait_until_ready(settings.EMBEDDED_HOME)
            call_command("migrate", verbosity=0, interactive=False)
            if settings.DEBUG and load_demo(say=self.stdout.write):
                self.stdout.write("The reference catalogue and the demo people are loaded.")
            settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
            if not settings.DEBUG:
                call_command("collectstatic", verbosity=0, interactive=False)
            for program in ("worker", "beat", "web", "live", "front"):
                _start(supervisor, program)
            self._wait_for_readiness()
        except BaseException as error:
            self.stderr.write(f"Soosh could not start: {error}")
            supervisor.supervisor.shutdown()
            raise
        self._welcome(time.monotonic() - started)

    def _wait_for_readiness(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        state = "no answer"
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{settings.PORT}/readyz", timeout=5):
                    return
            except urllib.error.HTTPError as error:
                state = _state(error.read())
            except (OSError, http.client.HTTPException) as error:
                state = str(error)
            time.sleep(0.2)
        raise TimeoutError(f"/readyz did not answer 200 within {_READY_SECONDS} s: {state}")

    def _welcome(self, seconds: float) -> None:
        lines = [
            "",
            f"Soosh is ready after {seconds:.1f} s.",
            f"  Start here   http://127.0.0.1:{settings.PORT}/",
            f"  API pages    http://127.0.0.1:{settings.PORT}/api/docs",
            f"  Admin        http://127.0.0.1:{settings.PORT}/admin/",
            f"  Mail         every e-mail lands in {settings.EMBEDDED_HOME.mail}",
        ]
        if settings.DEBUG:
            lines += [f"  Sign in      {email} / {DEMO_PASSWORD}   ({name})" for email, name, _ in DEMO_PEOPLE]
        lines += [f"  {name:<12} {state}" for name, state in services_in_force().items()]
        lines += ["Press Ctrl-C to stop everything.", ""]
        self.stdout.write("\n".join(lines))


def _state(body: bytes) -> str:
    """The failed checks of `/readyz`, or the front server's message while the web server is starting."""
    answer = json.loads(body)
    return json.dumps(answer.get("checks") or answer.get("detail"))


def _start(supervisor: Any, program: str) -> None:
    try:
        supervisor.supervisor.startProcess(program, False)
    except xmlrpc.client.Fault as fault:
        # The transport repeats a call whose answer was lost, so the first one may have started it already.
        if fault.faultCode != _ALREADY_STARTED:
            raise


class _UnixTransport(xmlrpc.client.Transport):
    """XML-RPC over the supervisor's Unix socket."""

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.connect(str(settings.EMBEDDED_HOME.supervisor_socket))
        return connection


def _supervisor() -> Any:
    return xmlrpc.client.ServerProxy("http://supervisor", transport=_UnixTransport())
