from __future__ import annotations

from collections.abc import Callable

import structlog
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

_API_PREFIX = "/api/"


class TrailingSlashMiddleware:
    """Answers an API path with and without its trailing slash, for every method, without a redirect (the contract)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(_API_PREFIX) and request.path_info.endswith("/"):
            request.path_info = request.path_info.rstrip("/")
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
