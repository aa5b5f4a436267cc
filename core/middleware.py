from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import structlog
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from core.problems import as_problem, failed_page, is_for_programs, unavailable_response
from core.throttling import PagePersonThrottle, PageStrangerThrottle
from core.unavailable import cause_of, log_unavailable

_CHARSETS = ("utf-8", "utf8", "us-ascii")
_WITHOUT_PAGE_LIMIT = ("/api/v1/", "/webhooks/", "/media/", "/healthz", "/readyz")


class ProblemMiddleware:
    """Turns every error under `/api/` and `/webhooks/` into a problem document, Django's own pages for developers included. The outermost
    middleware, so that no other one answers past it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        return as_problem(response) if is_for_programs(request) else response


class EncodingMiddleware:
    """Refuses what Soosh would misread: a compressed body, and text in anything but UTF-8. Python knows codecs that are no encodings of
    text, and Django would decode addresses and forms with them. Refuses addresses with more parameters than are read, too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        compression = request.headers.get("Content-Encoding", "").strip().lower()
        charset = (request.content_params or {}).get("charset", "utf-8").strip().lower()
        if request.META.get("QUERY_STRING", "").count("&") >= settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
            # Django refuses them where they are first read; its page about that for developers takes half a minute.
            return failed_page(400, "This cannot be read", "The address has too many parameters.")
        if compression in ("", "identity") and charset in _CHARSETS:
            return self.get_response(request)
        request.encoding = "utf-8"
        return failed_page(415, "This cannot be read", "Send it as UTF-8, without compression.")


class PageLimitMiddleware:
    """Limits the pages per minute of a person, or of an address from which nobody has signed in.

    The API has limits of its own; health probes, webhooks and media have none.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.THROTTLE and not request.path.startswith(_WITHOUT_PAGE_LIMIT):
            for throttle in (PagePersonThrottle(), PageStrangerThrottle()):
                if not throttle.allow_request(request, None):
                    seconds = max(1, round(throttle.wait()))
                    answer = failed_page(429, "Too many requests", f"Please wait {seconds} seconds, and load the page again.")
                    answer["Retry-After"] = str(seconds)
                    return answer
        return self.get_response(request)


class UnavailableMiddleware:
    """Answers 503 instead of 500 where a dependency is away or full. Placed before the middleware that uses dependencies."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        cause = getattr(request, "unavailable_because", "")
        if response.status_code != HTTPStatus.INTERNAL_SERVER_ERROR or not cause:
            return response
        log_unavailable(cause)
        return unavailable_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer at once for an exception of a view: Django's own error page takes long to build without a database."""
        cause = cause_of(exception)
        if not cause:
            return None
        log_unavailable(cause)
        return unavailable_response(request)


class TrailingSlashMiddleware:
    """Answers a path of the API, or of a webhook, with and without its trailing slash, for every method, without a redirect."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_for_programs(request):
            request.path_info = request.path_info.removesuffix("/")
        return self.get_response(request)


class RequestIdHeaderMiddleware:
    """Gives the client the id under which its request stands in the log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        if request_id:
            response["X-Request-Id"] = request_id
        return response


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """Our own pages run no inline script and no inline style. Pages of others that cannot do without have a wider policy, by the beginning
    of their path: `CONTENT_SECURITY_POLICIES`."""

    def get_policy_parts(self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        for prefix, directives in settings.CONTENT_SECURITY_POLICIES.items():
            if request.path_info.startswith(prefix):
                parts.config = directives
        return parts
