from __future__ import annotations

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field

from catalog.api.v1.filters import OpportunityFilter, read_point
from catalog.enums import DismissReason, Leg, MemberRole, OpportunityKind, OrganisationState, ReviewSignal
from catalog.models import Category, Opportunity, Organisation, OrganisationMember, PostingReview, Reaction, SavedSearch, Skill
from catalog.selectors import name_in_language
from core import serializers
from core.serializers import QuerySerializer, RequestSerializer
from core.time_zones import TimeZoneField


class CategorySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    count = serializers.IntegerField(help_text="Open opportunities here and below, as the caller sees them.")
    children = serializers.SerializerMethodField()

    def get_children(self, node: Any) -> list[dict[str, Any]]:
        """The categories below, each of the same form."""
        return [dict(CategorySerializer(child).data) for child in node.children]


class CategoryListSerializer(serializers.Serializer[Any]):
    results = CategorySerializer(many=True)


class SkillSerializer(serializers.ModelSerializer[Skill]):
    class Meta:
        model = Skill
        fields = ("id", "name")
        read_only_fields = fields


class SkillTermSerializer(serializers.ModelSerializer[Skill]):
    name = serializers.SerializerMethodField(help_text="In the language of the request, where the taxonomy has it.")

    class Meta:
        model = Skill
        fields = ("id", "name", "alternative_names", "description", "source", "source_id", "same_as")
        read_only_fields = fields

    def get_name(self, skill: Skill) -> str:
        return name_in_language(skill.name, skill.translations)


class SkillSearchSerializer(QuerySerializer):
    q = serializers.CharField(max_length=100, required=False, default="", help_text="Part of a name; small slips of the pen are forgiven.")
    page_size = serializers.IntegerField(min_value=1, max_value=100, default=20)


class SkillListSerializer(serializers.Serializer[Any]):
    results = SkillTermSerializer(many=True)


class CategoryReferenceSerializer(serializers.ModelSerializer[Category]):
    class Meta:
        model = Category
        fields = ("slug", "name")
        read_only_fields = fields


class OpportunitySerializer(serializers.ModelSerializer[Opportunity]):
    remote = serializers.BooleanField(source="is_remote", allow_null=True, help_text="null: the source does not say.")
    deadline = serializers.DateField(source="deadline_on", allow_null=True)
    url = serializers.CharField(help_text="A web address, or empty where the source has none.")
    category = CategoryReferenceSerializer(allow_null=True)
    skills = SkillSerializer(many=True)
    time_zone = serializers.CharField(source="deadline_zone", help_text="The zone in which the dates are meant.")
    open_until = serializers.DateTimeField(allow_null=True, help_text="When the first of deadline and end is over; null: not limited.")
    confirmed_at = serializers.DateTimeField(help_text="When its poster, or its source, last said that it stands.")

    class Meta:
        model = Opportunity
        fields = (
            *("id", "kind", "state", "title", "description", "organisation", "location", "remote", "url", "language", "tags"),
            *("starts_on", "ends_on", "deadline", "time_zone", "open_until", "category", "skills", "source", "licence"),
            *("published_at", "confirmed_at", "created_at", "updated_at"),
        )
        read_only_fields = fields


class OpportunityHitSerializer(OpportunitySerializer):
    score = serializers.FloatField(help_text="Comparable within one answer only.")
    matched_by = serializers.ListField(child=serializers.ChoiceField(choices=Leg.choices), help_text="Strongest first.")
    distance_km = serializers.FloatField(allow_null=True, help_text="From `near`, where the place of both is known.")

    class Meta(OpportunitySerializer.Meta):
        fields = (*OpportunitySerializer.Meta.fields, "score", "matched_by", "distance_km")  # type: ignore[assignment]  # longer than that of the card
        read_only_fields = fields  # type: ignore[assignment]


class OpportunitySearchSerializer(serializers.Serializer[Any]):
    results = OpportunityHitSerializer(source="hits", many=True)
    degraded_because = serializers.CharField(help_text="Why meaning was left out and words decided alone; empty when both worked.")
    corrections = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="Stems of words that stand nowhere, and those that were taken instead.",
    )
    acronyms = serializers.ListField(child=serializers.CharField(), help_text="What acronyms were taken to mean as well.")


class PostingReviewSerializer(serializers.ModelSerializer[PostingReview]):
    signals = serializers.ListField(child=serializers.ChoiceField(choices=ReviewSignal.choices))

    class Meta:
        model = PostingReview
        fields = ("state", "signals", "note", "created_at", "decided_at")
        read_only_fields = fields


class ManagedOpportunitySerializer(OpportunitySerializer):
    """An opportunity as its poster and staff see it."""

    posting_organisation = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True, allow_null=True)
    duplicate_of = serializers.UUIDField(source="duplicate_of_id", allow_null=True)
    is_confirmation_asked = serializers.SerializerMethodField(help_text="Say whether it still stands, or it will be paused.")
    review = serializers.SerializerMethodField()

    class Meta(OpportunitySerializer.Meta):
        fields = (  # type: ignore[assignment]  # longer than that of the card
            *OpportunitySerializer.Meta.fields,
            *("posting_organisation", "duplicate_of", "is_confirmation_asked", "review"),
        )
        read_only_fields = fields  # type: ignore[assignment]

    def get_is_confirmation_asked(self, opportunity: Opportunity) -> bool:
        return opportunity.confirmation_asked_at is not None

    @extend_schema_field(PostingReviewSerializer(allow_null=True))
    def get_review(self, opportunity: Opportunity) -> dict[str, Any] | None:
        """The newest look that staff took, or will take."""
        reviews = opportunity.reviews.all()
        return dict(PostingReviewSerializer(reviews[0]).data) if reviews else None


class OpportunityRequestSerializer(RequestSerializer):
    kind = serializers.ChoiceField(choices=OpportunityKind.choices)
    title = serializers.CharField(max_length=500)
    description = serializers.CharField(max_length=100_000, required=False, allow_blank=True)
    organisation = serializers.CharField(max_length=300, required=False, allow_blank=True)
    location = serializers.CharField(max_length=300, required=False, allow_blank=True)
    remote = serializers.BooleanField(source="is_remote", required=False, allow_null=True)
    url = serializers.URLField(max_length=2000, required=False, allow_blank=True)
    language = serializers.RegexField(r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?\Z", max_length=16, required=False, allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=150), max_length=50, required=False)
    starts_on = serializers.DateField(required=False, allow_null=True)
    ends_on = serializers.DateField(required=False, allow_null=True)
    deadline = serializers.DateField(source="deadline_on", required=False, allow_null=True)
    time_zone = TimeZoneField(source="deadline_zone", required=False, help_text="By default the poster's.")
    category = serializers.SlugRelatedField(slug_field="slug", queryset=Category.objects.active(), required=False, allow_null=True)
    skill_ids = serializers.ListField(child=serializers.UUIDField(), max_length=50, required=False)


class OpportunityPostSerializer(OpportunityRequestSerializer):
    posting_organisation = serializers.SlugField(max_length=100, required=False, help_text="The organisation for which you post.")
    draft = serializers.BooleanField(required=False, default=False, help_text="Keep it to yourself until you submit it.")


class OpportunityChangesSerializer(OpportunityRequestSerializer):
    kind = serializers.ChoiceField(choices=OpportunityKind.choices, required=False)
    title = serializers.CharField(max_length=500, required=False)


class ReviewDecisionSerializer(RequestSerializer):
    note = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="", help_text="Told to the poster.")


class DismissalSerializer(RequestSerializer):
    because = serializers.ChoiceField(choices=DismissReason.choices, required=False, allow_blank=True, default="")


class ReactionSerializer(serializers.ModelSerializer[Reaction]):
    opportunity_id = serializers.UUIDField()
    url = serializers.CharField(source="opportunity.url", help_text="Where one applies; empty where the source has no address.")

    class Meta:
        model = Reaction
        fields = ("opportunity_id", "opened_at", "saved_at", "dismissed_at", "dismissed_because", "applied_at", "url")
        read_only_fields = fields


class ReactedOpportunitySerializer(serializers.ModelSerializer[Reaction]):
    """An opportunity in one's own lists, whatever has become of it."""

    opportunity = OpportunitySerializer()

    class Meta:
        model = Reaction
        fields = ("opportunity", "saved_at", "dismissed_at", "dismissed_because", "applied_at")
        read_only_fields = fields


class OrganisationSerializer(serializers.ModelSerializer[Organisation]):
    website = serializers.CharField(read_only=True, help_text="Empty where none was stated.")
    is_verified = serializers.SerializerMethodField()

    class Meta:
        model = Organisation
        fields = ("id", "slug", "name", "website", "state", "is_verified", "created_at")
        read_only_fields = fields

    def get_is_verified(self, organisation: Organisation) -> bool:
        return organisation.state == OrganisationState.VERIFIED


class OrganisationRequestSerializer(RequestSerializer):
    name = serializers.CharField(max_length=300)
    website = serializers.URLField(max_length=500, required=False, allow_blank=True)


class OrganisationChangesSerializer(OrganisationRequestSerializer):
    name = serializers.CharField(max_length=300, required=False)


class OrganisationsRequestSerializer(QuerySerializer):
    mine = serializers.BooleanField(required=False, default=False, help_text="Those of which you are a member, alone.")


class OrganisationStateSerializer(RequestSerializer):
    state = serializers.ChoiceField(choices=OrganisationState.choices)


class MemberSerializer(serializers.ModelSerializer[OrganisationMember]):
    user_id = serializers.UUIDField()
    handle = serializers.CharField(source="user.handle", allow_null=True)
    full_name = serializers.CharField(source="user.full_name")

    class Meta:
        model = OrganisationMember
        fields = ("user_id", "handle", "full_name", "role", "created_at")
        read_only_fields = fields


class MemberRequestSerializer(RequestSerializer):
    handle = serializers.CharField(max_length=30)
    role = serializers.ChoiceField(choices=MemberRole.choices, required=False, default=MemberRole.POSTER)


class FacetsSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    kinds = serializers.DictField(child=serializers.IntegerField())
    categories = serializers.DictField(child=serializers.IntegerField(), help_text="By slug.")
    languages = serializers.DictField(child=serializers.IntegerField())
    remote = serializers.DictField(child=serializers.IntegerField(), help_text="By true, false, and empty where it is not known.")


class SavedSearchSerializer(serializers.ModelSerializer[SavedSearch]):
    notify = serializers.BooleanField(source="is_notifying")
    new_count = serializers.IntegerField(help_text="How many were published and not seen since.")

    class Meta:
        model = SavedSearch
        fields = ("id", "name", "filters", "notify", "new_count", "created_at")
        read_only_fields = fields


class SavedSearchRequestSerializer(RequestSerializer):
    name = serializers.CharField(max_length=100)
    filters = serializers.DictField(help_text='The parameters of `GET opportunities`, such as `{"q": "nurse", "remote": "true"}`.')
    notify = serializers.BooleanField(source="is_notifying", required=False, default=True)

    def validate_filters(self, filters: dict[str, Any]) -> dict[str, Any]:
        """Only what the list of opportunities would take itself."""
        unknown = set(filters) - set(OpportunityFilter.base_filters)
        if unknown:
            raise serializers.ValidationError(f"These are not known: {', '.join(sorted(unknown))}.", "unknown_filter")
        if len(json.dumps(filters)) > 2_000:
            raise serializers.ValidationError("This is too long.", "too_long")
        form = OpportunityFilter(filters, queryset=Opportunity.objects.none())
        if not form.is_valid():
            raise serializers.ValidationError({name: list(map(str, errors)) for name, errors in form.errors.items()})
        if form.form.cleaned_data.get("near"):
            read_point(form.form.cleaned_data["near"])
        return filters


class SavedSearchChangesSerializer(SavedSearchRequestSerializer):
    name = serializers.CharField(max_length=100, required=False)
    filters = serializers.DictField(required=False)
    notify = serializers.BooleanField(source="is_notifying", required=False)


class SearchRequestSerializer(QuerySerializer):
    q = serializers.CharField(max_length=500, help_text="What to look for, in your own words.")
    page_size = serializers.IntegerField(min_value=1, max_value=100, default=20)
