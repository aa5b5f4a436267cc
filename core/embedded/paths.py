"""Where the embedded services keep their data and sockets. Imports nothing but the standard library, so that settings can use it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

# A Unix socket path may hold 104 bytes on macOS and 108 on Linux; PostgreSQL appends its own file name.
_LONGEST_SOCKET_FOLDER = 80


@dataclass(frozen=True)
class EmbeddedHome:
    """The data folder of one copy of Soosh (`SOOSH_HOME`)."""

    root: Path

    @classmethod
    def from_environment(cls, checkout: Path) -> EmbeddedHome:
        return cls(Path(os.environ.get("SOOSH_HOME") or checkout / ".soosh").expanduser().resolve())

    @property
    def postgres_data(self) -> Path:
        return self.root / "postgres"

    @property
    def redis_data(self) -> Path:
        return self.root / "redis"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def mail(self) -> Path:
        return self.root / "mail"

    @cached_property
    def sockets(self) -> Path:
        """A folder short enough for Unix sockets, the same one for every process of this home."""
        inside = self.root / "run"
        if len(str(inside).encode()) <= _LONGEST_SOCKET_FOLDER:
            return inside
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"soosh-{digest}"

    @property
    def redis_socket(self) -> Path:
        return self.sockets / "redis.sock"

    @property
    def web_socket(self) -> Path:
        return self.sockets / "web.sock"

    @property
    def live_socket(self) -> Path:
        return self.sockets / "live.sock"

    @property
    def front(self) -> Path:
        """The working folder of the front server: its configuration and temporary files."""
        return self.root / "front"

    @property
    def supervisor_socket(self) -> Path:
        return self.sockets / "supervisor.sock"

    @property
    def database_url(self) -> str:
        return f"postgres://postgres@/soosh?host={self.sockets}"

    def has_database(self, url: str) -> bool:
        """Whether the address leads to the embedded server, whatever the database is called."""
        return urlsplit(url)._replace(path="") == urlsplit(self.database_url)._replace(path="")

    @property
    def redis_url(self) -> str:
        return f"unix://{self.redis_socket}?db=0"
