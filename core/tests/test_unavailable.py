"""A dependency that is away or full: 503 everywhere, and one line in the log."""

from __future__ import annotations

import errno
from typing import Any
from unittest import mock

import psycopg
import pytest
from django.core.cache import cache
from django.db import DataError, IntegrityError, InterfaceError, InternalError, OperationalError
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import Client, RequestFactory

from conftest import PASSWORD
from core import unavailable
from core.middleware import UnavailableMiddleware
from core.problems import handle_exception


def raised_by(code: str, kind: type[Exception] = OperationalError) -> Exception:
    """What Django raises when PostgreSQL answers with this code."""
    error = kind("words with db.internal in them")
    error.__cause__ = psycopg.errors.lookup(code)("")
    return error


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (raised_by("53100"), "the disk of the database is full"),
        (raised_by("53300"), "all connections of the database are taken"),
        (raised_by("25006", InternalError), "the database is read-only"),
        (raised_by("57P01"), "the database is shutting down"),
        (
            OperationalError("connection to server failed: FATAL:  sorry, too many clients already"),
            "all connections of the database are taken",
        ),
        (InterfaceError("the connection is closed"), "the database does not answer"),
        (OSError(errno.ENOSPC, "No space left on device"), "a file cannot be written: no space is left"),
        (raised_by("XX000", InternalError), ""),
        *((error, "") for error in (DataError(), IntegrityError(), ValueError(), FileNotFoundError(errno.ENOENT, "x"))),
    ],
)
def test_what_passes_by_itself_is_told_from_what_does_not(error: Exception, cause: str) -> None:
    assert unavailable.cause_of(error) == cause


def test_each_cause_is_logged_once_for_many_requests() -> None:
    unavailable._logged_at.clear()
    with mock.patch("core.unavailable.logger") as logger:
        for error in (raised_by("53100"), raised_by("53100"), OSError(errno.ENOSPC, "full"), raised_by("53100")):
            response = handle_exception(error, {})
            assert (response.status_code, response.data["code"], response["Retry-After"]) == (503, "unavailable", "5")
    causes = [call.kwargs["cause"] for call in logger.error.call_args_list]
    assert causes == ["the disk of the database is full", "a file cannot be written: no space is left"]


PLACES = (
    *("/", "/sign-in/", "/mentors/", "/dashboard/", "/admin/", "/admin/accounts/user/", "/sign-in/socket"),
    *("/api/v1/categories", "/api/v1/users/me", "/api/v1/bookings", "/api/v1/mentors"),
)


def test_without_a_connection_everything_answers_503(user: Any) -> None:
    """Pages, the admin, the API and what middleware does before and after them."""
    client = Client(raise_request_exception=False)
    assert client.post("/sign-in/", {"email": user.email, "password": PASSWORD}).status_code == 302
    cache.clear()
    taken = OperationalError("FATAL:  sorry, too many clients already")
    refused = {"cursor": mock.DEFAULT, "ensure_connection": mock.DEFAULT}
    with mock.patch.multiple(DatabaseWrapper, **refused) as methods:
        for method in methods.values():
            method.side_effect = taken
        answers = {path: client.get(path) for path in PLACES}
        answers["webhook"] = client.post("/api/v1/payments/webhooks/stripe/", b"{}", content_type="application/json")
    statuses = {path: answer.status_code for path, answer in answers.items()}
    assert 500 not in statuses.values(), statuses
    away = [answer for answer in answers.values() if answer.status_code == 503]
    assert len(away) >= 5, statuses
    assert {answer["Retry-After"] for answer in away} == {"5"}


def test_a_fault_of_ours_stays_a_fault_of_ours() -> None:
    request = RequestFactory().get("/")
    answer = UnavailableMiddleware(lambda _: mock.Mock(status_code=500))(request)
    assert answer.status_code == 500
