from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import person_of
from core.operations import APIView
from mentors.api.v1.match_serializers import (
    AdviceListSerializer,
    MatchesRequestSerializer,
    MatchListSerializer,
    MatchStandingSerializer,
)
from mentors.api.v1.views import add_next_slots, visible_mentor
from mentors.models import MentorProfile
from mentors.selectors import own_profile
from mentors.services.counterfactuals import advice_for, standing_of
from mentors.services.matching import match_mentors
from mentors.services.reasoning import reasons_for


class MatchesView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="list_matches", tags=["mentors"], parameters=[MatchesRequestSerializer], responses={200: MatchListSerializer}
    )
    def get(self, request: Request) -> Response:
        """The mentors who fit you and would take you, best first, each with why."""
        asked = MatchesRequestSerializer.read(request)
        situation, matches = match_mentors(user=person_of(request), limit=asked["limit"])
        cards = MentorProfile.objects.for_cards().in_bulk([match.profile_id for match in matches])
        add_next_slots(list(cards.values()), request)
        reasons = reasons_for(situation, matches, cards)
        results = []
        for match in matches:
            card: Any = cards.get(match.profile_id)
            if card is not None:
                card.score, card.reasons = match.score.total, reasons[match.profile_id]
                results.append(card)
        return Response(MatchListSerializer({"results": results}).data)


class MatchStandingView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="explain_match", tags=["mentors"], responses={200: MatchStandingSerializer})
    def get(self, request: Request, mentor_id: Any) -> Response:
        """Where a mentor stands among your matches, and what would bring them further up: tried out, not guessed."""
        standing = standing_of(user=person_of(request), profile=visible_mentor(request, mentor_id))
        return Response(MatchStandingSerializer(standing).data)


class AdviceView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_match_advice", tags=["mentoring"], responses={200: AdviceListSerializer})
    def get(self, request: Request) -> Response:
        """What you could change to be shown to more of those who looked for mentors lately: tried out, not guessed."""
        people, advice = advice_for(profile=own_profile(person_of(request)))
        return Response(AdviceListSerializer({"people": people, "results": advice}).data)
