"""Limits of requests, counted in fixed windows: one command to Redis a request, where DRF's own read and write a list of all times."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.core.cache import cache
from rest_framework import throttling

from core.networks import network_of

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request
    from rest_framework.views import APIView


class _InWindows(throttling.SimpleRateThrottle):
    duration: int
    num_requests: int

    def allow_request(self, request: Request | HttpRequest, view: APIView | None) -> bool:
        if self.rate is None:
            return True
        # Only attributes are read that requests of DRF and of Django share.
        key = self.get_cache_key(request, view)  # type: ignore[arg-type]
        if key is None:
            return True
        window = int(time.time() // self.duration)
        counted: int = cache.count(f"{key}:{window}", self.duration)  # type: ignore[attr-defined]  # of our own cache
        return counted <= self.num_requests

    def get_ident(self, request: Request | HttpRequest) -> str:
        """The client's network: whoever has one IPv6 address has 2**64 of them."""
        return network_of(super().get_ident(request) or "")  # type: ignore[arg-type]  # it reads the headers alone

    def wait(self) -> float:
        """Seconds until the next window."""
        return self.duration - time.time() % self.duration


class PersonThrottle(_InWindows, throttling.UserRateThrottle):
    """Of one person, or of one address while nobody has signed in."""


class StrangerThrottle(_InWindows, throttling.AnonRateThrottle):
    """Of one address from which nobody has signed in."""


class UploadThrottle(PersonThrottle):
    """Limits how many files one person sends to be decoded: each may take a second."""

    scope = "upload"


class PagePersonThrottle(PersonThrottle):
    """Like `PersonThrottle`, for pages."""

    scope = "page_user"


class PageStrangerThrottle(StrangerThrottle):
    """Like `StrangerThrottle`, for pages."""

    scope = "page_anon"
