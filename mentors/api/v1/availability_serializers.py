"""When a mentor can be booked, as rules in wall time."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

from drf_spectacular.utils import extend_schema_field

from core import serializers
from core.serializers import RequestSerializer
from core.time_zones import TimeZoneField
from core.wall_time import Weekday
from mentors.models.availability import (
    FURTHEST_HORIZON,
    LONGEST_BUFFER,
    LONGEST_INCREMENT,
    LONGEST_NOTICE,
    MINUTES_OF_A_DAY,
    SHORTEST_INCREMENT,
)
from mentors.services.expanding import Hours, Stay
from mentors.services.schedules import MOST_OVERRIDES, MOST_TRAVELS, MOST_WEEKLY, Availability, Override, WeeklyRule

_WALL_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


@extend_schema_field({"type": "string", "pattern": r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"})
class MinuteOfDayField(serializers.Field[int, Any, str, int]):
    """A wall time as minutes of its day; `24:00` is the end of the day."""

    default_error_messages = {"invalid": "Write a time as 09:30; the end of the day is 24:00."}  # noqa: RUF012  (as DRF has it)

    def to_internal_value(self, data: Any) -> int:
        if data == "24:00":
            return MINUTES_OF_A_DAY
        match = _WALL_TIME.fullmatch(data) if isinstance(data, str) else None
        if match is None:
            self.fail("invalid")
        return int(match[1]) * 60 + int(match[2])

    def to_representation(self, value: int) -> str:
        return f"{value // 60:02}:{value % 60:02}"


class HoursSerializer(RequestSerializer):
    start = MinuteOfDayField()
    end = MinuteOfDayField(help_text="After the start; hours across midnight are two.")


class WeeklyHoursSerializer(HoursSerializer):
    weekday = serializers.ChoiceField(choices=Weekday.choices, help_text="0 is Monday.")


class OverrideSerializer(RequestSerializer):
    date = serializers.DateField()
    hours = serializers.ListField(child=HoursSerializer(), max_length=24, help_text="In place of the weekly ones; none closes the date.")


class TravelSerializer(RequestSerializer):
    first_date = serializers.DateField()
    last_date = serializers.DateField()
    time_zone = TimeZoneField(help_text="In which the hours count on these dates.")


class AvailabilitySerializer(RequestSerializer):
    """When a mentor can be booked: rules in wall time. Durations are minutes of real time."""

    time_zone = TimeZoneField()
    weekly = serializers.ListField(child=WeeklyHoursSerializer(), max_length=MOST_WEEKLY)
    overrides = serializers.ListField(child=OverrideSerializer(), max_length=MOST_OVERRIDES, default=list)
    travels = serializers.ListField(child=TravelSerializer(), max_length=MOST_TRAVELS, default=list)
    increment_minutes = serializers.IntegerField(min_value=SHORTEST_INCREMENT, max_value=LONGEST_INCREMENT, default=30)
    buffer_before_minutes = serializers.IntegerField(min_value=0, max_value=LONGEST_BUFFER, default=0)
    buffer_after_minutes = serializers.IntegerField(
        min_value=0, max_value=LONGEST_BUFFER, default=0, help_text="Buffers of neighbouring sessions add up."
    )
    notice_minutes = serializers.IntegerField(min_value=0, max_value=LONGEST_NOTICE, default=24 * 60)
    horizon_days = serializers.IntegerField(min_value=1, max_value=FURTHEST_HORIZON, default=60)
    most_per_day = serializers.IntegerField(min_value=1, max_value=100, allow_null=True, default=None)
    most_per_week = serializers.IntegerField(min_value=1, max_value=500, allow_null=True, default=None, help_text="Monday to Sunday.")
    most_per_month = serializers.IntegerField(min_value=1, max_value=2_000, allow_null=True, default=None)

    def to_availability(self) -> Availability:
        """The checked input as the service takes it."""
        given = dict(self.validated_data)
        zone, weekly = given.pop("time_zone"), given.pop("weekly")
        overrides, travels = given.pop("overrides"), given.pop("travels")
        return Availability(
            zone,
            tuple(WeeklyRule(rule["weekday"], Hours(rule["start"], rule["end"])) for rule in weekly),
            tuple(Override(each["date"], tuple(Hours(hours["start"], hours["end"]) for hours in each["hours"])) for each in overrides),
            tuple(Stay(travel["first_date"], travel["last_date"], ZoneInfo(travel["time_zone"])) for travel in travels),
            given,
        )


def availability_as_shown(availability: Availability, columns: dict[str, Any]) -> dict[str, Any]:
    """What `AvailabilitySerializer` shows."""
    return {
        "time_zone": availability.time_zone,
        "weekly": [{"weekday": rule.weekday, "start": rule.hours.start, "end": rule.hours.end} for rule in availability.weekly],
        "overrides": [
            {"date": each.date, "hours": [{"start": hours.start, "end": hours.end} for hours in each.hours]}
            for each in availability.overrides
        ],
        "travels": [{"first_date": stay.first, "last_date": stay.last, "time_zone": stay.zone.key} for stay in availability.travels],
        **columns,
    }


class ZoneChangeSerializer(RequestSerializer):
    time_zone = TimeZoneField()
    keep = serializers.ChoiceField(
        choices=[("wall_time", "the hours stay what the clock shows"), ("instants", "the hours stay when they are")],
        help_text="What becomes of the stated hours. Sessions that are booked never move.",
    )
