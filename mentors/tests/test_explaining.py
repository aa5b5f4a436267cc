"""Why a time is not offered: every reason is true, and all of them are named."""

from __future__ import annotations

import dataclasses
import datetime
import random
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from conftest import Api
from mentors.models import MentorProfile, OccupiedTime, Schedule
from mentors.services import keeping, profiles
from mentors.services.explaining import reasons_against
from mentors.services.occupying import claim_time
from mentors.services.schedules import availability_of, set_availability
from mentors.services.slots import Question
from mentors.tests.conftest import utc, weekly

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch: Any) -> list[datetime.datetime]:
    times = [utc("2026-06-01 06:00")]
    monkeypatch.setattr(timezone, "now", lambda: times[0])
    return times


def why(api: Api, profile: MentorProfile, start: str) -> dict[str, list[str]]:
    answer = api.get(f"mentors/{profile.pk}/slots/why?start={start}&duration_minutes=60").json()
    assert answer["is_bookable"] == (answer["reasons"] == [])
    return {reason["code"]: reason["details"] for reason in answer["reasons"]}


def test_a_limit_names_its_period_and_the_sessions_in_it(make_mentor: Any, make_user: Any, clock: Any) -> None:
    owner = make_user()
    profile = make_mentor("00:00-24:00", zone="Asia/Tokyo", user=owner, most_per_day=2, most_per_week=3, most_per_month=9)
    # The first starts on the 9th by UTC, and on the 10th by the mentor's clock.
    for start in ("2026-06-09 16:00", "2026-06-10 02:00", "2026-06-12 02:00", "2026-06-16 02:00"):
        claim_time(profile=profile, learner_id=make_user().pk, starts_at=utc(start), duration_minutes=60, reference=uuid.uuid4())
    mentor, other = Api().sign_in(owner), Api().sign_in(make_user())
    assert why(mentor, profile, "2026-06-10T06:00:00Z") == {
        "limit_reached": [
            "You take 2 a day. 2 start on 2026-06-10, in Asia/Tokyo: 2026-06-10 01:00, 2026-06-10 11:00.",
            "You take 3 a week. 3 start in the week from 2026-06-08 to 2026-06-14, in Asia/Tokyo: "
            "2026-06-10 01:00, 2026-06-10 11:00, 2026-06-12 11:00.",
        ]
    }
    answer = other.get(f"mentors/{profile.pk}/slots/why?start=2026-06-11T06:00:00Z&duration_minutes=60").json()
    assert [reason["text"] for reason in answer["reasons"]] == [
        "The mentor takes no more sessions in the week from 2026-06-08 to 2026-06-14 (Asia/Tokyo)."
    ]


def test_times_that_are_over_or_too_far_ahead_are_not_called_closed(make_mentor: Any, make_user: Any, clock: Any) -> None:
    profile = make_mentor("09:00-17:00", user=make_user())
    other = Api().sign_in(make_user())
    assert why(other, profile, "2027-06-02T10:00:00Z") == {"too_far": []}
    assert why(other, profile, "2027-06-02T18:10:00Z") == {"not_open": [], "off_grid": [], "too_far": []}
    assert why(other, profile, "2026-05-02T10:00:00Z") == {"too_soon": []}
    assert why(other, profile, "9999-12-31T23:59:00Z") == {"too_far": []}
    assert why(Api().sign_in(profile.user), profile, "2026-05-02T10:00:00Z") == {"too_soon": ["This time is over."]}


def test_a_mentor_who_takes_a_break(make_mentor: Any, make_user: Any, clock: Any) -> None:
    profile = make_mentor("09:00-17:00", user=make_user())
    profiles.pause(profile=profile)
    assert why(Api().sign_in(make_user()), profile, "2026-06-02T10:00:00Z") == {"not_taking": []}


def restate(profile: MentorProfile, **changes: Any) -> None:
    """State the hours anew, with some of it changed."""
    stated = availability_of(Schedule.objects.get(profile=profile))
    hours = changes.pop("weekly", stated.weekly)
    set_availability(profile=profile, availability=dataclasses.replace(stated, weekly=hours, settings=changes))


def free(profile: MentorProfile) -> None:
    OccupiedTime.objects.all().delete()
    keeping.keep_free_time_of([profile.user_id])


REMOVALS: dict[str, Callable[[MentorProfile], None]] = {
    "not_open": lambda profile: restate(profile, weekly=weekly("00:00-24:00")),
    "off_grid": lambda profile: restate(profile, increment_minutes=5),
    "limit_reached": lambda profile: restate(profile, most_per_day=None),
    "taken": free,
    "too_far": lambda profile: restate(profile, horizon_days=365),
    "too_soon": lambda profile: restate(profile, notice_minutes=0),
}


@pytest.mark.parametrize("seed", range(3))
def test_without_what_is_named_it_can_be_booked(make_mentor: Any, make_user: Any, clock: Any, seed: int) -> None:
    """Each obstacle is removed in turn: then it is not named any more, and nothing is named that was not before."""
    chance = random.Random(seed)
    profile = make_mentor("09:00-17:00", zone="Europe/Berlin", buffer_after_minutes=30, most_per_day=1)
    for day in (3, 4, 14):
        start = utc(f"2026-06-{day:02} {chance.randrange(7, 14):02}:00")
        claim_time(profile=profile, learner_id=make_user().pk, starts_at=start, duration_minutes=60, reference=uuid.uuid4())
    restate(profile, notice_minutes=2880, horizon_days=10)
    seen = set()
    for _ in range(12):
        start = clock[0] + datetime.timedelta(minutes=10 * chance.randrange(15 * 144))
        with transaction.atomic():
            named = {reason.refusal.value for reason in reasons_against(Question(profile.pk, 60), start)}
            seen |= named
            for code, remove in REMOVALS.items():
                if code in named:
                    remove(profile)
                    left = {reason.refusal.value for reason in reasons_against(Question(profile.pk, 60), start)}
                    assert code not in left and left <= named, (start, code, named, left)
                    named = left
            assert named == set(), start
            transaction.set_rollback(True)
    assert len(seen) >= 4
