from __future__ import annotations

import datetime
import re
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field

from core import serializers
from core.phone_numbers import LONGEST_INPUT
from core.serializers import RequestSerializer
from core.wall_time import Weekday
from notifications.enums import Cadence, Channel, Complaint, DeliveryState, Urgency, Why
from notifications.models import Delivery, Notification, Phone, Preferences, PushDevice
from notifications.notices import topics
from notifications.selectors import card_of
from notifications.services.composing import language_of
from notifications.services.preferences import fixed_channels, matrix, send_at
from notifications.services.reachability import channel_problems, problem_of_phone

_EXPO_TOKEN = re.compile(r"(Expo|Exponent)PushToken\[[A-Za-z0-9_\-:.]{1,150}\]")
_MOST_IDS = 100


@extend_schema_field({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "example": "22:00"})
class WallTimeField(serializers.TimeField):
    """Hours and minutes."""


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


class ChannelsSerializer(RequestSerializer):
    push = serializers.BooleanField(required=False)
    email = serializers.BooleanField(required=False)
    sms = serializers.BooleanField(required=False)


class TopicChoiceSerializer(RequestSerializer):
    topic = serializers.CharField(max_length=40)
    channels = ChannelsSerializer()

    def validate(self, choice: dict[str, Any]) -> dict[str, Any]:
        if choice["topic"] not in {topic.name for topic in topics()}:
            raise serializers.ValidationError({"topic": "There is no such topic."}, "unknown_topic")
        fixed = [channel for channel in fixed_channels(choice["topic"]) if choice["channels"].get(channel) is False]
        if fixed:
            raise serializers.ValidationError({"channels": "This must be told, and cannot be turned off."}, "cannot_be_turned_off")
        return choice


class PreferencesRequestSerializer(RequestSerializer):
    quiet_hours = QuietHoursSerializer(allow_null=True, default=None)
    digest = DigestSerializer(required=False)
    urgent_breaks_through = serializers.BooleanField(default=False, help_text="Whether what is about to happen may be told in quiet hours.")
    topics = TopicChoiceSerializer(many=True, default=list)

    def validate_topics(self, chosen: list[dict[str, Any]]) -> list[dict[str, Any]]:
        names = [choice["topic"] for choice in chosen]
        if len(names) != len(set(names)):
            raise serializers.ValidationError("Each topic can stand here once.", "topic_twice")
        return chosen

    def to_columns(self) -> dict[str, Any]:
        """The input as the columns of `Preferences`, and the `choices` of topics."""
        given = self.validated_data
        columns: dict[str, Any] = {"urgent_breaks_through": given["urgent_breaks_through"]}
        if given["quiet_hours"]:
            columns |= {"quiet_from": given["quiet_hours"]["start"], "quiet_until": given["quiet_hours"]["end"]}
        if "digest" in given:
            columns |= {"cadence": given["digest"]["cadence"], "digest_at": given["digest"]["at"], "digest_on": given["digest"]["on"]}
        pairs = [(choice["topic"], channel, is_on) for choice in given["topics"] for channel, is_on in choice["channels"].items()]
        return columns | {"choices": {(topic, channel): is_on for topic, channel, is_on in pairs}}


class TopicPreferenceSerializer(serializers.Serializer[Any]):
    topic = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # DRF's own name for another thing
    description = serializers.CharField()
    channels = ChannelsSerializer()
    fixed = serializers.ListField(child=serializers.ChoiceField(choices=Channel.choices), help_text="Channels that cannot be turned off.")


class ChannelProblemSerializer(serializers.Serializer[Any]):
    """A channel on which nothing is sent to you, although you have an address there."""

    channel = serializers.ChoiceField(choices=Channel.choices)
    reason = serializers.ChoiceField(choices=Complaint.choices)
    since = serializers.DateTimeField()
    remedy = serializers.CharField(help_text="What you can do about it, in your language.")


class PreferencesSerializer(serializers.Serializer[Preferences]):
    """When and how a person is told things; times are those on the wall, in `time_zone`."""

    quiet_hours = QuietHoursSerializer(allow_null=True)
    digest = DigestSerializer()
    urgent_breaks_through = serializers.BooleanField()
    topics = TopicPreferenceSerializer(many=True)
    time_zone = serializers.CharField(help_text="Of the account.")
    next_send_at = serializers.DateTimeField(help_text="When something would be sent that came now.")
    next_urgent_send_at = serializers.DateTimeField(help_text="When something urgent would be sent that came now.")
    problems = ChannelProblemSerializer(many=True, help_text="Channels on which nothing reaches you.")

    def to_representation(self, preferences: Preferences) -> dict[str, Any]:
        now = timezone.now()
        hours = {"start": preferences.quiet_from, "end": preferences.quiet_until}
        fields = {
            "quiet_hours": hours if preferences.quiet_from is not None else None,
            "digest": {"cadence": preferences.cadence, "at": preferences.digest_at, "on": preferences.digest_on},
            "urgent_breaks_through": preferences.urgent_breaks_through,
            "topics": matrix(self.context["choices"], language_of(preferences.user)),
            "time_zone": preferences.user.time_zone,
            "next_send_at": send_at(preferences, now=now),
            "next_urgent_send_at": send_at(preferences, now=now, urgency=Urgency.URGENT),
            "problems": channel_problems(preferences.user),
        }
        shown: dict[str, Any] = super().to_representation(fields)  # type: ignore[arg-type]  # a mapping is shown as well
        return shown


class PersonNamedSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    full_name = serializers.CharField()


class NotificationSerializer(serializers.Serializer[Notification]):
    """Something that you were told, in your language."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    topic = serializers.CharField()
    urgency = serializers.ChoiceField(choices=[urgency.name.lower() for urgency in Urgency])
    title = serializers.CharField()
    text = serializers.CharField()
    link = serializers.CharField(help_text="What the way to its screen is called.")
    path = serializers.CharField(help_text="Of its screen in the app, and of its page.")
    about = PersonNamedSerializer(allow_null=True, help_text="Who is named in it.")
    count = serializers.IntegerField(help_text="How many it stands for.")
    created_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, notification: Notification) -> dict[str, Any]:
        return card_of(notification)


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    state = serializers.ChoiceField(choices=DeliveryState.choices)
    why = serializers.ChoiceField(choices=[("", ""), *Why.choices], help_text="Why it was not sent; empty where it was, or will be.")

    class Meta:
        model = Delivery
        fields = ("channel", "state", "why", "due_at", "sent_at")


class NotificationTrailSerializer(NotificationSerializer):
    """With how it went out, or why it did not."""

    deliveries = DeliverySerializer(many=True)

    def to_representation(self, notification: Notification) -> dict[str, Any]:
        rows = notification.deliveries.order_by("channel")
        return card_of(notification) | {"deliveries": DeliverySerializer(rows, many=True).data}


class ReadRequestSerializer(RequestSerializer):
    ids = serializers.ListField(child=serializers.UUIDField(), max_length=_MOST_IDS, required=False, help_text="These.")
    up_to = serializers.UUIDField(required=False, help_text="This one and all before it.")
    all = serializers.BooleanField(required=False, help_text="All of them.")

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("all") is False:
            raise serializers.ValidationError({"all": "Leave it out, or say true."}, "all_is_true")
        if len(given) != 1:
            raise serializers.ValidationError({"ids": "Say which: ids, or up_to, or all."}, "which_ones")
        return given


class UnreadCountSerializer(serializers.Serializer[Any]):
    """Of two of these the one with the higher version is right, in whatever order they come."""

    unread = serializers.IntegerField()
    version = serializers.IntegerField()


class PushDeviceRequestSerializer(RequestSerializer):
    expo_push_token = serializers.CharField(max_length=200, help_text="Such as ExponentPushToken[...].")
    shows_text = serializers.BooleanField(default=False, help_text="Whether the lock screen may show what a push is about.")

    def validate_expo_push_token(self, token: str) -> str:
        if not _EXPO_TOKEN.fullmatch(token):
            raise serializers.ValidationError("This is not a push token of Expo.", "invalid_push_token")
        return token


class PushDeviceSerializer(serializers.ModelSerializer[PushDevice]):
    name = serializers.CharField(source="device.name")

    class Meta:
        model = PushDevice
        fields = ("id", "name", "shows_text", "created_at")


class PhoneRequestSerializer(RequestSerializer):
    number = serializers.CharField(
        max_length=LONGEST_INPUT,
        help_text="As people write it: +49 151 12345678, or without the country's code in the country of your time zone.",
    )


class PhoneCodeSerializer(RequestSerializer):
    code = serializers.RegexField(r"^[0-9]{6}\Z", help_text="The six digits of our message.")


class PhoneSerializer(serializers.ModelSerializer[Phone]):
    is_active = serializers.SerializerMethodField(help_text="Whether text messages are sent to it.")
    problem = serializers.SerializerMethodField(help_text="Why none are sent, although the number was confirmed.")

    class Meta:
        model = Phone
        fields = ("number", "verified_at", "is_active", "problem")

    def get_is_active(self, phone: Phone) -> bool:
        return phone.verified_at is not None and problem_of_phone(phone) is None

    @extend_schema_field(ChannelProblemSerializer(allow_null=True))
    def get_problem(self, phone: Phone) -> dict[str, Any] | None:
        problem = problem_of_phone(phone)
        return ChannelProblemSerializer(problem).data if problem else None
