from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from mentors.enums import MentorState
from mentors.models import MentorProfile, Offer
from mentors.services.expanding import Hours
from mentors.services.schedules import Availability, WeeklyRule, set_availability

ALL_WEEK = tuple(range(7))


def utc(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


def hours(text: str) -> Hours:
    """`09:00-17:30` as minutes."""
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in text.split("-"))
    return Hours(start, end)


def weekly(text: str, days: tuple[int, ...] = ALL_WEEK) -> tuple[WeeklyRule, ...]:
    return tuple(WeeklyRule(day, hours(part)) for day in days for part in text.split())


@pytest.fixture
def make_mentor(make_user: Callable[..., User]) -> Callable[..., MentorProfile]:
    """A live mentor with one offer of an hour, open as `open_at` says on every day, with no notice and a month ahead."""

    def make(open_at: str = "00:00-24:00", *, zone: str = "UTC", durations: tuple[int, ...] = (60,), **settings: Any) -> MentorProfile:
        user = settings.pop("user", None) or make_user(full_name="Some Mentor")
        rules = settings.pop("rules", None)
        columns = {name: settings.pop(name) for name in ("capacity", "is_open_to_minors", "languages", "bio") if name in settings}
        profile = MentorProfile.objects.create(user=user, state=MentorState.LIVE, live_since=timezone.now(), headline="Mentor", **columns)
        for duration in durations:
            Offer.objects.create(
                profile=profile, kind="session", title="Talk", duration_minutes=duration, price_amount=4500, price_currency="EUR"
            )
        settings = {"notice_minutes": 0, "horizon_days": 30} | settings
        rules = rules or Availability(zone, weekly(open_at))
        set_availability(
            profile=profile, availability=Availability(rules.time_zone, rules.weekly, rules.overrides, rules.travels, settings)
        )
        return profile

    return make


@pytest.fixture
def reference() -> uuid.UUID:
    return uuid.uuid4()
