from __future__ import annotations

from types import SimpleNamespace

import pytest

from conftest import Api
from core import throttling
from core.cache import ResilientRedisCache


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still, twenty seconds into a minute."""
    now = [1_800_000_020.0]
    monkeypatch.setattr(throttling, "time", SimpleNamespace(time=lambda: now[0]))
    return now


@pytest.fixture
def three_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    for throttle in (throttling.PersonThrottle, throttling.StrangerThrottle):
        monkeypatch.setattr(throttle, "rate", "3/min", raising=False)


def test_a_person_who_asks_too_often_is_told_when_to_come_back(
    signed_in: Api, staff_api: Api, noon: list[float], three_a_minute: None
) -> None:
    answers = [signed_in.get("users/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert (answers[-1].json()["code"], answers[-1]["Retry-After"]) == ("too_many_requests", "40")
    assert staff_api.get("users/me").status_code == 200
    noon[0] += 40
    assert signed_in.get("users/me").status_code == 200


def test_strangers_are_counted_by_address(db: None, noon: list[float], three_a_minute: None) -> None:
    assert [Api().post("auth/login", {}).status_code for _ in range(4)] == [400, 400, 400, 429]


def test_all_addresses_of_one_ipv6_network_are_one_client(db: None, noon: list[float], three_a_minute: None) -> None:
    addresses = ("2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:ffff::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:3::1")
    answers = [Api().post("auth/login", {}, REMOTE_ADDR=address).status_code for address in addresses]
    assert answers == [400, 400, 400, 429, 400]


def test_without_redis_the_memory_of_the_process_counts() -> None:
    away = ResilientRedisCache("unix:///nowhere/redis.sock", {"KEY_PREFIX": "away"})
    assert [away.count("counted", 60) for _ in range(3)] == [1, 2, 3]
