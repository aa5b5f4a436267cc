"""Two hundred slow or silent connections of each kind from one address, under `make run` and under the production command: what others
notice of them, beside what they notice of nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adversarial.servers import ProductionServers
from tests.adversarial.slow_clients import HONEST, KINDS, p95, slow_clients
from tests.running import RunningSoosh

pytestmark = pytest.mark.long
_NUMBER = 200
_REQUESTS = 200
PATH = "/api/v1/categories"
# Of the machine itself: below it, twice as long is still at once.
_NOISE_SECONDS = 0.02


@pytest.fixture(scope="module")
def development(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSoosh]:
    soosh = RunningSoosh(tmp_path_factory.mktemp("development"))
    soosh.start()
    yield soosh
    soosh.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_under_make_run(development: RunningSoosh, kind: str) -> None:
    others_notice_nothing(development.port, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_under_the_production_command(db: None, tmp_path: Path, kind: str) -> None:
    # Throttles count the requests of the measurement, too: each kind has servers, and so a minute, of its own.
    servers = ProductionServers(tmp_path, TRUSTED_PROXY_COUNT="1")
    servers.start()
    try:
        others_notice_nothing(servers.port, kind, forwarded=True)
    finally:
        servers.stop()


def others_notice_nothing(port: int, kind: str, *, forwarded: bool = False) -> None:
    fetch_many: Any = {"requests": _REQUESTS, "address": HONEST, "forwarded": forwarded}
    p95(port, PATH, **fetch_many)
    idle = p95(port, PATH, **fetch_many)
    with slow_clients(port, kind, _NUMBER, path="/api/schema") as clients:
        time.sleep(1)
        attacked = p95(port, PATH, **fetch_many)
        left = clients.open_connections()
    print(f"{kind}: p95 {idle * 1000:.1f} ms idle, {attacked * 1000:.1f} ms beside {_NUMBER} connections, {left} still open")
    assert attacked < max(2 * idle, _NOISE_SECONDS)
