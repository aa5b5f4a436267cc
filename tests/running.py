"""A whole Soosh under its supervisor, for the long tests."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import psycopg

from accounts.demo import DEMO_PASSWORD
from core.embedded.paths import EmbeddedHome

_START_SECONDS = 180
ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningSoosh:
    """`make run` in a home of its own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.home = EmbeddedHome(folder)
        self.port = free_port()
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "REDIS_URL", "DEBUG", "DJANGO_SETTINGS_MODULE")
        }
        ports = {"PORT": str(self.port), "STRIPE_PEER_PORT": str(free_port())}
        self.environment = kept | {"SOOSH_HOME": str(folder), "THROTTLE": "off"} | ports | environment
        self.supervisor: subprocess.Popen[bytes] | None = None
        self.token = ""

    def start(self) -> float:
        """Start and wait until `/readyz` answers 200. Returns the seconds that took."""
        started = time.monotonic()
        self.home.root.mkdir(parents=True, exist_ok=True)
        welcomes = self._welcomes()
        if self.supervisor:
            self.supervisor.wait(60)
        with open(self.home.root / "output.log", "ab") as output:
            self.supervisor = subprocess.Popen(
                [sys.executable, "manage.py", "serve"], cwd=ROOT, env=self.environment, stdout=output, stderr=output
            )
        # Until the new supervisor has ended them, orphans of a killed one still answer.
        while self._welcomes() == welcomes:
            assert self.supervisor.poll() is None, (self.home.root / "output.log").read_text()[-2000:]
            assert time.monotonic() - started < _START_SECONDS
            time.sleep(0.1)
        self.wait_until_ready()
        return time.monotonic() - started

    def _welcomes(self) -> int:
        log = self.home.root / "output.log"
        return log.read_text().count("Soosh is ready after") if log.exists() else 0

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        assert self.supervisor
        self.supervisor.send_signal(number)
        self.supervisor.wait(60)

    def wait_until_ready(self, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                    assert json.load(answer)["status"] == "ok"
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError(f"not ready after {seconds} s: {(self.home.root / 'output.log').read_text()[-2000:]}")

    def processes(self, name: str = "") -> list[psutil.Process]:
        """Live processes of this home whose command line holds `name`."""
        found = []
        for process in psutil.process_iter():
            try:
                alive = process.status() != psutil.STATUS_ZOMBIE
                line = " ".join(process.cmdline())
                # Redis writes its title over its environment, and names its socket there.
                mine = str(self.home.redis_socket) in line or process.cwd() == str(self.home.postgres_data)
                if alive and name in line and (mine or process.environ().get("SOOSH_SUPERVISED") == str(self.home.root)):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/v1/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def sign_in(self, email: str) -> None:
        self.token = ""
        self.token = self.call("POST", "auth/login", {"email": email, "password": DEMO_PASSWORD})["access_token"]

    def manage(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query answers."""
        with psycopg.connect(host=str(self.home.sockets), user="postgres", dbname="soosh") as connection:
            return connection.execute(sql.encode()).fetchall()

    def query(self, sql: str) -> Any:
        """The first value of a query."""
        found = self.rows(sql)
        return found[0][0] if found else None
