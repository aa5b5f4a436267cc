from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from bookings.tests.daily_peer import KEY, WEBHOOK_SECRET, DailyPeer
from bookings.tests.world import BookingWorld, Clock
from mentors.querysets import MentorProfileQuerySet
from mentors.tests.conftest import make_mentor
from payments.tests.world import peer_in_force

assert make_mentor  # a fixture


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What the product takes for now: Tuesday, 1 June 2027, 8:00 in UTC, until it is set to something else."""
    shown = Clock("2027-06-01 08:00")
    monkeypatch.setattr(timezone, "now", shown.now)
    return shown


@pytest.fixture
def world(clock: Clock, make_user: Callable[..., User], make_mentor: Callable[..., Any]) -> Iterator[BookingWorld]:
    """A mentor with an offer of an hour at 45 euros, open at all hours of the next 30 days, a learner, and the peer of Stripe."""
    with peer_in_force() as peer:
        profile = make_mentor(user=make_user(full_name="Ada Mentor"), capacity=50)
        yield BookingWorld(peer, make_user(full_name="Lea Learner"), profile, clock, make_user)


@pytest.fixture
def ward(world: BookingWorld) -> tuple[User, User]:
    """Somebody of 15 years, and their guardian."""
    return world.ward()


@pytest.fixture
def cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every mentor was checked for work with minors."""
    monkeypatch.setattr(MentorProfileQuerySet, "cleared_for_minors", lambda self: self)


@pytest.fixture
def peer(settings: Any) -> Iterator[DailyPeer]:
    """Video is Daily, and Daily is the peer."""
    found = DailyPeer()
    settings.VIDEO_ENGINE, settings.DAILY_API_KEY, settings.DAILY_API_BASE = "daily", KEY, found.base
    settings.DAILY_WEBHOOK_SECRET = WEBHOOK_SECRET
    yield found
    found.close()
