"""What a mentor states about when they can be booked."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from core.errors import FieldError
from mentors.errors import InvalidSchedule
from mentors.models import DateOverride, MentorProfile, Schedule, Travel, WeeklyHours
from mentors.models.availability import MINUTES_OF_A_DAY
from mentors.services.calendars import read_anew
from mentors.services.expanding import Hours, Stay, hours_on
from mentors.services.keeping import keep_hours, lock_people, rules_of

MOST_WEEKLY = 7 * 12
MOST_OVERRIDES = 400
MOST_TRAVELS = 50


@dataclasses.dataclass(frozen=True)
class WeeklyRule:
    """Hours of one weekday, 0 being Monday."""

    weekday: int
    hours: Hours


@dataclasses.dataclass(frozen=True)
class Override:
    """The hours of one date; none closes it."""

    date: datetime.date
    hours: tuple[Hours, ...]


@dataclasses.dataclass(frozen=True)
class Availability:
    """All that a mentor states at once. `settings` are columns of `Schedule`, such as `buffer_before_minutes`."""

    time_zone: str
    weekly: tuple[WeeklyRule, ...] = ()
    overrides: tuple[Override, ...] = ()
    travels: tuple[Stay, ...] = ()
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def set_availability(*, profile: MentorProfile, availability: Availability) -> Schedule:
    """Put these rules in the place of those before. What is booked stays booked.

    Raises:
        InvalidSchedule: hours or travels overlap, or end before they start; each with its place in the input.
    """
    errors = (
        *_errors_of_weekly(availability.weekly),
        *_errors_of_overrides(availability.overrides),
        *_errors_of_travels(availability.travels),
    )
    if errors:
        raise InvalidSchedule(errors=errors)
    with transaction.atomic():
        lock_people([profile.user_id])
        schedule = Schedule.objects.select_for_update().filter(profile=profile).first() or Schedule(profile=profile, version=0)
        before = (schedule.time_zone, schedule.horizon_days)
        for name, value in {"time_zone": availability.time_zone, **availability.settings}.items():
            setattr(schedule, name, value)
        schedule.version += 1
        schedule.save()
        _write_rules(schedule, availability)
        keep_hours([schedule])
        if (schedule.time_zone, schedule.horizon_days) != before:
            # Calendars are read in the mentor's zone, and as far ahead as the mentor can be booked.
            read_anew(person_id=profile.user_id)
    return schedule


def change_time_zone(*, profile: MentorProfile, time_zone: str, keeps_instants: bool) -> Schedule:
    """Move to another zone. The stated hours keep their wall time, and so move in time; or they keep the instants that they have today, and
    their wall time changes. Sessions that are booked never move.

    Raises:
        NotFound: no hours were stated yet.

    """
    with transaction.atomic():
        lock_people([profile.user_id])
        schedule = Schedule.objects.get(profile=profile)
        stated = availability_of(schedule)
        moved = dataclasses.replace(stated, time_zone=time_zone)
        if keeps_instants:
            minutes = _minutes_between(ZoneInfo(stated.time_zone), ZoneInfo(time_zone))
            moved = dataclasses.replace(
                moved, weekly=tuple(_moved(stated.weekly, minutes)), overrides=tuple(_moved_dates(schedule, minutes))
            )
        return set_availability(profile=profile, availability=moved)


def availability_of(schedule: Schedule) -> Availability:
    """What a mentor stated, as they stated it."""
    rules = rules_of(schedule)
    weekly = tuple(WeeklyRule(weekday, hours) for weekday in sorted(rules.weekly) for hours in sorted(rules.weekly[weekday]))
    overrides = tuple(Override(date, tuple(sorted(hours))) for date, hours in sorted(rules.overrides.items()))
    return Availability(schedule.time_zone, weekly, overrides, tuple(rules.stays))


def _write_rules(schedule: Schedule, availability: Availability) -> None:
    schedule.weekly_hours.all().delete()
    schedule.overrides.all().delete()
    schedule.travels.all().delete()
    WeeklyHours.objects.bulk_create(
        WeeklyHours(schedule=schedule, weekday=rule.weekday, start_minute=rule.hours.start, end_minute=rule.hours.end)
        for rule in availability.weekly
    )
    DateOverride.objects.bulk_create(
        DateOverride(
            schedule=schedule, on_date=override.date, start_minute=hours.start if hours else None, end_minute=hours.end if hours else None
        )
        for override in availability.overrides
        for hours in override.hours or (None,)
    )
    Travel.objects.bulk_create(
        Travel(schedule=schedule, first_on=stay.first, last_on=stay.last, time_zone=stay.zone.key) for stay in availability.travels
    )


def _errors_of_weekly(rules: Sequence[WeeklyRule]) -> Iterator[FieldError]:
    for index, rule in enumerate(rules):
        earlier = (other.hours for other in rules[:index] if other.weekday == rule.weekday)
        yield from _errors_of_hours(f"weekly.{index}", rule.hours, earlier)


def _errors_of_overrides(overrides: Sequence[Override]) -> Iterator[FieldError]:
    dates = set()
    for index, override in enumerate(overrides):
        if override.date in dates:
            yield FieldError(f"overrides.{index}.date", "date_twice", "State each date once, with all its hours.")
        dates.add(override.date)
        for place, hours in enumerate(override.hours):
            yield from _errors_of_hours(f"overrides.{index}.hours.{place}", hours, override.hours[:place])


def _errors_of_hours(field: str, hours: Hours, earlier: Sequence[Hours] | Iterator[Hours]) -> Iterator[FieldError]:
    if hours.start >= hours.end:
        detail = "The end must be after the start. Hours across midnight are two: up to 24:00, and from 00:00 of the next day."
        yield FieldError(f"{field}.end", "reversed_hours", detail)
    elif any(hours.start < other.end and other.start < hours.end for other in earlier):
        yield FieldError(field, "overlapping_hours", "These hours overlap others of the same day.")


def _errors_of_travels(travels: Sequence[Stay]) -> Iterator[FieldError]:
    for index, stay in enumerate(travels):
        if stay.last < stay.first:
            yield FieldError(f"travels.{index}.last_date", "reversed_dates", "The last date must not be before the first.")
        elif any(stay.first <= other.last and other.first <= stay.last for other in travels[:index]):
            yield FieldError(f"travels.{index}", "overlapping_travels", "You travel somewhere else on these dates.")


def _minutes_between(before: ZoneInfo, after: ZoneInfo) -> int:
    """How much later the clock of the one zone shows than that of the other, today."""
    now = timezone.now()
    here, there = now.astimezone(before).utcoffset(), now.astimezone(after).utcoffset()
    assert here is not None and there is not None  # aware instants have one
    return int((there - here).total_seconds()) // 60


def _moved(weekly: Sequence[WeeklyRule], minutes: int) -> Iterator[WeeklyRule]:
    """Weekly hours so many minutes later, parted at midnight."""
    for rule in weekly:
        start = rule.weekday * MINUTES_OF_A_DAY + rule.hours.start + minutes
        for weekday, hours in _parted(start, rule.hours.end - rule.hours.start):
            yield WeeklyRule(weekday % 7, hours)


def _moved_dates(schedule: Schedule, minutes: int) -> Iterator[Override]:
    """The hours of single dates so many minutes later. A date that gets some of its neighbour's gets all its hours stated."""
    rules = rules_of(schedule)
    day = datetime.timedelta(days=1)
    touched = sorted({date + number * day for date in rules.overrides for number in (-1, 0, 1)})
    for date in touched:
        found = []
        for source in (date - day, date, date + day):
            for hours in hours_on(rules, source):
                for offset, part in _parted(hours.start + minutes, hours.end - hours.start):
                    if source + offset * day == date:
                        found.append(part)
        yield Override(date, tuple(sorted(found)))


def _parted(start: int, length: int) -> Iterator[tuple[int, Hours]]:
    """Minutes that may run over midnight, as (day, hours of that day)."""
    end = start + length
    while start < end:
        day, minute = divmod(start, MINUTES_OF_A_DAY)
        stop = min(end, (day + 1) * MINUTES_OF_A_DAY)
        yield day, Hours(minute, stop - day * MINUTES_OF_A_DAY)
        start = stop
