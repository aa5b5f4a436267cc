"""What follows from rules and occupied time, kept in the schedule's row so that one look at it tells what is bookable.

Whoever changes rules or occupied time calls these in the same transaction, under `lock_people`.
"""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields.ranges import RangeStartsWith
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from psycopg.types.multirange import TimestamptzMultirange

from core.wall_time import instant_of
from mentors.enums import TimeSource
from mentors.models import OccupiedTime, Schedule
from mentors.services.expanding import Hours, Rules, Span, Stay, expand, merged, wall_time, zone_on

_DAY = datetime.timedelta(days=1)
# So many days beyond the horizon are expanded: nothing is missing while the nightly run is down for a week.
SPARE_DAYS = 8
_BATCH = 200
BOOKED = (TimeSource.SESSION, TimeSource.HOLD)


def lock_people(person_ids: Iterable[uuid.UUID]) -> None:
    """Let nobody else change the time of these people until the open transaction ends. The database sorts them, so that two callers never
    wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT mentors_lock(%s)", (list(person_ids),))


def try_lock(person_id: uuid.UUID) -> bool:
    """The same for one, unless somebody else has the lock. For those who have locks already, and may wait for no more."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(mentors_key_of_time(%s))", (person_id,))
        return bool(cursor.fetchone()[0])


def rules_of(schedule: Schedule) -> Rules:
    """What a mentor stated; three queries, none if the rows were prefetched."""
    weekly: dict[int, list[Hours]] = {}
    for row in schedule.weekly_hours.all():
        weekly.setdefault(row.weekday, []).append(Hours(row.start_minute, row.end_minute))
    overrides: dict[datetime.date, list[Hours]] = {}
    for override in schedule.overrides.all():
        hours = overrides.setdefault(override.on_date, [])
        if override.start_minute is not None and override.end_minute is not None:
            hours.append(Hours(override.start_minute, override.end_minute))
    stays = [Stay(travel.first_on, travel.last_on, ZoneInfo(travel.time_zone)) for travel in schedule.travels.all()]
    increment = datetime.timedelta(minutes=schedule.increment_minutes)
    return Rules(ZoneInfo(schedule.time_zone), weekly, overrides, stays, increment)


def keep_hours(schedules: Collection[Schedule]) -> None:
    """Expand the rules from yesterday to beyond the horizon, and keep what follows."""
    yesterday = timezone.now().date() - _DAY
    for schedule in schedules:
        until = yesterday + (schedule.horizon_days + SPARE_DAYS) * _DAY
        expansion = expand(rules_of(schedule), yesterday, until)
        schedule.open_time = _ranges(expansion.open)
        schedule.grids = [_range(grid) for grid in expansion.grids]
        schedule.expanded_until = until
    Schedule.objects.bulk_update(schedules, ["open_time", "grids", "expanded_until"])
    keep_free_time_of([schedule.profile.user_id for schedule in schedules])


def keep_free_time_of(person_ids: Collection[uuid.UUID]) -> None:
    """For those of these people who are mentors: take what is occupied out of the hours, find the days, weeks and months that are full, and
    until when the mentor is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT mentors_keep_free_time(%s, %s)", (list(person_ids), timezone.now()))
        has_limits = cursor.fetchone()[0]
    if has_limits:
        keep_full_time_of(person_ids)


def keep_full_time_of(person_ids: Collection[uuid.UUID]) -> None:
    """The days, weeks and months alone. Where the database took or gave back time by itself, it says whether somebody has such limits."""
    rows = Schedule.objects.filter(profile__user_id__in=person_ids).select_related("profile")
    for schedule in rows.prefetch_related("weekly_hours", "overrides", "travels"):
        full = _full_time(schedule)
        if schedule.full_time != full:
            Schedule.objects.filter(pk=schedule.pk).update(full_time=full)


def keep_all_hours() -> int:
    """Expand every schedule anew, a batch a transaction: a day further, and by the present rules of the world's clocks."""
    number = 0
    for batch in batches_of_schedules():
        with transaction.atomic():
            rows = Schedule.objects.filter(pk__in=batch).select_related("profile")
            schedules = list(rows.prefetch_related("weekly_hours", "overrides", "travels"))
            lock_people(schedule.profile.user_id for schedule in schedules)
            keep_hours(schedules)
        number += len(schedules)
    return number


def batches_of_schedules() -> Iterator[list[uuid.UUID]]:
    """The ids of all schedules, in bounded batches."""
    last = uuid.UUID(int=0)
    while True:
        batch = list(Schedule.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_BATCH])
        if not batch:
            return
        yield batch
        last = batch[-1]


@dataclasses.dataclass(frozen=True)
class FullPeriod:
    """A day, ISO week or month in the mentor's zone, from `first` to `last`, in which as many sessions start as `limit` allows."""

    name: str
    limit: int
    first: datetime.date
    last: datetime.date
    starts: tuple[datetime.datetime, ...]


def full_periods(schedule: Schedule, rules: Rules) -> list[FullPeriod]:
    """Every day, week and month in which no more sessions may start. Holds and group sessions count."""
    limits = (
        ("day", schedule.most_per_day, lambda date: (date, date)),
        ("week", schedule.most_per_week, _week_of),
        ("month", schedule.most_per_month, _month_of),
    )
    since = timezone.now() - 40 * _DAY
    booked = OccupiedTime.objects.filter(person_id=schedule.profile.user_id, is_mentor=True, source__in=BOOKED, during__endswith__gt=since)
    starts = booked.annotate(starts_at=RangeStartsWith("session")).values_list("starts_at", flat=True)
    dates = [(start, dates_of(rules, start)) for start in sorted(starts)]
    found = []
    for name, limit, period_of in limits:
        if limit is not None:
            counted: dict[tuple[datetime.date, datetime.date], list[datetime.datetime]] = defaultdict(list)
            for start, on_dates in dates:
                for period in {period_of(date) for date in on_dates}:
                    counted[period].append(start)
            found += [
                FullPeriod(name, limit, *period, tuple(starts_in))
                for period, starts_in in sorted(counted.items())
                if len(starts_in) >= limit
            ]
    return found


def _full_time(schedule: Schedule) -> TimestamptzMultirange:
    """The instants of all full periods."""
    if all(limit is None for limit in (schedule.most_per_day, schedule.most_per_week, schedule.most_per_month)):
        return TimestamptzMultirange()
    rules = rules_of(schedule)
    spans: list[Span] = []
    for period in full_periods(schedule, rules):
        spans += (day_span(rules, period.first + number * _DAY) for number in range((period.last - period.first).days + 1))
    return _ranges(merged(span for span in spans if span.start < span.end))


def _week_of(date: datetime.date) -> tuple[datetime.date, datetime.date]:
    monday = date - date.weekday() * _DAY
    return monday, monday + 6 * _DAY


def _month_of(date: datetime.date) -> tuple[datetime.date, datetime.date]:
    first = date.replace(day=1)
    return first, (first + 31 * _DAY).replace(day=1) - _DAY


def day_span(rules: Rules, date: datetime.date) -> Span:
    """The instants of a mentor's date, by the clock of where they are on it."""
    zone = zone_on(rules, date)
    return Span(instant_of(wall_time(date, 0), zone), instant_of(wall_time(date, 1440), zone))


def dates_of(rules: Rules, instant: datetime.datetime) -> list[datetime.date]:
    """The mentor's date at an instant; two or none where somebody changes zones meanwhile."""
    zones = {rules.zone, *(stay.zone for stay in rules.stays)}
    return sorted(date for date in {instant.astimezone(zone).date() for zone in zones} if _holds(day_span(rules, date), instant))


def _holds(span: Span, instant: datetime.datetime) -> bool:
    return span.start <= instant < span.end


def _range(span: Span) -> DateTimeTZRange:
    return DateTimeTZRange(span.start, span.end, "[)")


def _ranges(spans: Iterable[Span]) -> TimestamptzMultirange:
    return TimestamptzMultirange([_range(span) for span in spans])
