from __future__ import annotations

from typing import Any

from core import serializers
from core.serializers import QuerySerializer
from mentors.api.v1.serializers import MentorSerializer
from mentors.enums import MatchTerm
from mentors.services.matching import MOST


class MatchesRequestSerializer(QuerySerializer):
    limit = serializers.IntegerField(min_value=1, max_value=MOST, default=10)


class MatchReasonSerializer(serializers.Serializer[Any]):
    term = serializers.ChoiceField(choices=MatchTerm.choices)
    text = serializers.CharField()
    share = serializers.FloatField(help_text="How much of what speaks for the match this makes, 0 to 1.")


class MatchSerializer(MentorSerializer):
    score = serializers.FloatField(help_text="Would you want them, would they say yes, and how many ask them already: 0 to 1.")
    reasons = MatchReasonSerializer(many=True)

    class Meta(MentorSerializer.Meta):
        fields = (*MentorSerializer.Meta.fields, "score", "reasons")  # type: ignore[assignment]  # longer than that of the card
        read_only_fields = fields  # type: ignore[assignment]


class MatchListSerializer(serializers.Serializer[Any]):
    results = MatchSerializer(many=True)


class MatchStandingSerializer(serializers.Serializer[Any]):
    rank = serializers.IntegerField(allow_null=True, help_text="From 1 on; null: not among your matches.")
    matches = serializers.IntegerField()
    text = serializers.CharField()
    skills = serializers.ListField(child=serializers.CharField(), help_text="Interests that would bring the mentor further up.")
    rank_instead = serializers.IntegerField(allow_null=True)


class AdviceSerializer(serializers.Serializer[Any]):
    change = serializers.CharField()
    text = serializers.CharField()
    more_people = serializers.IntegerField()


class AdviceListSerializer(serializers.Serializer[Any]):
    people = serializers.IntegerField(help_text="Of how many who looked for mentors lately; fewer than five are not spoken of.")
    results = AdviceSerializer(many=True)
