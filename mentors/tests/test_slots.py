"""What is listed is accepted, what is not listed is refused, and both agree with a slow and simple reading of the rules."""

from __future__ import annotations

import datetime
import random
import uuid
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from accounts.models import User
from core.wall_time import instant_of
from mentors.enums import Refusal, TimeSource
from mentors.errors import SlotUnavailable
from mentors.models import MentorProfile, OccupiedTime
from mentors.services.expanding import Hours, Stay, joined, wall_time
from mentors.services.keeping import keep_free_time_of
from mentors.services.occupying import claim_time
from mentors.services.schedules import Availability, Override, WeeklyRule
from mentors.services.slots import Question, refusals_of, slots_between
from mentors.tests.conftest import utc

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
MINUTE = datetime.timedelta(minutes=1)
# A zone, and a day on which or near which its clock is changed.
CHANGES = (
    *(
        ("America/New_York", "2026-03-08"),
        ("America/New_York", "2026-11-01"),
        ("Europe/Berlin", "2026-03-29"),
        ("Europe/Berlin", "2026-10-25"),
    ),
    *(("Australia/Lord_Howe", "2026-10-04"), ("Australia/Lord_Howe", "2026-04-05"), ("Africa/Cairo", "2026-04-24"), ("UTC", "2026-06-01")),
    *(
        ("America/Santiago", "2026-09-06"),
        ("America/Santiago", "2026-04-05"),
        ("Antarctica/Troll", "2026-03-29"),
        ("Asia/Kathmandu", "2026-06-01"),
    ),
)


class World:
    """A mentor with random rules and random time taken, around a change of clocks."""

    def __init__(self, seed: int, make_mentor: Any, make_user: Any) -> None:
        self.chance = random.Random(seed)
        self.zone, day = self.chance.choice(CHANGES)
        self.now = utc(day) - self.chance.randrange(0, 4 * 1440) * MINUTE
        self.first = self.now.date() - DAY
        self.minutes = self.chance.choice((15, 30, 45, 60, 90))
        self.settings: dict[str, Any] = {
            "increment_minutes": self.chance.choice((15, 20, 30, 45, 60)),
            "buffer_before_minutes": self.chance.choice((0, 0, 10, 30)),
            "buffer_after_minutes": self.chance.choice((0, 0, 5, 45)),
            "notice_minutes": self.chance.choice((0, 60, 24 * 60)),
            "horizon_days": self.chance.choice((3, 7, 14)),
            "most_per_day": self.chance.choice((None, None, 1, 2)),
            "most_per_week": self.chance.choice((None, None, 3)),
            "most_per_month": self.chance.choice((None, None, 5)),
        }
        self.capacity = self.chance.choice((1, 2, 3, 9))
        weekly = tuple(WeeklyRule(weekday, hours) for weekday in range(7) for hours in self._hours())
        overrides = tuple(Override(self.first + number * DAY, self._hours()) for number in range(12) if self.chance.random() < 0.15)
        away = self.first + self.chance.randrange(8) * DAY
        travels = (Stay(away, away + DAY, ZoneInfo(self.chance.choice(CHANGES)[0])),) if self.chance.random() < 0.3 else ()
        self.rules = Availability(self.zone, weekly, overrides, travels)
        self.profile: MentorProfile = make_mentor(rules=self.rules, durations=(self.minutes,), capacity=self.capacity, **self.settings)
        self.learner = make_user()
        self.others = [self.learner, *(User.objects.create_user(f"{uuid.uuid4().hex}@example.org", None) for _ in range(3))]
        self._occupy()

    def _hours(self) -> tuple[Hours, ...]:
        edges = sorted(self.chance.sample(range(0, 1441, 15), 2 * self.chance.choice((0, 1, 1, 2))))
        return tuple(Hours(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True))

    def _occupy(self) -> None:
        for _ in range(self.chance.randrange(12)):
            start = self.now + self.chance.randrange(0, 9 * 96) * 15 * MINUTE
            during = DateTimeTZRange(start, start + self.chance.choice((20, 60, 300)) * MINUTE, "[)")
            kind = self.chance.choice(("block", "block", "session", "learner"))
            person_id = self.learner.pk if kind == "learner" else self.profile.user_id
            taken = OccupiedTime.objects.filter(person_id=person_id, source=TimeSource.SESSION, during__overlap=during)
            if kind in ("session", "learner"):
                if not taken.exists():
                    booked = {"session": during, "reference": uuid.uuid4(), "is_mentor": kind == "session"}
                    OccupiedTime.objects.create(person_id=person_id, source=TimeSource.SESSION, during=during, **booked)
                    if kind == "session":
                        self._occupy_other(during, booked["reference"])
            else:
                OccupiedTime.objects.create(person_id=person_id, source=kind, during=during)
        keep_free_time_of([self.profile.user_id])

    def _occupy_other(self, during: DateTimeTZRange, reference: uuid.UUID) -> None:
        """The one with whom the mentor has a session then, if that person is free."""
        other = self.chance.choice(self.others)
        if not OccupiedTime.objects.filter(person=other, source=TimeSource.SESSION, during__overlap=during).exists():
            OccupiedTime.objects.create(person=other, source=TimeSource.SESSION, during=during, session=during, reference=reference)

    def zone_on(self, date: datetime.date) -> ZoneInfo:
        return next((stay.zone for stay in self.rules.travels if stay.first <= date <= stay.last), ZoneInfo(self.zone))

    def openings(self) -> list[tuple[datetime.date, Hours]]:
        overridden = {override.date: override.hours for override in self.rules.overrides}
        found = []
        for number in range(22):
            date = self.first + number * DAY
            stated = overridden.get(date, tuple(rule.hours for rule in self.rules.weekly if rule.weekday == date.weekday()))
            found += [(date, hours) for hours in joined(stated)]
        return found

    def instant(self, date: datetime.date, minute: int) -> datetime.datetime:
        return instant_of(wall_time(date, minute), self.zone_on(date))

    def expected(self, start: datetime.datetime) -> bool:
        """Minute by minute, and rule by rule."""
        end = start + self.minutes * MINUTE
        openings = [(self.instant(date, hours.start), self.instant(date, hours.end)) for date, hours in self.openings()]
        minutes = [start + number * MINUTE for number in range(self.minutes)]
        is_open = all(any(begin <= minute < close for begin, close in openings) for minute in minutes)
        is_soon = start < self.now + self.settings["notice_minutes"] * MINUTE
        is_far = start > self.now + self.settings["horizon_days"] * DAY
        before, after = (self.settings[f"buffer_{side}_minutes"] * MINUTE for side in ("before", "after"))
        own = OccupiedTime.objects.filter(person=self.profile.user_id)
        is_taken = any(row.during.lower < end + after and start - before < row.during.upper for row in own)
        learner = OccupiedTime.objects.filter(person=self.learner)
        is_busy = any(row.during.lower < end and start < row.during.upper for row in learner)
        return (
            is_open
            and self.is_start(start)
            and not (is_soon or is_far or is_taken or is_busy or self.is_full(start) or self.is_at_capacity())
        )

    def is_start(self, start: datetime.datetime) -> bool:
        for date, hours in self.openings():
            for minute in range(hours.start, hours.end, self.settings["increment_minutes"]):
                shown = self.instant(date, minute).astimezone(self.zone_on(date)).replace(tzinfo=None)
                if shown == wall_time(date, minute) and self.instant(date, minute) == start:
                    return True
        return False

    def is_at_capacity(self) -> bool:
        ahead = [
            row.reference
            for row in OccupiedTime.objects.filter(person=self.profile.user_id, is_mentor=True)
            if row.session.upper > self.now
        ]
        people = {row.person_id for row in OccupiedTime.objects.filter(reference__in=ahead, is_mentor=False)}
        return len(people) >= self.capacity and self.learner.pk not in people

    def dates(self, instant: datetime.datetime) -> set[datetime.date]:
        near = [instant.date() + number * DAY for number in (-2, -1, 0, 1, 2)]
        return {date for date in near if self.instant(date, 0) <= instant < self.instant(date, 1440)}

    def is_full(self, start: datetime.datetime) -> bool:
        sessions = [row.session.lower for row in OccupiedTime.objects.filter(person=self.profile.user_id, is_mentor=True)]
        periods: tuple[tuple[str, Any], ...] = (
            ("most_per_day", lambda date: date),
            ("most_per_week", lambda date: date.isocalendar()[:2]),
            ("most_per_month", lambda date: (date.year, date.month)),
        )
        for name, period in periods:
            if self.settings[name] is not None:
                for wanted in {period(date) for date in self.dates(start)}:
                    count = sum(wanted in {period(date) for date in self.dates(session)} for session in sessions)
                    if count >= self.settings[name]:
                        return True
        return False


def check(seed: int, make_mentor: Any, make_user: Any, monkeypatch: Any) -> int:
    """Returns how many slots the world had."""
    chance = random.Random(seed)
    clock = [timezone.now()]
    monkeypatch.setattr(timezone, "now", lambda: clock[0])
    # The clock stands from the beginning where the world will set it.
    probe = World.__new__(World)
    probe.chance = random.Random(seed)
    day = probe.chance.choice(CHANGES)[1]
    clock[0] = utc(day) - probe.chance.randrange(0, 4 * 1440) * MINUTE
    world = World(seed, make_mentor, make_user)
    question = Question(world.profile.pk, world.minutes, world.learner.pk)
    listed = slots_between(question, world.now - DAY, world.now + 16 * DAY)
    assert listed == sorted(set(listed))
    tried = [*chance.sample(listed, min(8, len(listed)))]
    tried += [world.now.replace(minute=0, second=0, microsecond=0) + chance.randrange(-96, 15 * 96) * 15 * MINUTE for _ in range(16)]
    tried += [start + chance.choice((5, -5, 15)) * MINUTE for start in tried[:6]]
    for start in tried:
        is_listed = start in listed
        assert is_listed == (refusals_of(question, start) == []) == world.expected(start), (seed, start)
        with transaction.atomic():
            try:
                claim_time(
                    profile=world.profile,
                    learner_id=world.learner.pk,
                    starts_at=start,
                    duration_minutes=world.minutes,
                    reference=uuid.uuid4(),
                )
                is_taken = True
            except SlotUnavailable as error:
                is_taken = False
                assert error.data["reasons"] == [refusal.value for refusal in refusals_of(question, start)]
                assert all(datetime.datetime.fromisoformat(other) in listed for other in error.data["alternatives"])
            assert is_taken == is_listed, (seed, start)
            if is_taken:
                assert start not in slots_between(question, start, start + MINUTE)
            transaction.set_rollback(True)
    return len(listed)


def test_random_worlds(make_mentor: Any, make_user: Any, monkeypatch: Any) -> None:
    seeds = random.sample(range(10**9), 25)
    slots = [check(seed, make_mentor, make_user, monkeypatch) for seed in seeds]
    assert sum(slots) > 0


@pytest.mark.long
def test_many_random_worlds(make_mentor: Any, make_user: Any, monkeypatch: Any) -> None:
    seed = random.randrange(10**9)
    slots = [check(seed + number, make_mentor, make_user, monkeypatch) for number in range(1_000)]
    print(f"seeds {seed} to {seed + 999}: {sum(slots)} slots")
    assert sum(slot > 0 for slot in slots) > 700


class TestRules:
    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(timezone, "now", lambda: utc("2026-06-01 08:00"))

    def refusals(self, profile: MentorProfile, start: str, minutes: int = 60, **more: Any) -> list[str]:
        return [refusal.value for refusal in refusals_of(Question(profile.pk, minutes, **more), utc(start))]

    def test_each_is_named(self, make_mentor: Any, user: Any) -> None:
        profile = make_mentor("09:00-12:00", notice_minutes=180, increment_minutes=30, most_per_day=1)
        assert self.refusals(profile, "2026-06-02 09:00") == []
        assert self.refusals(profile, "2026-06-02 09:00", 45) == [Refusal.WRONG_DURATION]
        assert self.refusals(profile, "2026-06-02 11:30") == [Refusal.NOT_OPEN]
        assert self.refusals(profile, "2026-06-02 09:10") == [Refusal.OFF_GRID]
        assert self.refusals(profile, "2026-06-01 10:30") == [Refusal.TOO_SOON]
        assert self.refusals(profile, "2026-06-01 11:00") == []
        assert self.refusals(profile, "2026-07-02 09:00") == [Refusal.TOO_FAR]
        claim_time(profile=profile, learner_id=user.pk, starts_at=utc("2026-06-02 09:00"), duration_minutes=60, reference=uuid.uuid4())
        assert self.refusals(profile, "2026-06-02 09:30") == [Refusal.TAKEN, Refusal.LIMIT_REACHED]
        assert self.refusals(profile, "2026-06-02 10:00") == [Refusal.LIMIT_REACHED]

    def test_learner_is_in_one_place(self, make_mentor: Any, user: Any) -> None:
        first, second = make_mentor(), make_mentor()
        claim_time(profile=first, learner_id=user.pk, starts_at=utc("2026-06-02 09:00"), duration_minutes=60, reference=uuid.uuid4())
        assert self.refusals(second, "2026-06-02 09:30", learner_id=user.pk) == [Refusal.LEARNER_BUSY]
        assert self.refusals(second, "2026-06-02 09:30") == []

    def test_notice_over_a_clock_change_is_elapsed_time(self, make_mentor: Any, monkeypatch: Any) -> None:
        """Twenty-four hours' notice on the evening before New York's clock is put forward (cal.com #12137)."""
        monkeypatch.setattr(timezone, "now", lambda: utc("2026-03-07 23:00"))
        profile = make_mentor("00:00-24:00", zone="America/New_York", notice_minutes=24 * 60, increment_minutes=60)
        assert self.refusals(profile, "2026-03-08 22:00") == [Refusal.TOO_SOON]
        assert self.refusals(profile, "2026-03-08 23:00") == []

    def test_without_a_schedule_nobody_is_open(self, make_mentor: Any) -> None:
        profile = make_mentor()
        profile.schedule.delete()
        assert self.refusals(profile, "2026-06-02 09:00") == [Refusal.NOT_OPEN]
        assert slots_between(Question(profile.pk, 60), utc("2026-06-02"), utc("2026-06-03")) == []

    def test_buffers_add_up_and_may_lie_outside_the_hours(self, make_mentor: Any, user: Any) -> None:
        profile = make_mentor("09:00-13:00", buffer_before_minutes=10, buffer_after_minutes=20, increment_minutes=10)
        assert self.refusals(profile, "2026-06-02 09:00") == []
        claim_time(profile=profile, learner_id=user.pk, starts_at=utc("2026-06-02 09:00"), duration_minutes=60, reference=uuid.uuid4())
        assert self.refusals(profile, "2026-06-02 10:20") == [Refusal.TAKEN]
        assert self.refusals(profile, "2026-06-02 10:30") == []

    def test_limits_count_in_the_zone_of_the_mentor(self, make_mentor: Any, user: Any) -> None:
        profile = make_mentor(zone="Asia/Tokyo", most_per_day=1, increment_minutes=60)
        # The evening of 2 June in UTC is the morning of 3 June in Tokyo.
        claim_time(profile=profile, learner_id=user.pk, starts_at=utc("2026-06-02 20:00"), duration_minutes=60, reference=uuid.uuid4())
        assert self.refusals(profile, "2026-06-02 14:00") == []
        assert self.refusals(profile, "2026-06-02 15:00") == [Refusal.LIMIT_REACHED]
        assert self.refusals(profile, "2026-06-03 14:00") == [Refusal.LIMIT_REACHED]
        assert self.refusals(profile, "2026-06-03 15:00") == []
