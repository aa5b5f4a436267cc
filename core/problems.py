"""RFC 9457 problem documents: one shape for every error of the API."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent, TooManyFilesSent
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, UnreadablePostError
from django.shortcuts import render
from django.template.loader import render_to_string
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.views import set_rollback

from core import errors
from core.unavailable import RETRY_AFTER_SECONDS, cause_of, log_unavailable

logger = structlog.get_logger(__name__)

_NOT_ALLOWED = (
    "Either this is not for you, or the page was open for too long, or your browser keeps our cookies away. Load it again, and try again."
)
INTERNAL_ERROR = "Something broke on our side. It has been recorded."
PROBLEM_CONTENT_TYPE = "application/problem+json"
_CODES = {
    exceptions.ParseError: "malformed_body",
    exceptions.AuthenticationFailed: "not_authenticated",
    exceptions.NotAuthenticated: "not_authenticated",
    exceptions.PermissionDenied: "forbidden",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.Throttled: "too_many_requests",
}


# What Django and the database raise: (exceptions, status, code, detail, headers).
_OTHERS: tuple[tuple[Any, int, str, Any, dict[str, str]], ...] = (
    (Http404, 404, "not_found", errors.NotFound.message, {}),
    (PermissionDenied, 403, "forbidden", errors.Forbidden.message, {}),
    ((RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent), 413, "body_too_large", errors.BodyTooLarge.message, {}),
    ((SuspiciousOperation, UnreadablePostError), 400, "malformed_body", "The request cannot be read.", {}),
    (DataError, 400, "invalid_input", "A value cannot be stored as it is.", {}),
)


_COME_BACK = {"Retry-After": str(RETRY_AFTER_SECONDS)}


def problem(status: int, code: str, detail: str, *, fields: list[dict[str, str]] | None = None, **data: Any) -> dict[str, Any]:
    """The members of a problem document. `type` names the code on the errors page of the documentation."""
    body = {
        "type": f"{settings.PROBLEM_TYPE_BASE}{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if fields is not None:
        body["errors"] = fields
    return body | data


def handle_exception(exception: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler. What is a fault of ours is logged and answers 500."""
    translated = _translate(exception)
    if translated is None:
        logger.error("unhandled exception", exc_info=exception)
        translated = problem(500, "internal_error", INTERNAL_ERROR), {}
    set_rollback()
    body, headers = translated
    response = Response(body, status=body["status"], headers=headers, content_type=PROBLEM_CONTENT_TYPE)
    response.exception = True
    return response


def _translate(exception: Exception) -> tuple[dict[str, Any], dict[str, str]] | None:
    if isinstance(exception, errors.DomainError):
        return _from_domain(exception)
    if isinstance(exception, exceptions.ValidationError):
        fields = field_errors(as_serializer_error(exception))
        return problem(400, "invalid_input", str(errors.InvalidInput.message), fields=fields), {}
    if isinstance(exception, exceptions.APIException):
        return _from_framework(exception)
    for kinds, status, code, detail, headers in _OTHERS:
        if isinstance(exception, kinds):
            return problem(status, code, str(detail)), headers
    cause = cause_of(exception)
    if cause:
        log_unavailable(cause)
        return problem(503, "unavailable", str(errors.Unavailable.message)), _COME_BACK
    return None


def _from_domain(error: errors.DomainError) -> tuple[dict[str, Any], dict[str, str]]:
    fields = [{"field": item.field, "code": item.code, "detail": str(item.detail)} for item in error.errors]
    has_fields = bool(fields) or isinstance(error, errors.InvalidInput)
    body = problem(error.status, error.code, str(error.detail), fields=fields if has_fields else None, **error.data)
    seconds = getattr(error, "retry_after_seconds", None)
    headers = {"Retry-After": str(seconds)} if seconds is not None else {}
    return body, headers


def _from_framework(error: exceptions.APIException) -> tuple[dict[str, Any], dict[str, str]]:
    code = _CODES.get(type(error), "error")
    headers = {}
    challenge = getattr(error, "auth_header", None)
    if challenge:
        headers["WWW-Authenticate"] = challenge
    wait = getattr(error, "wait", None)
    if wait is not None:
        headers["Retry-After"] = str(max(1, int(wait)))
    return problem(error.status_code, code, str(error.detail)), headers


def field_errors(detail: Any, prefix: str = "") -> list[dict[str, str]]:
    """Flatten DRF's nested errors: `{"skills": {"0": ["..."]}}` becomes one entry for the field `skills.0`."""
    if isinstance(detail, dict):
        return [
            found
            for name, inner in detail.items()
            for found in field_errors(inner, prefix if name == "non_field_errors" else f"{prefix}.{name}".strip("."))
        ]
    if isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        return [found for index, item in enumerate(detail) for found in field_errors(item, f"{prefix}.{index}".strip("."))]
    items = detail if isinstance(detail, list) else [detail]
    return [{"field": prefix, "code": getattr(item, "code", "invalid"), "detail": str(item)} for item in items]


def problem_response(status: int, code: str, detail: str, **data: Any) -> JsonResponse:
    """A problem document outside DRF."""
    return JsonResponse(problem(status, code, detail, **data), status=status, content_type=PROBLEM_CONTENT_TYPE)


# Code and detail of an error from outside DRF, where only the status is known.
_BY_STATUS: dict[int, tuple[str, Any]] = {
    400: ("invalid_input", errors.InvalidInput.message),
    403: ("forbidden", errors.Forbidden.message),
    404: ("not_found", errors.NotFound.message),
    405: ("method_not_allowed", "This method is not allowed here."),
    411: ("length_required", "Send the body with its length."),
    413: ("body_too_large", errors.BodyTooLarge.message),
    415: ("unsupported_media_type", "Send the body as it is, without compression, as UTF-8."),
    429: ("too_many_requests", errors.TooManyRequests.message),
    500: ("internal_error", INTERNAL_ERROR),
    503: ("unavailable", errors.Unavailable.message),
}


def as_problem(response: HttpResponseBase) -> HttpResponseBase:
    """Turn an error into a problem document with the same headers. Returns successes and problem documents unchanged."""
    if response.status_code < 400 or response.headers.get("Content-Type", "").startswith(PROBLEM_CONTENT_TYPE):
        return response
    code, detail = _BY_STATUS.get(response.status_code, ("error", errors.DomainError.message))
    answer = problem_response(response.status_code, code, str(detail))
    for name, value in response.headers.items():
        if name not in ("Content-Type", "Content-Length", "Content-Encoding", "ETag"):
            answer[name] = value
    answer.cookies = response.cookies
    return answer


def is_for_programs(request: HttpRequest) -> bool:
    """Whether the path belongs to the API or to webhooks, in any case and with repeated slashes: its client is a program."""
    return f"/{request.path.lower().lstrip('/')}/".startswith(("/api/", "/webhooks/"))


def not_found_view(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A problem document for programs, a page for people."""
    if not is_for_programs(request):
        return render(request, "core/not_found.html", status=404)
    return problem_response(404, "not_found", str(errors.NotFound.message))


def bad_request_view(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not is_for_programs(request):
        return failed_page(400, "This cannot be read", "What your browser sent us is not as it should be. Go back, and try again.")
    return problem_response(400, "invalid_input", str(errors.InvalidInput.message), fields=[])


def forbidden_view(request: HttpRequest, exception: Exception | None = None, reason: str = "") -> HttpResponse:
    """Also for a form whose proof of coming from our own page is missing or old."""
    if not is_for_programs(request):
        return failed_page(403, "This did not work", _NOT_ALLOWED)
    return problem_response(403, "forbidden", str(errors.Forbidden.message))


def server_error_view(request: HttpRequest) -> HttpResponse:
    if not is_for_programs(request):
        return failed_page(500, "Something broke", f"{INTERNAL_ERROR} What you did before stands; try again in a minute.")
    return problem_response(500, "internal_error", INTERNAL_ERROR)


def unavailable_response(request: HttpRequest) -> HttpResponse:
    """A 503 with `Retry-After`: a problem document for programs, a page for people."""
    if is_for_programs(request):
        response: HttpResponse = problem_response(503, "unavailable", str(errors.Unavailable.message))
    else:
        response = failed_page(503, "Not available right now", f"{errors.Unavailable.message} What you did before stands.")
    for name, value in (_COME_BACK | {"Cache-Control": "no-store"}).items():
        response[name] = value
    return response


def failed_page(status: int, title: str, advice: str) -> HttpResponse:
    """A page that needs neither the database nor to know who asks: one of them may be what failed."""
    return HttpResponse(render_to_string("core/failed.html", {"title": title, "advice": advice}), status=status)
