from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DataError, OperationalError
from django.http import Http404
from rest_framework import exceptions

from core import errors
from core.problems import field_errors, handle_exception


def answer(exception: Exception) -> Any:
    return handle_exception(exception, {})


@pytest.mark.parametrize(
    ("exception", "status", "code"),
    [
        (errors.Conflict(), 409, "conflict"),
        (errors.InvalidInput(), 400, "invalid_input"),
        (errors.TooManyRequests(retry_after_seconds=7), 429, "too_many_requests"),
        (exceptions.ParseError(), 400, "malformed_body"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("text/plain"), 415, "unsupported_media_type"),
        (exceptions.Throttled(wait=3), 429, "too_many_requests"),
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "forbidden"),
        (RequestDataTooBig(), 413, "body_too_large"),
        (DataError(), 400, "invalid_input"),
        (OperationalError(), 503, "unavailable"),
        (RuntimeError("a secret"), 500, "internal_error"),
    ],
)
def test_every_error_is_a_problem_document(exception: Exception, status: int, code: str) -> None:
    response = answer(exception)
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    assert {"type", "title", "status", "detail", "code"} <= response.data.keys()
    assert (response.data["status"], response.data["code"]) == (status, code)
    assert response.data["type"].endswith(f"/api/problems/{code}")
    assert "secret" not in str(response.data)


def test_waiting_times_are_told() -> None:
    assert answer(errors.TooManyRequests(retry_after_seconds=7)).headers["Retry-After"] == "7"
    assert answer(exceptions.Throttled(wait=0.2)).headers["Retry-After"] == "1"


def test_domain_errors_carry_fields_and_data() -> None:
    error = errors.Conflict("taken", errors=(errors.FieldError("scheduled_at", "taken", "It is taken."),), alternatives=["x"])
    body = answer(error).data
    assert body["errors"] == [{"field": "scheduled_at", "code": "taken", "detail": "It is taken."}]
    assert (body["alternatives"], body["detail"]) == (["x"], "taken")


def test_nested_field_errors_are_flattened() -> None:
    error = exceptions.ErrorDetail("wrong", code="bad")
    detail = {"skills": [{}, {"name": [error]}], "non_field_errors": [error], "a": {"b": [error]}}
    assert [(found["field"], found["code"]) for found in field_errors(detail)] == [("skills.1.name", "bad"), ("", "bad"), ("a.b", "bad")]
