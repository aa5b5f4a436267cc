from __future__ import annotations

import time

import pytest
from celery import current_app

from core.bell import ring_for


def test_nobody_waits_for_a_broker_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that rings goes on at once, and the sweep finds what it rang for. The client of the broker would try for six seconds."""
    send_task = current_app.send_task
    with current_app.connection_for_write("redis+socket:///nowhere/redis.sock") as nowhere:
        monkeypatch.setattr(current_app, "send_task", lambda *given, **named: send_task(*given, **named, connection=nowhere))
        begun = time.monotonic()
        assert [ring_for("core.tasks.deliver", "x") for _ in range(3)] == [False] * 3
        assert time.monotonic() - begun < 1
