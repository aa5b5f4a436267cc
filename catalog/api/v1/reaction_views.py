"""What a person does with opportunities."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import person_of
from catalog.api.v1.serializers import DismissalSerializer, ReactedOpportunitySerializer, ReactionSerializer
from catalog.enums import ReactionKind
from catalog.models import Reaction
from catalog.selectors import reactions_for
from catalog.services import reactions
from core.operations import APIView, GenericAPIView
from core.serializers import NoFieldsSerializer


class _ReactionView(APIView):
    permission_classes = (IsAuthenticated,)
    kind: ReactionKind

    def react(self, request: Request, opportunity_id: Any, because: str = "") -> Response:
        reaction = reactions.react(user=person_of(request), opportunity_id=opportunity_id, kind=self.kind, because=because)
        return Response(ReactionSerializer(reaction).data)

    def take_back(self, request: Request, opportunity_id: Any) -> Response:
        reactions.take_back(user=person_of(request), opportunity_id=opportunity_id, kind=self.kind)
        return Response(status=204)


class OpenView(_ReactionView):
    kind = ReactionKind.OPEN

    @extend_schema(operation_id="open_opportunity", tags=["catalogue"], request=NoFieldsSerializer, responses={200: ReactionSerializer})
    def post(self, request: Request, opportunity_id: Any) -> Response:
        """You looked at it closely. Recommendations learn from this."""
        NoFieldsSerializer.read(request)
        return self.react(request, opportunity_id)


class SaveView(_ReactionView):
    kind = ReactionKind.SAVE

    @extend_schema(operation_id="save_opportunity", tags=["catalogue"], request=NoFieldsSerializer, responses={200: ReactionSerializer})
    def post(self, request: Request, opportunity_id: Any) -> Response:
        """Keep it in your list. A dismissal is taken back by this."""
        NoFieldsSerializer.read(request)
        return self.react(request, opportunity_id)

    @extend_schema(operation_id="unsave_opportunity", tags=["catalogue"], responses={204: None})
    def delete(self, request: Request, opportunity_id: Any) -> Response:
        """Take it out of your list."""
        return self.take_back(request, opportunity_id)


class DismissView(_ReactionView):
    kind = ReactionKind.DISMISS

    @extend_schema(operation_id="dismiss_opportunity", tags=["catalogue"], request=DismissalSerializer, responses={200: ReactionSerializer})
    def post(self, request: Request, opportunity_id: Any) -> Response:
        """Do not recommend it to you again. It leaves your list of saved ones."""
        return self.react(request, opportunity_id, DismissalSerializer.read(request)["because"])

    @extend_schema(operation_id="undismiss_opportunity", tags=["catalogue"], responses={204: None})
    def delete(self, request: Request, opportunity_id: Any) -> Response:
        """It may be recommended to you again."""
        return self.take_back(request, opportunity_id)


class ApplyView(_ReactionView):
    kind = ReactionKind.APPLY

    @extend_schema(
        operation_id="apply_for_opportunity", tags=["catalogue"], request=NoFieldsSerializer, responses={200: ReactionSerializer}
    )
    def post(self, request: Request, opportunity_id: Any) -> Response:
        """Note that you apply, and get the address where. It is not recommended to you again."""
        NoFieldsSerializer.read(request)
        return self.react(request, opportunity_id)

    @extend_schema(operation_id="unapply_for_opportunity", tags=["catalogue"], responses={204: None})
    def delete(self, request: Request, opportunity_id: Any) -> Response:
        """You did not apply after all."""
        return self.take_back(request, opportunity_id)


class _ReactionsView(GenericAPIView[Reaction]):
    permission_classes = (IsAuthenticated,)
    serializer_class = ReactedOpportunitySerializer
    queryset = Reaction.objects.none()
    filter_backends = ()
    kind: ReactionKind

    def get_queryset(self) -> QuerySet[Reaction]:
        return reactions_for(self.request.user, self.kind)

    def page(self) -> Response:
        rows = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(ReactedOpportunitySerializer(rows, many=True).data)


class SavedView(_ReactionsView):
    kind = ReactionKind.SAVE

    @extend_schema(operation_id="list_saved_opportunities", tags=["catalogue"], responses={200: ReactedOpportunitySerializer(many=True)})
    def get(self, request: Request) -> Response:
        """What you saved, whatever has become of it: its `state` tells."""
        return self.page()


class DismissedView(_ReactionsView):
    kind = ReactionKind.DISMISS

    @extend_schema(
        operation_id="list_dismissed_opportunities", tags=["catalogue"], responses={200: ReactedOpportunitySerializer(many=True)}
    )
    def get(self, request: Request) -> Response:
        """What you dismissed."""
        return self.page()


class AppliedView(_ReactionsView):
    kind = ReactionKind.APPLY

    @extend_schema(operation_id="list_applied_opportunities", tags=["catalogue"], responses={200: ReactedOpportunitySerializer(many=True)})
    def get(self, request: Request) -> Response:
        """What you applied for, whatever has become of it."""
        return self.page()
