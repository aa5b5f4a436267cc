"""Redis as a cache that may be away: then each process keeps its own, so that requests are answered and rate limits still hold."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from django.core.cache import cache
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from core.error_texts import describe

logger = structlog.get_logger(__name__)

_RETRY_AFTER_SECONDS = 2.0


# One command, so that no counter is ever left without its end.
_COUNT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return count
"""


class _RedisClient(RedisCacheClient):
    """Django makes a client for every command, which takes longer than the command; a client may serve all threads for ever."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._clients: dict[Any, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        pool = self._get_connection_pool(write)  # type: ignore[attr-defined]  # left out of the stubs
        if pool not in self._clients:
            self._clients[pool] = self._client(connection_pool=pool)  # type: ignore[attr-defined]  # left out of the stubs
        return self._clients[pool]

    @functools.cached_property
    def _count(self) -> Any:
        return self.get_client(write=True).register_script(_COUNT)

    def count(self, key: str, seconds: int) -> int:
        return int(self._count(keys=(key,), args=(seconds,)))


class _Memory(LocMemCache):
    def count(self, key: str, seconds: int) -> int:
        return 1 if self.add(key, 1, timeout=seconds) else self.incr(key)


class ResilientRedisCache(RedisCache):
    """Falls back to the memory of the process while Redis cannot be reached, and looks again every two seconds."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _RedisClient
        self._memory = _Memory("core-cache-fallback", params)
        self._away_until = 0.0

    def _try(self, name: str, remote: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        if time.monotonic() >= self._away_until:
            try:
                return remote(*arguments, **options)
            except (RedisConnectionError, RedisTimeoutError, OSError) as error:
                self._away_until = time.monotonic() + _RETRY_AFTER_SECONDS
                logger.warning("redis away, using the memory of this process", error=describe(error))
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

    def count(self, key: str, seconds: int) -> int:
        """How often this was called with this key, this call included, since the first one at most so many seconds ago."""
        found: int = self._try("count", self._count, key, seconds)
        return found

    def _count(self, key: str, seconds: int) -> int:
        counted: int = self._cache.count(self.make_and_validate_key(key), seconds)  # type: ignore[attr-defined]  # of our client
        return counted

    def clear(self) -> Any:
        return self._try("clear", super().clear)


# How long others wait for the one who computes, and how often they look.
_LOCK_SECONDS = 5
_LOOK_EVERY_SECONDS = 0.02

Value = TypeVar("Value")


def kept_value(key: str) -> Any:
    """What `computed_once` keeps under `key`, or None."""
    kept = cache.get(key)
    return kept and kept["value"]


def computed_once(
    key: str, compute: Callable[[], Value], *, seconds: int, is_good: Callable[[Value], bool] = lambda value: True
) -> tuple[Value, bool]:
    """The value kept under `key` if it is good, or else computed and kept, and whether it was kept. When many ask for it at once one of
    them computes it and the others wait for that; who waits too long computes it too, so nobody is held up by somebody who died."""

    def look() -> dict[str, Value] | None:
        kept: dict[str, Value] | None = cache.get(key)
        return kept if kept is not None and is_good(kept["value"]) else None

    lock = f"{key}:lock"
    kept = look()
    deadline = time.monotonic() + _LOCK_SECONDS
    while kept is None:
        is_ours = cache.add(lock, 1, timeout=_LOCK_SECONDS)
        # Whoever held the lock until now may have finished between the last look and this one.
        kept = look()
        if kept is not None and is_ours:
            cache.delete(lock)
        if kept is not None or is_ours or time.monotonic() >= deadline:
            break
        time.sleep(_LOOK_EVERY_SECONDS)
    if kept is not None:
        return kept["value"], True
    value = compute()
    cache.set(key, {"value": value}, timeout=seconds)
    cache.delete(lock)
    return value, False
