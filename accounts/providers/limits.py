"""Rate limits beside allauth's own, in the same store, with the time to wait."""

from __future__ import annotations

import math
import time

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.http import HttpRequest

from core.errors import TooManyRequests

_APP = "allauth.account"
_PAUSE_WHILE_LOCKED_SECONDS = 1


def consume(request: HttpRequest, action: str, *, key: str | None = None) -> None:
    """Count one use of `action` by this address and, where the limit says so, for this `key`.

    Raises:
        TooManyRequests
    """
    if not ratelimit.consume(request, app=_APP, action=action, key=key.lower() if key else None):
        raise TooManyRequests(retry_after_seconds=seconds_to_wait(request, action, key=key))


def seconds_to_wait(request: HttpRequest, action: str, *, key: str | None = None) -> int:
    """How long until `action` is allowed again; 1 if it is allowed now."""
    waits = [_PAUSE_WHILE_LOCKED_SECONDS]
    for rate in ratelimit.get_rates(app=_APP, action=action):
        cache_key = ratelimit.get_cache_key(request, app=_APP, action=action, rate=rate, key=key.lower() if key else "")
        history = cache.get(cache_key, [])
        if len(history) >= rate.amount:
            waits.append(math.ceil(history[rate.amount - 1] + rate.duration - time.time()))
    return max(waits)
