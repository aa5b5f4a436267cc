from __future__ import annotations

from unittest import mock

import pytest

from core.cache import ResilientRedisCache


@pytest.fixture
def away() -> ResilientRedisCache:
    """A cache whose Redis cannot be reached."""
    cache = ResilientRedisCache("unix:///nowhere/redis.sock", {"KEY_PREFIX": "away"})
    cache._memory.clear()
    return cache


def test_without_redis_the_memory_of_the_process_serves(away: ResilientRedisCache) -> None:
    assert away.get("a", "nothing") == "nothing"
    away.set("a", 1)
    assert away.add("a", 2) is False
    assert away.incr("a") == 2
    assert away.get_many(["a", "b"]) == {"a": 2}
    assert away.touch("a") is True
    assert away.has_key("a") is True
    away.set_many({"b": 3})
    away.delete_many(["b"])
    assert away.delete("a") is True
    away.clear()
    assert away.get("a") is None


def test_a_lost_redis_is_not_asked_again_at_once(away: ResilientRedisCache) -> None:
    away.get("a")
    with mock.patch("django.core.cache.backends.redis.RedisCacheClient.get") as asked:
        away.get("a")
        asked.assert_not_called()
        away._away_until = 0
        asked.return_value = "from redis"
        assert away.get("a") == "from redis"
