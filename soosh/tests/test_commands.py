from __future__ import annotations

import os
import socket
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.management import CommandError, call_command

from core import tasks
from core.embedded.paths import EmbeddedHome
from core.health import State
from soosh import demo
from soosh.services_in_force import services_in_force

pytestmark = pytest.mark.django_db


def doctor() -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("doctor", stdout=out)
    except SystemExit as stop:
        return int(stop.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_the_doctor_finds_nothing_wrong_where_nothing_is() -> None:
    tasks.beat_heart()
    code, text = doctor()
    assert code == 0, text
    for part in ("PostgreSQL", "extension vector", "extension unaccent", "clock", "tzdata", "service Redis"):
        assert part in text


def test_the_doctor_says_that_another_embedding_model_is_wished(settings: Any) -> None:
    assert "0 rows wait for all-MiniLM-L6-v2-onnx-int8" in doctor()[1]
    settings.AI_EMBEDDING_ENGINE = "openai"
    code, text = doctor()
    assert code == 1 and "openai/text-embedding-3-small/384: run `manage.py reembed`" in text


def test_the_doctor_says_what_to_do_about_a_silent_worker() -> None:
    code, text = doctor()
    assert code == 1
    assert "celery --app soosh worker" in text


def test_the_doctor_tells_available_from_not_available_extensions() -> None:
    tasks.beat_heart()
    with mock.patch("soosh.management.commands.doctor.REQUIRED_EXTENSIONS", ("vector", "hstore", "postgis")):
        code, text = doctor()
    assert code == 1
    assert 'CREATE EXTENSION "hstore"' in text
    assert "Install it on the database server" in text


def test_the_doctor_notices_clocks_that_disagree() -> None:
    tasks.beat_heart()
    with mock.patch("core.health.clock_skew_seconds", return_value=7.0):
        code, text = doctor()
    assert (code, "NTP" in text) == (1, True)


def test_the_doctor_survives_a_database_that_is_away() -> None:
    with mock.patch(
        "soosh.management.commands.doctor.readiness", return_value={"database": State("gone"), "migrations": State("not known")}
    ):
        code, text = doctor()
    assert (code, "make run" in text) == (1, True)


def test_outside_services_are_named_for_what_they_are(settings: Any) -> None:
    settings.AI_EMBEDDING_ENGINE = "openai"
    settings.EMAIL_URL = "smtp://x"
    state = services_in_force()
    assert state["Embeddings"].startswith("real (https://")
    assert (state["Conversation"], state["Mail"]) == ("embedded", "real (SMTP)")


def test_the_demo_is_loaded_once() -> None:
    said: list[str] = []
    assert demo.load_demo(say=said.append) is True
    assert len(said) == 4
    assert demo.load_demo(say=said.append) is False


def test_a_port_that_somebody_else_has_is_refused_with_their_process(settings: Any, tmp_path: Path) -> None:
    """A second server would otherwise take part of the requests, unnoticed."""
    settings.EMBEDDED_HOME = EmbeddedHome(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.PORT = listener.getsockname()[1]
        with pytest.raises(CommandError, match=rf"Port {settings.PORT} is taken by process {os.getpid()} \(.+\)\. End it, or set PORT"):
            call_command("serve", "--web")
