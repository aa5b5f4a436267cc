from __future__ import annotations

from typing import Any

from bookings.api.v1.serializers import MentorPartySerializer
from bookings.models import WaitlistEntry
from core import serializers
from core.serializers import RequestSerializer

_TIME = ("mentor_id", "offer_id", "opens_at", "closes_at")


class WaitRequestSerializer(RequestSerializer):
    """Either `session_id`, or all of the others."""

    session_id = serializers.UUIDField(required=False, help_text="Wait for a seat in this session for several.")
    mentor_id = serializers.UUIDField(required=False, help_text="Wait for a time with this mentor.")
    offer_id = serializers.UUIDField(required=False, help_text="Which session you would book.")
    opens_at = serializers.DateTimeField(required=False, help_text="The earliest start that would do.")
    closes_at = serializers.DateTimeField(required=False, help_text="By then it would have to be over.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "session_id" in attrs:
            wrong = {name: ["A seat in a session needs none of this."] for name in _TIME if name in attrs}
        else:
            wrong = {name: ["Needed to wait for a time with a mentor."] for name in _TIME if name not in attrs}
        if wrong:
            raise serializers.ValidationError(wrong)
        return attrs


class WaitlistEntrySerializer(serializers.ModelSerializer[WaitlistEntry]):
    """`booking_id` is what is held for you, once something is."""

    mentor = MentorPartySerializer()
    title = serializers.SerializerMethodField()
    ahead = serializers.IntegerField(help_text="So many people are before you.")
    take_before = serializers.DateTimeField(source="booking.expires_at", default=None, allow_null=True)

    class Meta:
        model = WaitlistEntry
        fields = ("id", "mentor", "session_id", "offer_id", "title", "opens_at", "closes_at", "state", "ahead", "booking_id", "take_before")
        read_only_fields = fields

    def get_title(self, entry: WaitlistEntry) -> str:
        what = entry.session or entry.offer
        assert what is not None  # the database wants one of the two
        return what.title
