"""P12: mentors who are free, ranked by similarity, in one statement, beside Python that reads schedules and bookings."""

from __future__ import annotations

import datetime
import functools
import random
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from accounts.models import User
from ai.services.spaces import embedding_model
from benchmarks import data
from benchmarks.measuring import Goal, interleaved, median
from core.querysets import columns_of
from mentors.enums import MentorState, TimeSource
from mentors.models import MentorProfile, OccupiedTime, Offer, Schedule, WeeklyHours
from mentors.querysets import Windows
from mentors.services.expanding import Span, merged
from mentors.services.keeping import keep_hours

_DAY = datetime.timedelta(days=1)
_HOUR = datetime.timedelta(hours=1)
_MENTORS = 10_000
_BOOKINGS_EACH = 20
_DAYS = 30
_LIMIT = 20
_BATCH = 200
_QUERIES = 6
_DOMAIN = "bench-mentors.invalid"


def free_and_ranked(rounds: int) -> list[Goal]:
    """Ten thousand mentors with weekly hours over thirty days and twenty sessions each. The peer takes mentors in the order of their rank
    in batches of 200, reads open time and what is occupied of each batch, and looks for a free hour in Python, as the ORM invites to."""
    chance = random.Random(20261124)
    _clear()
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    model = embedding_model()
    points, queries = data.clusters(_MENTORS, seed=12, queries=_QUERIES)
    vectors = [[float(number) for number in query] for query in queries]
    _make_mentors(chance, now, points)
    goals = []
    for name, spans in _windows(now).items():
        windows = Windows(spans, 60, now)
        matching = MentorProfile.objects.free_within(windows).count()
        peers: dict[str, Callable[[int], Any]] = {
            "product": functools.partial(_in_one_statement, vectors, model, windows),
            "python": functools.partial(_in_python, vectors, model, spans, now),
        }
        expected, found = peers["python"](0), peers["product"](0)
        recall = len(set(expected) & set(found)) / max(1, len(expected))
        times, _ = interleaved(peers, items=_QUERIES, rounds=rounds)
        ratio = median(times["python"]) / median(times["product"])
        share = matching / _MENTORS
        line = f"P12: {name}: {matching} match; one statement {median(times['product']):.2f} ms, batches {median(times['python']):.0f} ms"
        print(f"{line}, recall {recall:.2f}")
        goals.append(Goal(f"P12: {name}: batches in Python over one statement", ratio, 100 if share >= 0.1 else 25, at_most=False))
        if share < 0.03:
            goals.append(Goal(f"P12: {name}: recall of the exact answer", recall, 1, at_most=False))
    _clear()
    return goals


def _windows(now: datetime.datetime) -> dict[str, list[tuple[datetime.datetime, datetime.datetime]]]:
    """Of the next two weeks: all of it, the evenings of weekdays, two Tuesdays from 18 to 20, one hour on a Sunday."""
    midnight = now.replace(hour=0)
    days = [midnight + number * _DAY for number in range(1, 15)]
    return {
        "any time": [(days[0], days[-1] + _DAY)],
        "weekday evenings": [(day + 18 * _HOUR, day + 22 * _HOUR) for day in days if day.weekday() < 5],
        "two Tuesdays": [(day + 18 * _HOUR, day + 20 * _HOUR) for day in days if day.weekday() == 1],
        "one Sunday hour": [(day + 15 * _HOUR, day + 16 * _HOUR) for day in days if day.weekday() == 6][:1],
    }


def _make_mentors(chance: random.Random, now: datetime.datetime, points: Any) -> None:
    password, model = make_password(None), embedding_model()
    columns = columns_of(model)
    users = [User(email=f"{number}@{_DOMAIN}", full_name="Mentor", password=password) for number in range(_MENTORS)]
    User.objects.bulk_create(users, batch_size=2_000)
    profiles = [
        MentorProfile(user=user, state=MentorState.LIVE, live_since=now, headline="m", **columns.values(point, model, "x"))
        for user, point in zip(users, points, strict=True)
    ]
    MentorProfile.objects.bulk_create(profiles, batch_size=500)
    Offer.objects.bulk_create(
        [Offer(profile=row, kind="session", title="t", duration_minutes=60, price_amount=0, price_currency="EUR") for row in profiles],
        batch_size=2_000,
    )
    schedules = [Schedule(profile=row, time_zone="UTC", notice_minutes=0, horizon_days=_DAYS) for row in profiles]
    Schedule.objects.bulk_create(schedules, batch_size=500)
    hours = []
    for schedule in schedules:
        # Most work on weekdays, some of them in the evening, hardly anybody on a Sunday.
        for weekday in range(7):
            if chance.random() < (0.6 if weekday < 5 else 0.02):
                begin = chance.choice((8, 9, 10, 13, 14, 16, 17))
                length = chance.choice((2, 3, 4))
                hours.append(WeeklyHours(schedule=schedule, weekday=weekday, start_minute=begin * 60, end_minute=(begin + length) * 60))
    WeeklyHours.objects.bulk_create(hours, batch_size=5_000)
    _book(chance, now, schedules)
    ids = [schedule.pk for schedule in schedules]
    for start in range(0, len(ids), 500):
        rows = Schedule.objects.filter(pk__in=ids[start : start + 500]).select_related("profile")
        keep_hours(list(rows.prefetch_related("weekly_hours", "overrides", "travels")))
    with connection.cursor() as cursor:
        for table in ("mentors_mentorprofile", "mentors_schedule", "mentors_occupiedtime", "mentors_offer"):
            cursor.execute(f"VACUUM ANALYZE {table}")


def _book(chance: random.Random, now: datetime.datetime, schedules: Sequence[Schedule]) -> None:
    rows = []
    for schedule in schedules:
        starts = chance.sample(range(_DAYS * 12), _BOOKINGS_EACH)
        for start in starts:
            begin = now.replace(hour=0) + (start // 12) * _DAY + (8 + start % 12) * _HOUR
            during = DateTimeTZRange(begin, begin + _HOUR, "[)")
            rows.append(
                OccupiedTime(
                    person_id=schedule.profile.user_id,
                    source=TimeSource.SESSION,
                    during=during,
                    session=during,
                    reference=uuid.uuid4(),
                    is_mentor=True,
                )
            )
    OccupiedTime.objects.bulk_create(rows, batch_size=5_000)


def _in_one_statement(vectors: Sequence[list[float]], model: str, windows: Windows, item: int) -> list[uuid.UUID]:
    found = MentorProfile.objects.ranked_for(vectors[item], model=model, limit=_LIMIT, windows=windows)
    return [key for key, _ in found]


def _in_python(
    vectors: Sequence[list[float]], model: str, spans: Sequence[tuple[Any, Any]], now: datetime.datetime, item: int
) -> list[uuid.UUID]:
    """In batches by similarity: the open time and the bookings of each, and a loop over hours."""
    columns = columns_of(model)
    ranked = MentorProfile.objects.nearest_first(vectors[item], model=model, exact=True, columns=columns).values_list("pk", "user_id")
    order = list(ranked)
    found: list[uuid.UUID] = []
    first, last = spans[0][0], spans[-1][1]
    for place in range(0, len(order), _BATCH):
        batch = order[place : place + _BATCH]
        open_times = dict(Schedule.objects.filter(profile__in=[key for key, _ in batch]).values_list("profile_id", "open_time"))
        busy: dict[uuid.UUID, list[Any]] = {}
        rows = OccupiedTime.objects.filter(person__in=[user for _, user in batch], during__overlap=DateTimeTZRange(first, last, "[)"))
        for person, during in rows.values_list("person_id", "during"):
            busy.setdefault(person, []).append(during)
        for key, user in batch:
            if _has_hour(open_times[key], busy.get(user, []), spans, now):
                found.append(key)
                if len(found) == _LIMIT:
                    return found
    return found


def _has_hour(open_time: Any, busy: Sequence[Any], spans: Sequence[tuple[Any, Any]], now: datetime.datetime) -> bool:
    taken = merged([Span(each.lower, each.upper) for each in busy])
    for opening in open_time:
        for begin, end in spans:
            start, stop = max(opening.lower, begin, now), min(opening.upper, end)
            for each in taken:
                if start < each.end and each.start < stop:
                    if each.start - start >= _HOUR:
                        return True
                    start = max(start, each.end)
            if stop - start >= _HOUR:
                return True
    return False


def _clear() -> None:
    MentorProfile.objects.filter(user__email__endswith=f"@{_DOMAIN}").delete()
    people = User.objects.filter(email__endswith=f"@{_DOMAIN}")
    OccupiedTime.objects.filter(person__in=people).delete()
    people._raw_delete(people.db)  # type: ignore[attr-defined]  # nothing points at them any more
