"""Child processes for untrusted bytes: bounded in memory, time and number, so that a hostile file hurts nothing but its own decoder.

Pictures, recordings and outside calendars are read here and nowhere else. A child is a new interpreter (exec, never a bare fork: threads
and loaded models do not survive one), it inherits no secrets, cannot write files, and dies with its parent.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from core.errors import Overloaded

_CHILD = Path(__file__).with_name("limited_child.py")
# Nothing else of the environment reaches a child; one thread each is enough, and every further one reserves memory.
_ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ} | {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
_POLL_SECONDS = 0.02


class ProcessFailed(Exception):
    """The child ended with `status`: its own exit status, or minus the number of the signal that ended it (also for time limits)."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"exit status {status}")


@dataclasses.dataclass(frozen=True)
class Limits:
    """What one child may use. `memory_bytes` is private writable memory, `seconds` the time by the clock."""

    memory_bytes: int
    cpu_seconds: int
    seconds: int


class Lane:
    """Work of one kind. One child at a time runs on this machine; in each process `waiting` more may wait `wait_seconds` for their turn."""

    def __init__(self, name: str, limits: Limits, *, waiting: int, wait_seconds: float) -> None:
        self.name = name
        self._limits = limits
        self._wait_seconds = wait_seconds
        self._places = threading.BoundedSemaphore(1 + waiting)

    def run(self, script: Path, *arguments: str, content: bytes) -> bytes:
        """Run a Python script with `content` as its standard input. Returns what it writes.

        Raises:
            Overloaded: as many as may wait are waiting.
            ProcessFailed: it crashed, exceeded a limit, or exited with a status other than 0.
        """
        command = [
            sys.executable,
            "-I",
            str(_CHILD),
            json.dumps(dataclasses.asdict(self._limits)),
            str(os.getpid()),
            str(script),
            *arguments,
        ]
        with self._place():
            try:
                done = subprocess.run(
                    command, input=content, capture_output=True, timeout=self._limits.seconds, check=False, env=_ENVIRONMENT
                )
            except subprocess.TimeoutExpired as error:
                raise ProcessFailed(-9) from error
        if done.returncode != 0:
            raise ProcessFailed(done.returncode)
        return done.stdout

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise Overloaded
        try:
            with self._turn():
                yield
        finally:
            self._places.release()

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """The lock of this lane among all processes of this installation. The system releases it with the process that holds it."""
        home = hashlib.sha256(str(settings.EMBEDDED_HOME.root).encode()).hexdigest()[:12]
        path = Path(tempfile.gettempdir()) / f"soosh-{os.getuid()}-{home}-{self.name}.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            self._wait_for(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _wait_for(self, descriptor: int) -> None:
        deadline = time.monotonic() + self._wait_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise Overloaded from error
                time.sleep(_POLL_SECONDS)
