from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field

from bookings.api.v1.serializers import MentorPartySerializer, start_field
from bookings.enums import SessionState
from bookings.models import Session
from bookings.models.bookings import LONGEST_TOPIC
from core import serializers
from core.serializers import MoneySerializer, QuerySerializer, RequestSerializer
from mentors.models.profiles import LARGEST_GROUP


class AnnounceRequestSerializer(RequestSerializer):
    offer_id = serializers.UUIDField(help_text="One of your group offers.")
    scheduled_at = start_field()
    seats = serializers.IntegerField(min_value=2, max_value=LARGEST_GROUP, required=False, help_text="If not stated, those of the offer.")
    fewest = serializers.IntegerField(
        min_value=1, max_value=LARGEST_GROUP, required=False, help_text="With fewer people a day before, it is called off."
    )


class SeatRequestSerializer(RequestSerializer):
    topic = serializers.CharField(max_length=LONGEST_TOPIC, required=False, allow_blank=True)


class SessionsRequestSerializer(QuerySerializer):
    mentor_id = serializers.UUIDField(required=False, help_text="Of this mentor alone.")


class GroupSessionSerializer(serializers.ModelSerializer[Session]):
    """A session for several, as everybody sees it: who else has a seat is not told."""

    mentor = MentorPartySerializer()
    state = serializers.ChoiceField(choices=SessionState.choices)
    scheduled_at = serializers.DateTimeField(source="starts_at")
    price = serializers.SerializerMethodField()
    seats_free = serializers.SerializerMethodField()
    is_yours = serializers.SerializerMethodField(help_text="You are its mentor.")

    class Meta:
        model = Session
        fields = (
            *("id", "mentor", "state", "title", "scheduled_at", "ends_at", "duration_minutes", "mentor_zone", "price", "policy", "seats"),
            *("seats_free", "fewest", "is_yours", "cancelled_at"),
        )
        read_only_fields = fields

    @extend_schema_field(MoneySerializer)
    def get_price(self, session: Session) -> dict[str, Any]:
        return {"amount": session.price_amount or 0, "currency": session.price_currency}

    def get_seats_free(self, session: Session) -> int:
        free: int = session.seats - session.taken  # type: ignore[attr-defined]  # annotated by the selector
        return max(free, 0) if session.state == SessionState.AHEAD else 0

    def get_is_yours(self, session: Session) -> bool:
        return bool(session.mentor_id == self.context["user"].pk)
