"""Redis as a cache that may be away: then each process keeps its own, so that requests are answered and rate limits still hold."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from django.core.cache import cache
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

logger = structlog.get_logger(__name__)

_RETRY_AFTER_SECONDS = 2.0


class ResilientRedisCache(RedisCache):
    """Falls back to the memory of the process while Redis cannot be reached, and looks again every two seconds."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._memory = LocMemCache("core-cache-fallback", params)
        self._away_until = 0.0

    def _try(self, name: str, remote: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        if time.monotonic() >= self._away_until:
            try:
                return remote(*arguments, **options)
            except (RedisConnectionError, RedisTimeoutError, OSError) as error:
                self._away_until = time.monotonic() + _RETRY_AFTER_SECONDS
                logger.warning("redis away, using the memory of this process", error=str(error)[:200])
        return getattr(self._memory, name)(*arguments, **options)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> Any:
        return self._try("add", super().add, key, value, timeout, version)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._try("get", super().get, key, default, version)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> Any:
        return self._try("set", super().set, key, value, timeout, version)

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> Any:
        return self._try("touch", super().touch, key, timeout, version)

    def delete(self, key: str, version: int | None = None) -> Any:
        return self._try("delete", super().delete, key, version)

    def get_many(self, keys: Any, version: int | None = None) -> Any:
        return self._try("get_many", super().get_many, keys, version)

    def set_many(self, data: dict[str, Any], timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> Any:
        return self._try("set_many", super().set_many, data, timeout, version)

    def delete_many(self, keys: Any, version: int | None = None) -> Any:
        return self._try("delete_many", super().delete_many, keys, version)

    def has_key(self, key: str, version: int | None = None) -> Any:
        return self._try("has_key", super().has_key, key, version)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> Any:
        return self._try("incr", super().incr, key, delta, version)

    def clear(self) -> Any:
        return self._try("clear", super().clear)


# How long others wait for the one who computes, and how often they look.
_LOCK_SECONDS = 5
_LOOK_EVERY_SECONDS = 0.02

Value = TypeVar("Value")


def computed_once(key: str, compute: Callable[[], Value], *, seconds: int) -> tuple[Value, bool]:
    """The value kept under `key`, or else computed and kept, and whether it was kept. When many ask for it at once one of them computes it
    and the others wait for that; who waits too long computes it too, so nobody is held up by somebody who died."""
    kept = cache.get(key)
    deadline = time.monotonic() + _LOCK_SECONDS
    while kept is None and not cache.add(f"{key}:lock", 1, timeout=_LOCK_SECONDS) and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY_SECONDS)
        kept = cache.get(key)
    if kept is not None:
        return kept["value"], True
    value = compute()
    cache.set(key, {"value": value}, timeout=seconds)
    cache.delete(f"{key}:lock")
    return value, False
