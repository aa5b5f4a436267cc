from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce
from psycopg.types.multirange import TimestamptzMultirange

from core.models import BaseModel
from core.time_zones import validate_time_zone
from core.wall_time import Weekday
from mentors.enums import TimeSource
from mentors.models.calendars import OutsideCalendar
from mentors.models.fields import InstantRangesField
from mentors.models.profiles import MentorProfile

MINUTES_OF_A_DAY = 1440
SHORTEST_INCREMENT, LONGEST_INCREMENT = 5, 720
LONGEST_BUFFER = 180
LONGEST_NOTICE = 60 * 24 * 60
FURTHEST_HORIZON = 365


class MinuteRange(Func):
    """From one minute of a day up to another, as int4range."""

    function = "int4range"


class DateRange(Func):
    """From one date to another, both taken in."""

    template = "daterange(%(expressions)s, '[]')"


def _within(field: str, least: int, most: int) -> Q:
    return Q(**{f"{field}__gte": least, f"{field}__lte": most})


class Schedule(BaseModel):
    """When a mentor can be booked: rules in wall time, and what follows from them. Minutes are whole minutes of real time.

    The last six columns are kept by `services.keeping` in the transaction of every change, and everybody who asks what is bookable reads
    them; none of them is ever edited.
    """

    profile = models.OneToOneField(MentorProfile, on_delete=models.CASCADE, related_name="schedule")
    time_zone = models.CharField(max_length=64, validators=[validate_time_zone])
    increment_minutes = models.PositiveSmallIntegerField(default=30, help_text="Sessions start so many minutes apart.")
    buffer_before_minutes = models.PositiveSmallIntegerField(default=0)
    buffer_after_minutes = models.PositiveSmallIntegerField(default=0)
    notice_minutes = models.PositiveIntegerField(default=24 * 60)
    horizon_days = models.PositiveSmallIntegerField(default=60)
    most_per_day = models.PositiveSmallIntegerField(null=True, blank=True)
    most_per_week = models.PositiveSmallIntegerField(null=True, blank=True, help_text="From Monday to Sunday (ISO 8601).")
    most_per_month = models.PositiveSmallIntegerField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, help_text="Counts the changes of the rules.")

    open_time = InstantRangesField(default=TimestamptzMultirange, editable=False)  # within the hours
    free_time = InstantRangesField(default=TimestamptzMultirange, editable=False)  # of that, where a session may lie, buffers minded
    full_time = InstantRangesField(default=TimestamptzMultirange, editable=False)  # where no more may start: a limit is reached
    full_until = models.DateTimeField(null=True, editable=False)  # until then as many people have sessions ahead as the mentor takes
    # Stretches in which sessions may start, the first at the lower bound, the others whole increments later.
    grids = ArrayField(DateTimeRangeField(), default=list, editable=False)
    expanded_until = models.DateField(null=True, editable=False)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=_within("increment_minutes", SHORTEST_INCREMENT, LONGEST_INCREMENT), name="sensible_increment"
            ),
            models.CheckConstraint(
                condition=_within("buffer_before_minutes", 0, LONGEST_BUFFER) & _within("buffer_after_minutes", 0, LONGEST_BUFFER),
                name="sensible_buffers",
            ),
            models.CheckConstraint(condition=_within("notice_minutes", 0, LONGEST_NOTICE), name="sensible_notice"),
            models.CheckConstraint(condition=_within("horizon_days", 1, FURTHEST_HORIZON), name="sensible_horizon"),
            *(
                models.CheckConstraint(condition=Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__gte": 1}), name=f"sensible_{name}")
                for name in ("most_per_day", "most_per_week", "most_per_month")
            ),
        )
        indexes = (models.Index(fields=("expanded_until",), name="schedule_to_expand"),)

    def __str__(self) -> str:
        return f"{self.profile_id} in {self.time_zone}"


class WeeklyHours(BaseModel):
    """Hours of every week, in wall time. Minute 1440 is the end of the day; hours across midnight are two rows."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="weekly_hours")
    weekday = models.PositiveSmallIntegerField(choices=Weekday)
    start_minute = models.PositiveSmallIntegerField()
    end_minute = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name_plural = "weekly hours"
        ordering = ("schedule", "weekday", "start_minute")
        constraints = (
            models.CheckConstraint(
                condition=Q(weekday__lte=Weekday.SUNDAY, start_minute__lt=F("end_minute"), end_minute__lte=MINUTES_OF_A_DAY),
                name="weekly_hours_lie_within_a_day",
            ),
            ExclusionConstraint(
                name="weekly_hours_do_not_overlap",
                expressions=[
                    ("schedule", RangeOperators.EQUAL),
                    ("weekday", RangeOperators.EQUAL),
                    (MinuteRange("start_minute", "end_minute"), RangeOperators.OVERLAPS),
                ],
            ),
        )

    def __str__(self) -> str:
        return f"{self.weekday} {self.start_minute}-{self.end_minute}"


class DateOverride(BaseModel):
    """Hours of one date, in place of those of its weekday. Without minutes the date is closed."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="overrides")
    on_date = models.DateField()
    start_minute = models.PositiveSmallIntegerField(null=True, blank=True)
    end_minute = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ("schedule", "on_date", "start_minute")
        constraints = (
            models.CheckConstraint(
                condition=Q(start_minute__isnull=True, end_minute__isnull=True)
                | Q(start_minute__lt=F("end_minute"), end_minute__lte=MINUTES_OF_A_DAY),
                name="override_lies_within_its_day",
            ),
            ExclusionConstraint(
                name="overrides_do_not_overlap",
                expressions=[
                    ("schedule", RangeOperators.EQUAL),
                    ("on_date", RangeOperators.EQUAL),
                    (
                        MinuteRange(
                            Coalesce("start_minute", Value(0), output_field=models.IntegerField()),
                            Coalesce("end_minute", Value(MINUTES_OF_A_DAY), output_field=models.IntegerField()),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        )

    def __str__(self) -> str:
        return f"{self.on_date}"


class Travel(BaseModel):
    """Dates, first and last taken in, on which the hours count in another zone."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="travels")
    first_on = models.DateField()
    last_on = models.DateField()
    time_zone = models.CharField(max_length=64, validators=[validate_time_zone])

    class Meta:
        ordering = ("schedule", "first_on")
        constraints = (
            models.CheckConstraint(condition=Q(first_on__lte=F("last_on")), name="travel_ends_after_it_starts"),
            ExclusionConstraint(
                name="travels_do_not_overlap",
                expressions=[("schedule", RangeOperators.EQUAL), (DateRange("first_on", "last_on"), RangeOperators.OVERLAPS)],
            ),
        )

    def __str__(self) -> str:
        return f"{self.time_zone} {self.first_on}"


class OccupiedTime(BaseModel):
    """Time that a person cannot give twice: the one table that listing, booking and calendars read. Written by `services.occupying` alone.

    `during` is what nothing else may touch: for a mentor's session that is the session with the buffers of its day, so that buffers of
    neighbours add up. `session` is the session itself, for what was booked.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="occupied_times")
    source = models.CharField(max_length=8, choices=TimeSource)
    during = DateTimeRangeField()
    session = DateTimeRangeField(null=True, blank=True)
    reference = models.UUIDField(null=True, blank=True, help_text="What was booked; the same for each who takes part.")
    is_mentor = models.BooleanField(default=False, help_text="The person is the mentor of what was booked.")
    is_group = models.BooleanField(default=False, help_text="Of a session for several.")
    held_until = models.DateTimeField(null=True, blank=True)
    title = models.CharField(max_length=300, blank=True, default="", help_text="For the person's own eyes.")
    calendar = models.ForeignKey(OutsideCalendar, on_delete=models.CASCADE, null=True, blank=True, related_name="events")
    moves = models.PositiveSmallIntegerField(default=0, help_text="How often it was moved: the SEQUENCE of its calendar entry.")

    class Meta:
        ordering = ("-id",)
        constraints = (
            ExclusionConstraint(
                name="nobody_is_booked_twice",
                expressions=[("person", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
                condition=Q(source__in=(TimeSource.SESSION, TimeSource.HOLD)),
            ),
            models.CheckConstraint(
                condition=Q(
                    during__isempty=False, during__lower_inf=False, during__upper_inf=False, during__lower_inc=True, during__upper_inc=False
                ),
                name="occupied_time_has_two_ends",
            ),
            models.CheckConstraint(
                condition=Q(source__in=(TimeSource.SESSION, TimeSource.HOLD), session__isnull=False, reference__isnull=False)
                & Q(during__contains=F("session"))
                | Q(source__in=(TimeSource.EVENT, TimeSource.BLOCK), session__isnull=True, reference__isnull=True, is_mentor=False),
                name="what_was_booked_has_its_reference",
            ),
            models.CheckConstraint(
                condition=Q(source=TimeSource.HOLD, held_until__isnull=False) | ~Q(source=TimeSource.HOLD) & Q(held_until__isnull=True),
                name="a_hold_ends",
            ),
            models.CheckConstraint(
                condition=Q(source=TimeSource.EVENT, calendar__isnull=False) | ~Q(source=TimeSource.EVENT) & Q(calendar__isnull=True),
                name="an_event_is_of_a_calendar",
            ),
            models.UniqueConstraint(
                fields=("person", "reference"), condition=Q(reference__isnull=False), name="one_place_per_person_and_booking"
            ),
        )
        indexes = (
            GistIndex(fields=("person", "during"), name="occupied_time_of_person"),
            models.Index(fields=("held_until",), condition=Q(source=TimeSource.HOLD), name="hold_to_expire"),
            models.Index(fields=("reference",), condition=Q(reference__isnull=False), name="occupied_time_by_reference"),
        )

    def __str__(self) -> str:
        return f"{self.source} {self.person_id}"
