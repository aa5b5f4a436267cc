from __future__ import annotations

import datetime
import re
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from drf_spectacular.utils import extend_schema_field

from accounts.models.people import LANGUAGE_PATTERN
from core import serializers
from core.serializers import MoneySerializer, QuerySerializer, RequestSerializer
from core.time_zones import TimeZoneField
from core.wall_time import Weekday
from mentors.api.v1.check_serializers import BadgeSerializer
from mentors.enums import AccessibilityPractice, CalendarKind, CalendarProblem, MentorState, OfferKind, PauseReason, Refusal
from mentors.models import CalendarLink, MentorProfile, MentorSkill, OccupiedTime, Offer, OutsideCalendar
from mentors.models.availability import (
    FURTHEST_HORIZON,
    LONGEST_BUFFER,
    LONGEST_INCREMENT,
    LONGEST_NOTICE,
    MINUTES_OF_A_DAY,
    SHORTEST_INCREMENT,
)
from mentors.models.profiles import LARGEST_GROUP, LONGEST_SESSION, MOST_LANGUAGES, SHORTEST_SESSION
from mentors.services.calendar_problems import failure_text, problems_of
from mentors.services.expanding import Hours, Stay
from mentors.services.links import token_of
from mentors.services.profiles import MOST_OFFERS, MOST_SKILLS, StatedOffer
from mentors.services.schedules import MOST_OVERRIDES, MOST_TRAVELS, MOST_WEEKLY, Availability, Override, WeeklyRule
from mentors.services.standing import answering_of, rating_of

_LARGEST_PRICE = 100_000_000
_WALL_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


class PriceSerializer(MoneySerializer):
    """What an offer costs: nothing, or an amount that can be paid."""

    amount = serializers.IntegerField(min_value=0, max_value=_LARGEST_PRICE, help_text="In the smallest unit of the currency.")


@extend_schema_field({"type": "string", "pattern": r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"})
class MinuteOfDayField(serializers.Field[int, Any, str, int]):
    """A wall time as minutes of its day; `24:00` is the end of the day."""

    default_error_messages = {"invalid": "Write a time as 09:30; the end of the day is 24:00."}  # noqa: RUF012  (as DRF has it)

    def to_internal_value(self, data: Any) -> int:
        if data == "24:00":
            return MINUTES_OF_A_DAY
        found = _WALL_TIME.fullmatch(data) if isinstance(data, str) else None
        if found is None:
            self.fail("invalid")
        return int(found[1]) * 60 + int(found[2])

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


class SkillWithYearsSerializer(RequestSerializer):
    skill_id = serializers.UUIDField()
    years = serializers.IntegerField(min_value=0, max_value=80, allow_null=True, default=None)


class OfferRequestSerializer(RequestSerializer):
    id = serializers.UUIDField(required=False, help_text="Of an offer that is kept; left out for a new one.")
    kind = serializers.ChoiceField(choices=OfferKind.choices)
    title = serializers.CharField(max_length=100)
    duration_minutes = serializers.IntegerField(min_value=SHORTEST_SESSION, max_value=LONGEST_SESSION)
    price = PriceSerializer()
    group_size = serializers.IntegerField(min_value=1, max_value=LARGEST_GROUP, default=1)

    def to_offer(self, given: dict[str, Any]) -> StatedOffer:
        price = given["price"]
        rest = {name: value for name, value in given.items() if name != "price"}
        return StatedOffer(price_amount=price["amount"], price_currency=price["currency"], **rest)


class ProfileRequestSerializer(RequestSerializer):
    headline = serializers.CharField(max_length=150, allow_blank=True, default="")
    bio = serializers.CharField(max_length=5_000, allow_blank=True, default="")
    languages = serializers.ListField(
        child=serializers.RegexField(rf"^{LANGUAGE_PATTERN.pattern}", max_length=16), max_length=MOST_LANGUAGES, default=list
    )
    accessibility_practices = serializers.ListField(
        child=serializers.ChoiceField(choices=AccessibilityPractice.choices), max_length=len(AccessibilityPractice), default=list
    )
    capacity = serializers.IntegerField(min_value=1, max_value=1_000, default=5)
    is_open_to_minors = serializers.BooleanField(default=False)
    skills = serializers.ListField(child=SkillWithYearsSerializer(), max_length=MOST_SKILLS, default=list)
    offers = serializers.ListField(child=OfferRequestSerializer(), max_length=MOST_OFFERS, default=list)

    def to_service(self) -> dict[str, Any]:
        """The checked input as `save_profile` takes it."""
        given = dict(self.validated_data)
        skills = [(skill["skill_id"], skill["years"]) for skill in given.pop("skills")]
        offers = [OfferRequestSerializer().to_offer(offer) for offer in given.pop("offers")]
        return {"fields": given, "skills": skills, "offers": offers}


class MentorSkillSerializer(serializers.ModelSerializer[MentorSkill]):
    id = serializers.UUIDField(source="skill_id")
    name = serializers.CharField(source="skill.name")

    class Meta:
        model = MentorSkill
        fields = ("id", "name", "years")
        read_only_fields = fields


class OfferSerializer(serializers.ModelSerializer[Offer]):
    price = serializers.SerializerMethodField()

    class Meta:
        model = Offer
        fields = ("id", "kind", "title", "duration_minutes", "price", "group_size")
        read_only_fields = fields

    @extend_schema_field(MoneySerializer)
    def get_price(self, offer: Offer) -> dict[str, Any]:
        return {"amount": offer.price_amount, "currency": offer.price_currency}


class AnsweringSerializer(serializers.Serializer[Any]):
    """How requests of the last 30 days were answered."""

    number = serializers.IntegerField()
    acceptance = serializers.FloatField(help_text="The share that was accepted, 0 to 1.")
    median_minutes = serializers.IntegerField(allow_null=True)


class RatingSerializer(serializers.Serializer[Any]):
    """The Bayesian mean of the stars: (5 x 4 + their sum) / (5 + their number)."""

    stars = serializers.FloatField()
    number = serializers.IntegerField()


class MentorSerializer(serializers.ModelSerializer[MentorProfile]):
    full_name = serializers.CharField(source="user.full_name")
    user_id = serializers.UUIDField()
    is_bookable = serializers.SerializerMethodField(help_text="false: takes no sessions for now.")
    accessibility_practices = serializers.ListField(child=serializers.ChoiceField(choices=AccessibilityPractice.choices))
    skills = MentorSkillSerializer(source="skill_links", many=True)
    offers = OfferSerializer(source="active_offers", many=True)
    checks = BadgeSerializer(source="checks_in_force", many=True)
    answering = serializers.SerializerMethodField(help_text="null: fewer than five requests in 30 days.")
    rating = serializers.SerializerMethodField(help_text="null: no review yet.")
    next_slot = serializers.DateTimeField(
        allow_null=True, help_text="The first bookable start, of the shortest offer; null: none within two weeks."
    )

    class Meta:
        model = MentorProfile
        fields = (
            *("id", "user_id", "full_name", "headline", "bio", "languages", "accessibility_practices", "skills", "offers", "checks"),
            *("is_bookable", "next_slot", "answering", "rating", "live_since"),
        )
        read_only_fields = fields

    def get_is_bookable(self, profile: MentorProfile) -> bool:
        return profile.state == MentorState.LIVE

    @extend_schema_field(AnsweringSerializer(allow_null=True))
    def get_answering(self, profile: MentorProfile) -> Any:
        answering = answering_of(profile)
        return AnsweringSerializer(answering).data if answering else None

    @extend_schema_field(RatingSerializer(allow_null=True))
    def get_rating(self, profile: MentorProfile) -> Any:
        rating = rating_of(profile)
        return RatingSerializer(rating).data if rating else None


class MentorHitSerializer(MentorSerializer):
    score = serializers.FloatField(allow_null=True, help_text="With `q`; comparable within one answer only.")

    class Meta(MentorSerializer.Meta):
        fields = (*MentorSerializer.Meta.fields, "score")  # type: ignore[assignment]  # longer than that of the card
        read_only_fields = fields  # type: ignore[assignment]


class MentorListSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = MentorHitSerializer(many=True)
    degraded_because = serializers.CharField(help_text="Why meaning was left out of `q` and words decided alone; empty when it was not.")


class MentorSearchSerializer(QuerySerializer):
    """What somebody looks for, and when they have time. Price, currency and length are of one and the same offer."""

    q = serializers.CharField(max_length=500, required=False, default="", help_text="Ranked by meaning; the first page alone.")
    available_from = serializers.DateTimeField(required=False, help_text="Mentors with a slot from then on; now if another one is stated.")
    available_to = serializers.DateTimeField(required=False, help_text="The session is over by then; a week later if not stated.")
    daily_from = MinuteOfDayField(required=False, help_text="Of each date, in `time_zone`: 18:00 for evenings.")
    daily_to = MinuteOfDayField(required=False, help_text="Before `daily_from`: of the next date, so 22:00 to 02:00 is across midnight.")
    time_zone = TimeZoneField(required=False, help_text="Of who is looking; their own if not stated.")
    duration_minutes = serializers.IntegerField(
        min_value=SHORTEST_SESSION, max_value=LONGEST_SESSION, required=False, help_text="Of the session; 60 if only a time is stated."
    )
    price_max = serializers.IntegerField(
        min_value=0, max_value=2_147_483_647, required=False, help_text="In the smallest unit of `currency`, which 0 alone does not need."
    )
    currency = serializers.RegexField(r"^[A-Za-z]{3}$", required=False, help_text="Of the price, ISO 4217.")
    page_size = serializers.IntegerField(min_value=1, max_value=100, default=20)

    def validate_currency(self, currency: str) -> str:
        return currency.upper()

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked.get("price_max") and "currency" not in asked:
            raise serializers.ValidationError({"currency": "State the currency of the price, such as EUR."}, "required")
        if ("daily_from" in asked) != ("daily_to" in asked):
            raise serializers.ValidationError({"daily_to": "State both, or neither."}, "required")
        if (
            "daily_from" in asked
            and asked["daily_from"] % MINUTES_OF_A_DAY == asked["daily_to"] % MINUTES_OF_A_DAY
            and not _is_whole_day(asked)
        ):
            raise serializers.ValidationError(
                {"daily_to": "The end must differ from the start; a whole day is 00:00 to 24:00."}, "empty_hours"
            )
        return asked


def _is_whole_day(asked: dict[str, Any]) -> bool:
    return (asked["daily_from"], asked["daily_to"]) == (0, MINUTES_OF_A_DAY)


class OwnMentorSerializer(MentorSerializer):
    """A profile as its mentor sees it."""

    paused_because = serializers.ChoiceField(choices=PauseReason.choices, allow_blank=True)

    class Meta(MentorSerializer.Meta):
        fields = (  # type: ignore[assignment]  # longer than that of the card
            *MentorSerializer.Meta.fields,
            *("state", "paused_because", "barred_until", "capacity", "is_open_to_minors", "applied_at", "decided_at", "decision_note"),
        )
        read_only_fields = fields  # type: ignore[assignment]


class SlotsRequestSerializer(QuerySerializer):
    to = serializers.DateTimeField(required=False, help_text="Not taken in; a week after `from` if not stated. At most 62 days are listed.")
    duration_minutes = serializers.IntegerField(
        min_value=SHORTEST_SESSION, max_value=LONGEST_SESSION, required=False, help_text="That of the shortest offer if not stated."
    )

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of the language.
        start = serializers.DateTimeField(required=False, help_text="Now if not stated.")
        return {"from": start, **super().get_fields()}


class SlotSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class SlotListSerializer(serializers.Serializer[Any]):
    slots = SlotSerializer(many=True)
    time_zone = serializers.CharField(help_text="Of the mentor.")
    is_confirmed = serializers.BooleanField(
        help_text="false: a calendar of the mentor was not read yet, or not for 12 hours, so that a time may turn out to be taken."
    )


class WhyRequestSerializer(QuerySerializer):
    start = serializers.DateTimeField()
    duration_minutes = serializers.IntegerField(min_value=SHORTEST_SESSION, max_value=LONGEST_SESSION)


class RefusalReasonSerializer(serializers.Serializer[Any]):
    code = serializers.ChoiceField(source="refusal", choices=Refusal.choices)
    text = serializers.CharField()
    details = serializers.ListField(child=serializers.CharField(), help_text="The very hours and events; for the mentor alone.")


class WhySerializer(serializers.Serializer[Any]):
    is_bookable = serializers.BooleanField()
    reasons = RefusalReasonSerializer(many=True)


class TimeBlockRequestSerializer(RequestSerializer):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    title = serializers.CharField(max_length=300, allow_blank=True, default="")

    def validate(self, block: dict[str, Any]) -> dict[str, Any]:
        if block["end"] <= block["start"]:
            raise serializers.ValidationError({"end": "The end must be after the start."}, "reversed_times")
        if block["end"] - block["start"] > datetime.timedelta(days=731):
            raise serializers.ValidationError({"end": "Block two years at most."}, "too_long")
        return block


class TimeBlockSerializer(serializers.ModelSerializer[OccupiedTime]):
    start = serializers.DateTimeField(source="during.lower")
    end = serializers.DateTimeField(source="during.upper")

    class Meta:
        model = OccupiedTime
        fields = ("id", "start", "end", "title")
        read_only_fields = fields


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
    text = serializers.CharField(help_text="What was not understood, and what follows from it.")
    remedy = serializers.CharField(help_text="How to fix it.")


class OutsideCalendarSerializer(serializers.ModelSerializer[OutsideCalendar]):
    problems = serializers.SerializerMethodField(help_text="What was not understood when it was last read, and counts as busy.")
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
