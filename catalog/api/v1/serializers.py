from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.enums import Leg, OpportunityKind
from catalog.models import Category, Opportunity, Skill
from core.serializers import RequestSerializer


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

    class Meta:
        model = Opportunity
        fields = (
            *("id", "kind", "state", "title", "description", "organisation", "location", "remote", "url", "language", "tags"),
            *("starts_on", "ends_on", "deadline", "category", "skills", "source", "licence", "created_at", "updated_at"),
        )
        read_only_fields = fields


class OpportunityHitSerializer(OpportunitySerializer):
    score = serializers.FloatField(help_text="Comparable within one answer only.")
    matched_by = serializers.ListField(child=serializers.ChoiceField(choices=Leg.choices), help_text="Strongest first.")

    class Meta(OpportunitySerializer.Meta):
        fields = (*OpportunitySerializer.Meta.fields, "score", "matched_by")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]


class OpportunitySearchSerializer(serializers.Serializer[Any]):
    results = OpportunityHitSerializer(source="hits", many=True)
    degraded_because = serializers.CharField(help_text="Why meaning was left out and words decided alone; empty when both worked.")


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
    category = serializers.SlugRelatedField(slug_field="slug", queryset=Category.objects.active(), required=False, allow_null=True)
    skill_ids = serializers.ListField(child=serializers.UUIDField(), max_length=50, required=False)


class OpportunityChangesSerializer(OpportunityRequestSerializer):
    kind = serializers.ChoiceField(choices=OpportunityKind.choices, required=False)
    title = serializers.CharField(max_length=500, required=False)


class SearchRequestSerializer(serializers.Serializer[Any]):
    q = serializers.CharField(max_length=500, help_text="What to look for, in your own words.")
    page_size = serializers.IntegerField(min_value=1, max_value=100, default=20)
