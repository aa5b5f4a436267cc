"""Rate limits of sign-in, with the time to wait.

What a stranger can trigger for somebody else's account is counted by account and network together, so that the stranger's network is
refused and the owner's is not (docs/decisions/0028). Only what its owner alone can trigger is counted by account.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from accounts.providers.clients import address_of
from core.errors import TooManyRequests
from core.limits import Limit
from core.networks import network_of

_HOUR_SECONDS = 3_600
# Attempts on one account from all networks together, in an hour and in a day.
_BUDGET = (Limit("account", 20, 3_600), Limit("account", 60, 86_400))
# After this many e-mails of one kind to one address in an hour, one a minute is sent. Earlier ones stay valid, so the owner need not wait.
_MAILS_PER_HOUR = 10
_SECONDS_BETWEEN_MAILS = 60


def consume(request: HttpRequest, action: str, *, key: str = "", is_owner: bool = False) -> Callable[[], None]:
    """Count one use of `action` by this network and, where the limit says so, for this `key`: of this network alone, or from everywhere
    if only the owner of the account can get here. Returns what takes the use back.

    Raises:
        TooManyRequests
    """
    if not settings.THROTTLE:
        return lambda: None
    network = network_of(address_of(request))
    counted = key if is_owner else f"{key}|{network}"
    counters = []
    # From the shortest window to the longest, so that an attempt refused by a minute does not use up those of a day.
    for limit in settings.SIGN_IN_LIMITS[action]:
        counter = _count(_name(f"{action}:{limit.per}:{limit.seconds}", network if limit.per == "network" else counted), limit)
        if counter.is_over:
            raise TooManyRequests(retry_after_seconds=counter.seconds_to_wait)
        counters.append(counter)
    return lambda: _take_back(counters)


def spend_budget(kind: str, key: str) -> tuple[bool, Callable[[], None]]:
    """Count an attempt for this `key`, from all networks together, before it is checked.

    Returns whether it is within the budget of an hour and a day, and a function that takes it back.
    """
    if not settings.THROTTLE:
        return True, lambda: None
    counters = [_count(_name(f"{kind}:{limit.seconds}", key), limit) for limit in _BUDGET]
    return not any(counter.is_over for counter in counters), lambda: _take_back(counters)


@dataclasses.dataclass(frozen=True)
class _Counter:
    name: str
    is_over: bool
    seconds_to_wait: int


def _count(name: str, limit: Limit) -> _Counter:
    """Count one use in a window that starts with the first. A single Redis command, so concurrent uses cannot exceed the limit."""
    used: int = cache.count(name, limit.seconds)  # type: ignore[attr-defined]  # of our own cache
    if used == 1:
        cache.set(f"{name}:began", time.time(), timeout=limit.seconds)
    if used <= limit.most:
        return _Counter(name, is_over=False, seconds_to_wait=0)
    wait = math.ceil(cache.get(f"{name}:began", time.time()) + limit.seconds - time.time())
    return _Counter(name, is_over=True, seconds_to_wait=min(max(wait, 1), limit.seconds))


def _take_back(counters: list[_Counter]) -> None:
    for counter in counters:
        # The window may have ended in the meantime.
        with contextlib.suppress(ValueError):
            cache.decr(counter.name)


def may_mail(kind: str, email: str) -> bool:
    """Whether another e-mail of this kind may go to this address now. Limits slow e-mails down but never stop them."""
    if not settings.THROTTLE:
        return True
    name = _name(f"mails:{kind}", email)
    is_few: bool = cache.count(name, _HOUR_SECONDS) <= _MAILS_PER_HOUR  # type: ignore[attr-defined]  # of our own cache
    return is_few or bool(cache.add(f"{name}:pause", 1, timeout=_SECONDS_BETWEEN_MAILS))


def _name(kind: str, key: str) -> str:
    return f"accounts:{kind}:{salted_hmac('accounts.limits', key.lower(), algorithm='sha256').hexdigest()}"
