"""Outside calendars that a mentor connects, and the link to the mentor's own."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field

from core import serializers
from core.serializers import RequestSerializer
from mentors.enums import CalendarKind, CalendarProblem
from mentors.models import CalendarLink, OutsideCalendar
from mentors.services.calendar_problems import failure_text, problems_of
from mentors.services.links import token_of


class CalendarRequestSerializer(RequestSerializer):
    kind = serializers.ChoiceField(choices=CalendarKind.choices)
    name = serializers.CharField(max_length=100)
    address = serializers.CharField(
        max_length=2_000, write_only=True, help_text="https:// or webcal://; of a CalDAV calendar its collection."
    )
    username = serializers.CharField(max_length=200, allow_blank=True, default="", help_text="For CalDAV alone.")
    password = serializers.CharField(
        max_length=500, allow_blank=True, default="", write_only=True, trim_whitespace=False, help_text="For CalDAV alone."
    )

    def validate(self, calendar: dict[str, Any]) -> dict[str, Any]:
        if calendar["kind"] == CalendarKind.CALDAV and not calendar["username"]:
            raise serializers.ValidationError({"username": "A CalDAV server asks for a user name."}, "required")
        if calendar["kind"] == CalendarKind.ICS and (calendar["username"] or calendar["password"]):
            raise serializers.ValidationError({"username": "An address of a file has no user name and no password."}, "not_for_ics")
        return calendar


class CalendarProblemSerializer(serializers.Serializer[Any]):
    code = serializers.ChoiceField(choices=CalendarProblem.choices)
    line = serializers.IntegerField(help_text="Of the calendar file, counted from 1.")
    event = serializers.CharField(help_text="The title of the event; empty where it has none or is private.")
    text = serializers.CharField(help_text="The problem and its consequence.")
    remedy = serializers.CharField(help_text="How to fix it.")


class OutsideCalendarSerializer(serializers.ModelSerializer[OutsideCalendar]):
    problems = serializers.SerializerMethodField(help_text="Problems of the last reading; those times count as busy.")
    failure = serializers.CharField(help_text="Why the last attempt failed; empty if it did not.")
    failure_text = serializers.SerializerMethodField(help_text="The same in words, with how to fix it.")

    class Meta:
        model = OutsideCalendar
        fields = ("id", "kind", "name", "host", "username", "read_at", "fresh_at", "failure", "failure_text", "problems")
        read_only_fields = fields

    @extend_schema_field(CalendarProblemSerializer(many=True))
    def get_problems(self, calendar: OutsideCalendar) -> Any:
        return CalendarProblemSerializer(problems_of(calendar), many=True).data

    def get_failure_text(self, calendar: OutsideCalendar) -> str:
        return failure_text(calendar)


class CalendarServerSerializer(RequestSerializer):
    address = serializers.CharField(max_length=2_000, write_only=True, help_text="Of the CalDAV server.")
    username = serializers.CharField(max_length=200)
    password = serializers.CharField(max_length=500, write_only=True, trim_whitespace=False)


class FoundCalendarSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    address = serializers.CharField()


class FoundCalendarsSerializer(serializers.Serializer[Any]):
    results = FoundCalendarSerializer(many=True)


class CalendarLinkSerializer(serializers.ModelSerializer[CalendarLink]):
    url = serializers.SerializerMethodField(help_text="A secret: who has it sees your sessions.")

    class Meta:
        model = CalendarLink
        fields = ("url", "rotated_at")
        read_only_fields = fields

    def get_url(self, link: CalendarLink) -> str:
        return f"{settings.SITE_URL}/calendars/{token_of(link)}.ics"
