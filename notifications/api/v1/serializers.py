from __future__ import annotations

import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.serializers import RequestSerializer
from notifications.enums import Cadence, Weekday
from notifications.models import Preferences
from notifications.services.preferences import send_at


@extend_schema_field({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "example": "22:00"})
class WallTimeField(serializers.TimeField):
    """Hours and minutes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format="%H:%M", input_formats=["%H:%M"], **options)


class QuietHoursSerializer(RequestSerializer):
    start = WallTimeField()
    end = WallTimeField(help_text="On the next day where it is not after the start.")

    def validate(self, hours: dict[str, Any]) -> dict[str, Any]:
        if hours["start"] == hours["end"]:
            raise serializers.ValidationError({"end": "Quiet hours must not end when they start."}, "quiet_hours_empty")
        return hours


class DigestSerializer(RequestSerializer):
    cadence = serializers.ChoiceField(choices=Cadence.choices)
    at = WallTimeField(default=datetime.time(8), help_text="For daily and weekly digests.")
    on = serializers.ChoiceField(choices=Weekday.choices, default=Weekday.MONDAY, help_text="For weekly digests: 0 is Monday.")


class PreferencesRequestSerializer(RequestSerializer):
    quiet_hours = QuietHoursSerializer(allow_null=True, default=None)
    digest = DigestSerializer(required=False)
    urgent_breaks_through = serializers.BooleanField(default=False, help_text="Whether what is about to happen may be told in quiet hours.")

    def to_columns(self) -> dict[str, Any]:
        """The input as the columns of `Preferences`."""
        given = self.validated_data
        columns = {"urgent_breaks_through": given["urgent_breaks_through"]}
        if given["quiet_hours"]:
            columns |= {"quiet_from": given["quiet_hours"]["start"], "quiet_until": given["quiet_hours"]["end"]}
        if "digest" in given:
            columns |= {"cadence": given["digest"]["cadence"], "digest_at": given["digest"]["at"], "digest_on": given["digest"]["on"]}
        return columns


class PreferencesSerializer(serializers.Serializer[Preferences]):
    """When a person is told things; times are those on the wall, in `time_zone`."""

    quiet_hours = QuietHoursSerializer(allow_null=True)
    digest = DigestSerializer()
    urgent_breaks_through = serializers.BooleanField()
    time_zone = serializers.CharField(help_text="Of the account.")
    next_send_at = serializers.DateTimeField(help_text="When something would be sent that came now.")
    next_urgent_send_at = serializers.DateTimeField(help_text="When something urgent would be sent that came now.")

    def to_representation(self, preferences: Preferences) -> dict[str, Any]:
        now = timezone.now()
        hours = {"start": preferences.quiet_from, "end": preferences.quiet_until}
        fields = {
            "quiet_hours": hours if preferences.quiet_from is not None else None,
            "digest": {"cadence": preferences.cadence, "at": preferences.digest_at, "on": preferences.digest_on},
            "urgent_breaks_through": preferences.urgent_breaks_through,
            "time_zone": preferences.user.time_zone,
            "next_send_at": send_at(preferences, now=now),
            "next_urgent_send_at": send_at(preferences, now=now, is_urgent=True),
        }
        shown: dict[str, Any] = super().to_representation(fields)  # type: ignore[arg-type]  # a mapping is shown as well
        return shown
