from __future__ import annotations

import logging
import re
import smtplib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import structlog
import typst
from celery import current_app
from celery.app.trace import build_tracer
from celery.signals import task_failure
from django import forms
from django.db import IntegrityError, transaction

from conftest import LogTrap
from core.embedded.paths import EmbeddedHome
from core.embedded.services import postgres_command
from core.error_texts import describe
from core.errors import InvalidInput
from core.logging import configure, drop_probes, mask_secrets

NAME = "王小明"


class ProviderError(Exception):
    """As SDKs raise them."""

    code, http_status = "resource_missing", 400


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


class TestExceptions:
    """What people entered stands in messages of exceptions, and must not reach a log from there."""

    @pytest.fixture
    def lines(self) -> Iterator[list[str]]:
        trap = LogTrap()
        logging.root.addHandler(trap)
        yield trap.lines
        logging.root.removeHandler(trap)

    @staticmethod
    def _raise(error: BaseException) -> None:
        try:
            raise ValueError(f"{NAME} inner")
        except ValueError as inner:
            raise error from inner

    @pytest.mark.parametrize(
        "error",
        [
            ValueError(NAME),
            KeyError(NAME),
            UnicodeEncodeError("ascii", NAME, 0, 1, NAME),
            FileNotFoundError(2, "No such file", f"/media/{NAME}"),
            typst.TypstError(f"PDF/UA-1 error: the text `{NAME}` could not be displayed", [], []),
            ProviderError(f"No such customer: {NAME}"),
            smtplib.SMTPRecipientsRefused({"x": (550, NAME.encode())}),
            InvalidInput(NAME),
            forms.ValidationError(NAME, code="wrong"),
        ],
        ids=lambda error: type(error).__name__,
    )
    @pytest.mark.parametrize(
        "logger", [structlog.get_logger("core.events"), logging.getLogger("core.events")], ids=["structlog", "logging"]
    )
    def test_no_message_is_written(self, lines: list[str], error: BaseException, logger: Any) -> None:
        try:
            self._raise(error)
        except type(error):
            logger.exception("it failed")
            logging.getLogger("core.events").error("it failed with %s, %r", error, error)
            logger.error(f"it failed: {error}", exc_info=True)
        assert len(lines) == 3
        text = "\n".join(lines)
        assert NAME not in text and "\\u738b" not in text
        assert "in _raise" in text and type(error).__name__ in text

    def test_a_refused_row_is_told_by_its_constraint(self, lines: list[str], user: Any) -> None:
        try:
            with transaction.atomic():
                type(user).objects.create(email=user.email, full_name=NAME)
        except IntegrityError:
            logging.getLogger("core.events").exception("not saved")
        assert user.email not in lines[0] and NAME not in lines[0]
        assert "sqlstate=23505, table=accounts_user" in lines[0]

    def test_a_failed_task_is_told_without_its_message(self, lines: list[str]) -> None:
        @current_app.task(name="core.tests.failing")
        def failing() -> None:
            raise ValueError(NAME)

        build_tracer(failing.name, failing, app=current_app._get_current_object())("id", (), {}, {"is_eager": False, "hostname": "x"})
        task_failure.send(sender=failing, task_id="id", exception=ValueError(NAME), traceback=None, einfo=None)
        assert lines and not [line for line in lines if NAME in line or "\\u738b" in line]
        assert any("ValueError" in line for line in lines)

    def test_messages_about_code_and_connections_are_kept(self) -> None:
        assert "no attribute 'name'" in describe(AttributeError("'NoneType' object has no attribute 'name'"))
        assert "Connection refused" in describe(redis.ConnectionError("Error 111 connecting to localhost:6379. Connection refused."))
        assert describe(InvalidInput(NAME)) == "core.errors.InvalidInput (invalid_input)"
        assert "resource_missing" in describe(ProviderError(NAME))

    def test_the_place_is_told(self) -> None:
        try:
            self._raise(ValueError(NAME))
        except ValueError as error:
            assert re.fullmatch(r"ValueError at core/tests/test_logging\.py:\d+", describe(error))


def test_the_database_logs_neither_statements_nor_rows(tmp_path: Path) -> None:
    command = postgres_command(EmbeddedHome(tmp_path))
    assert {"log_min_error_statement=panic", "log_error_verbosity=terse"} <= set(command)
