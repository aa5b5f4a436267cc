from __future__ import annotations

import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field

from accounts.models import User
from bookings import policies
from bookings.api.v1.ending_serializers import EndingSerializer
from bookings.enums import BookingState, CancellationPolicy, Side
from bookings.models import Booking, BookingMove, BookingTerms
from bookings.models.bookings import LONGEST_TOPIC
from bookings.models.rooms import CLOSES_AFTER, OPENS_BEFORE
from bookings.models.terms import EARLIEST_REMINDER, MOST_PACKAGE_PERCENT, MOST_REMINDERS, SOONEST_REMINDER
from bookings.services.approving import needs_approval
from bookings.services.calendars import links_of
from bookings.services.refunds import deadlines_of, policy_text
from core import serializers
from core.serializers import MoneySerializer, QuerySerializer, RequestSerializer
from core.wall_time import as_text
from mentors.enums import OfferKind
from mentors.models.profiles import LONGEST_SESSION, SHORTEST_SESSION

# Beyond what any mentor can open, and before which nobody can have meant.
_REACH = datetime.timedelta(days=400)


def _within_reach(instant: datetime.datetime) -> None:
    if abs(instant - timezone.now()) > _REACH:
        raise serializers.ValidationError("Nobody can be booked then.", "out_of_reach")


def start_field() -> serializers.DateTimeField:
    return serializers.DateTimeField(validators=[_within_reach], help_text="RFC 3339. One of the mentor's slots.")


class BookingRequestSerializer(RequestSerializer):
    mentor_id = serializers.UUIDField()
    scheduled_at = start_field()
    duration_minutes = serializers.IntegerField(min_value=SHORTEST_SESSION, max_value=LONGEST_SESSION)
    offer_id = serializers.UUIDField(required=False, help_text="If not stated, the mentor's cheapest offer of this length.")
    topic = serializers.CharField(max_length=LONGEST_TOPIC, required=False, allow_blank=True, help_text="What you want to talk about.")


class NoteRequestSerializer(RequestSerializer):
    note = serializers.CharField(max_length=500, required=False, allow_blank=True, help_text="For the other side to read.")


class CancelRequestSerializer(NoteRequestSerializer):
    expected_refund = MoneySerializer(
        required=False, help_text="Of the quote that the person saw: if it has changed meanwhile, nothing is cancelled."
    )


class NewTimeRequestSerializer(NoteRequestSerializer):
    scheduled_at = start_field()


class CounterRequestSerializer(RequestSerializer):
    scheduled_at = start_field()


class NoShowRequestSerializer(NoteRequestSerializer):
    absent = serializers.ChoiceField(
        choices=(("other", "the other side"), ("me", "my side")),
        required=False,
        default="other",
        help_text="Who did not come. That you did not is your consent.",
    )


class AppealRequestSerializer(RequestSerializer):
    text = serializers.CharField(
        max_length=2000, help_text="What happened: when you came and left, and what you saw. The other side and our staff read it."
    )


class JoinRequestSerializer(QuerySerializer):
    audio_only = serializers.BooleanField(required=False, default=False, help_text="Come in with the camera off.")


class StayRequestSerializer(RequestSerializer):
    is_leaving = serializers.BooleanField()


class BookingsRequestSerializer(QuerySerializer):
    state = serializers.ChoiceField(choices=BookingState.choices, required=False)
    side = serializers.ChoiceField(choices=((Side.LEARNER, "as the learner"), (Side.MENTOR, "as the mentor")), required=False)
    when = serializers.ChoiceField(choices=(("ahead", "not over"), ("past", "over")), required=False)


class PartySerializer(serializers.Serializer[User]):
    """One of the two."""

    id = serializers.UUIDField(source="pk")
    name = serializers.CharField(source="full_name")


class MentorPartySerializer(PartySerializer):
    mentor_id = serializers.SerializerMethodField(help_text="Of the profile; null once they are a mentor no more.")

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_mentor_id(self, user: User) -> Any:
        profile = getattr(user, "mentor_profile", None)
        return profile.pk if profile is not None else None


class DeadlineSerializer(serializers.Serializer[Any]):
    """A learner who cancels until then, that moment taken in, gets so much back."""

    until = serializers.DateTimeField()
    refund = MoneySerializer()


class AgreedPolicySerializer(serializers.Serializer[Any]):
    """What was agreed about cancelling when it was booked."""

    policy = serializers.ChoiceField(choices=CancellationPolicy.choices)
    text = serializers.CharField()
    deadlines = DeadlineSerializer(many=True)


class BookingSerializer(serializers.ModelSerializer[Booking]):
    """A booking as one of its people sees it."""

    side = serializers.SerializerMethodField(help_text="On which side you are.")
    mentor = MentorPartySerializer(source="session.mentor")
    learner = PartySerializer()
    kind = serializers.ChoiceField(choices=OfferKind.choices, source="session.kind")
    title = serializers.CharField(source="session.title")
    scheduled_at = serializers.DateTimeField(source="session.starts_at")
    ends_at = serializers.DateTimeField(source="session.ends_at")
    duration_minutes = serializers.IntegerField(source="session.duration_minutes")
    mentor_time_zone = serializers.CharField(source="session.mentor_zone")
    learner_time_zone = serializers.CharField(source="learner_zone")
    price = MoneySerializer()
    refund = serializers.SerializerMethodField(help_text="What comes back, once that is decided.")
    cancellation_policy = serializers.SerializerMethodField()
    room_opens_at = serializers.SerializerMethodField()
    room_closes_at = serializers.SerializerMethodField()
    needs_payment = serializers.SerializerMethodField(help_text="Pay until `expires_at`.")
    needs_approval = serializers.SerializerMethodField(help_text="A guardian has to agree until `expires_at`.")
    you_can = serializers.SerializerMethodField(help_text="What you can do with it now.")

    class Meta:
        model = Booking
        fields: tuple[str, ...] = (
            *("id", "state", "version", "side", "mentor", "learner", "kind", "title", "topic", "scheduled_at", "ends_at"),
            *(
                "duration_minutes",
                "mentor_time_zone",
                "learner_time_zone",
                "price",
                "refund",
                "cancellation_policy",
                "payment_id",
                "series_id",
            ),
            *("expires_at", "proposed_at", "room_opens_at", "room_closes_at", "needs_payment", "needs_approval", "you_can"),
            *("created_at", "confirmed_at", "ended_at"),
        )
        read_only_fields = fields

    def _user(self) -> User:
        user: User = self.context["user"]
        return user

    def get_side(self, booking: Booking) -> str:
        return "mentor" if policies.is_mentor_of(self._user(), booking) else "learner"

    @extend_schema_field(MoneySerializer(allow_null=True))
    def get_refund(self, booking: Booking) -> dict[str, Any] | None:
        return None if booking.refund_amount is None else {"amount": booking.refund_amount, "currency": booking.price_currency}

    @extend_schema_field(AgreedPolicySerializer)
    def get_cancellation_policy(self, booking: Booking) -> dict[str, Any]:
        policy = CancellationPolicy(booking.policy)
        return dict(AgreedPolicySerializer({"policy": policy, "text": policy_text(booking), "deadlines": deadlines_of(booking)}).data)

    @extend_schema_field(serializers.DateTimeField)
    def get_room_opens_at(self, booking: Booking) -> str:
        return as_text(booking.session.starts_at - OPENS_BEFORE)

    @extend_schema_field(serializers.DateTimeField)
    def get_room_closes_at(self, booking: Booking) -> str:
        return as_text(booking.session.ends_at + CLOSES_AFTER)

    def get_needs_payment(self, booking: Booking) -> bool:
        return booking.state == BookingState.HELD and booking.payment_id is not None

    def get_needs_approval(self, booking: Booking) -> bool:
        return needs_approval(booking)

    def get_you_can(self, booking: Booking) -> list[str]:
        return policies.moves_open_to(self._user(), booking)


class MoveSerializer(serializers.ModelSerializer[BookingMove]):
    """What happened, by whom and why."""

    class Meta:
        model = BookingMove
        fields = ("version", "from_state", "to_state", "moved_at", "starts_at", "side", "cause", "note")
        read_only_fields = fields


class CalendarLinksSerializer(serializers.Serializer[Any]):
    google = serializers.URLField()
    outlook = serializers.URLField()


class BookingDetailSerializer(BookingSerializer):
    history = MoveSerializer(many=True)
    calendar_links = serializers.SerializerMethodField(help_text="Addresses that open the entry in other calendars.")
    ending = EndingSerializer(source="*")

    class Meta(BookingSerializer.Meta):
        fields = (*BookingSerializer.Meta.fields, "history", "calendar_links", "ending")
        read_only_fields = fields

    @extend_schema_field(CalendarLinksSerializer)
    def get_calendar_links(self, booking: Booking) -> dict[str, str]:
        return links_of(booking, self._user())


class QuoteSerializer(serializers.Serializer[Any]):
    """What a cancel now would do, to the last unit. `kept` stays with the mentor and the platform."""

    at = serializers.DateTimeField()
    side = serializers.ChoiceField(choices=Side.choices)
    paid = MoneySerializer(help_text="The price, also while it is only reserved.")
    refund = MoneySerializer()
    kept = MoneySerializer()
    deadlines = DeadlineSerializer(many=True, help_text="When that changes.")


class EntranceSerializer(serializers.Serializer[Any]):
    meeting_url = serializers.URLField()
    token = serializers.CharField(help_text="For you alone; empty where the provider knows none.")
    opens_at = serializers.DateTimeField()
    closes_at = serializers.DateTimeField()
    provider = serializers.CharField()
    is_audio_only = serializers.BooleanField()


class BookingTermsSerializer(serializers.ModelSerializer[BookingTerms]):
    """How you take bookings from now on. What is booked keeps the terms under which it was made."""

    class Meta:
        model = BookingTerms
        fields = ("is_instant", "policy", "package_percent")


class BookingTermsRequestSerializer(RequestSerializer):
    is_instant = serializers.BooleanField(help_text="People book you without asking first.")
    policy = serializers.ChoiceField(choices=CancellationPolicy.choices)
    package_percent = serializers.IntegerField(
        min_value=0,
        max_value=MOST_PACKAGE_PERCENT,
        required=False,
        help_text="So much less does a session cost that is paid for with others.",
    )


class RemindersSerializer(RequestSerializer):
    minutes_before = serializers.ListField(
        child=serializers.IntegerField(min_value=SOONEST_REMINDER, max_value=EARLIEST_REMINDER),
        max_length=MOST_REMINDERS,
        help_text="How many minutes before each session you want to be reminded; empty is never.",
    )
