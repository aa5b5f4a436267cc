"""The production command against the database of the tests: nginx, granian and uvicorn, with DEBUG off."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection

from core.embedded.paths import EmbeddedHome
from core.embedded.processes import processes_of, stop
from tests.adversarial.slow_clients import fetch
from tests.running import ROOT, free_port

_START_SECONDS = 90


class ProductionServers:
    """`manage.py serve --web` in a folder of its own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.home = EmbeddedHome(folder)
        self.port = free_port()
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
        self.environment = kept | {
            "DATABASE_URL": urlunsplit(urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}")),
            "REDIS_URL": settings.REDIS_URL,
            "SOOSH_HOME": str(folder),
            "PORT": str(self.port),
            "SECRET_KEY": "b7Vv!x2m#Qp9sL4w%Zr8tK6y&Nc3dF5gJh1aXe0uWiOq@RbMlE",
            "ALLOWED_HOSTS": "127.0.0.1",
            "SITE_URL": "https://soosh.example",
            "EMAIL_URL": f"filemail://{folder}/mail",
            "SECURE_SSL_REDIRECT": "off",
            **environment,
        }
        self.supervisor: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.home.root / "output.log").read_text()

    def start(self) -> None:
        self.home.root.mkdir(parents=True, exist_ok=True)
        with open(self.home.root / "output.log", "ab") as output:
            command = [sys.executable, "manage.py", "serve", "--web"]
            self.supervisor = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=output, stderr=output)
        self.wait_until_answering()

    def wait_until_answering(self) -> None:
        assert self.supervisor
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_answering():
            assert self.supervisor.poll() is None, self.log[-2000:]
            assert time.monotonic() < deadline, self.log[-2000:]
            time.sleep(0.1)

    def is_answering(self) -> bool:
        try:
            return fetch(self.port, "/healthz") == 200
        except OSError:
            return False

    def stop(self) -> None:
        assert self.supervisor
        self.supervisor.terminate()
        self.supervisor.wait(30)
        stop(list(processes_of(self.home)), seconds=5)
