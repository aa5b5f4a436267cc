from __future__ import annotations

import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field

from accounts.models.people import LANGUAGE_PATTERN
from core import serializers
from core.serializers import MoneySerializer, QuerySerializer, RequestSerializer
from core.time_zones import TimeZoneField
from mentors.api.v1.availability_serializers import MinuteOfDayField
from mentors.api.v1.check_serializers import BadgeSerializer
from mentors.enums import AccessibilityPractice, MentorState, OfferKind, PauseReason, Refusal
from mentors.models import MentorProfile, MentorSkill, OccupiedTime, Offer
from mentors.models.availability import MINUTES_OF_A_DAY
from mentors.models.profiles import LARGEST_GROUP, LONGEST_SESSION, MOST_LANGUAGES, SHORTEST_SESSION
from mentors.services.profiles import MOST_OFFERS, MOST_SKILLS, StatedOffer
from mentors.services.standing import answering_of, rating_of

_LARGEST_PRICE = 100_000_000


class PriceSerializer(MoneySerializer):
    """The price of an offer; 0 is free of charge."""

    amount = serializers.IntegerField(min_value=0, max_value=_LARGEST_PRICE, help_text="In the smallest unit of the currency.")


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
    """A search for mentors. Price, currency and length must match one and the same offer."""

    q = serializers.CharField(max_length=500, required=False, default="", help_text="Ranked by meaning; the first page alone.")
    available_from = serializers.DateTimeField(required=False, help_text="Mentors with a slot from then on; now if another one is stated.")
    available_to = serializers.DateTimeField(required=False, help_text="The session is over by then; a week later if not stated.")
    daily_from = MinuteOfDayField(required=False, help_text="Of each date, in `time_zone`: 18:00 for evenings.")
    daily_to = MinuteOfDayField(required=False, help_text="Before `daily_from`: of the next date, so 22:00 to 02:00 is across midnight.")
    time_zone = TimeZoneField(required=False, help_text="Zone of the daily times; that of the account if omitted.")
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
        help_text="false: a calendar of the mentor was not read for 12 hours, or never, so a slot may turn out to be taken."
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
