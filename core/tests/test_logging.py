from __future__ import annotations

import pytest
import structlog

from core.logging import configure, drop_probes, mask_secrets


def test_secrets_are_masked_whoever_logs_them() -> None:
    event = mask_secrets(None, "", {"password": "x", "Refresh_Token": "y", "email": "z"})
    assert event == {"password": "********", "Refresh_Token": "********", "email": "z"}


def test_probes_stay_out_of_the_log() -> None:
    with pytest.raises(structlog.DropEvent):
        drop_probes(None, "", {"request": "GET /readyz"})
    assert drop_probes(None, "", {"request": "GET /api/v1/categories"})


def test_production_logs_json() -> None:
    assert isinstance(configure(as_json=True)["formatters"]["lines"]["processor"], structlog.processors.JSONRenderer)
    configure(as_json=False)
