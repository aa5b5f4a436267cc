from __future__ import annotations

from typing import Any

from bookings.api.v1.serializers import (
    BookingRequestSerializer,
    BookingSerializer,
    NewTimeRequestSerializer,
    NoteRequestSerializer,
    start_field,
)
from bookings.services.series import MOST_SESSIONS, MOST_WEEKS_BETWEEN
from core import serializers


class SeriesRequestSerializer(BookingRequestSerializer):
    number = serializers.IntegerField(min_value=2, max_value=MOST_SESSIONS, help_text="How many sessions.")
    every_weeks = serializers.IntegerField(min_value=1, max_value=MOST_WEEKS_BETWEEN, required=False)
    starts = serializers.ListField(
        child=start_field(), min_length=1, max_length=MOST_SESSIONS, required=False, help_text="These very times, in place of the rhythm."
    )

    is_paid_together = serializers.BooleanField(
        required=False, help_text="All at once, for less if the mentor's booking terms say so. Up to ten sessions within 90 days."
    )

    def validate_starts(self, starts: list[Any]) -> list[Any]:
        if len(set(starts)) < len(starts):
            raise serializers.ValidationError("State each time once.", "time_twice")
        return starts


class CancelSeriesRequestSerializer(NoteRequestSerializer):
    from_booking_id = serializers.UUIDField(required=False, help_text="This one and all that follow; all that are ahead if not stated.")


class MoveSeriesRequestSerializer(NewTimeRequestSerializer):
    from_booking_id = serializers.UUIDField(help_text="This one, whose new time is stated, and all that follow.")


class SeriesSerializer(serializers.Serializer[Any]):
    """Sessions at the same time by the mentor's clock."""

    id = serializers.UUIDField(source="series.pk")
    time_zone = serializers.CharField(source="series.zone")
    every_weeks = serializers.IntegerField(source="series.every_weeks")
    payment_id = serializers.UUIDField(
        source="series.payment_id",
        allow_null=True,
        help_text="Of all its sessions, where they are paid for together. Begin to pay with the id of the series for `booking_id`.",
    )
    bookings = BookingSerializer(many=True)
