from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.adversarial.servers import ProductionServers


@pytest.fixture(scope="session")
def production(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProductionServers]:
    """One for the tests of a process: what one of them holds open must not disturb another anyway."""
    with django_db_blocker.unblock():
        servers = ProductionServers(tmp_path_factory.mktemp("production"))
    servers.start()
    yield servers
    servers.stop()
