"""What posters do with their opportunities, and staff with what waits for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import person_of
from catalog.api.v1.access import StaffAlone
from catalog.api.v1.filters import ManagedOpportunityFilter
from catalog.api.v1.serializers import (
    ManagedOpportunitySerializer,
    MemberRequestSerializer,
    MemberSerializer,
    OrganisationChangesSerializer,
    OrganisationRequestSerializer,
    OrganisationSerializer,
    OrganisationsRequestSerializer,
    OrganisationStateSerializer,
    ReviewDecisionSerializer,
)
from catalog.api.v1.views import managed_opportunity
from catalog.enums import OpportunityState
from catalog.models import Opportunity, Organisation, OrganisationMember
from catalog.policies import can_manage_organisation
from catalog.services import lifecycle, organisations
from core.errors import Forbidden
from core.operations import APIView, GenericAPIView
from core.serializers import NoFieldsSerializer


class OwnOpportunitiesView(GenericAPIView[Opportunity]):
    permission_classes = (IsAuthenticated,)
    serializer_class = ManagedOpportunitySerializer
    filterset_class = ManagedOpportunityFilter
    queryset = Opportunity.objects.none()

    def get_queryset(self) -> QuerySet[Opportunity]:
        return Opportunity.objects.managed_by(self.request.user).for_managing()

    @extend_schema(operation_id="list_own_opportunities", tags=["posting"], responses={200: ManagedOpportunitySerializer(many=True)})
    def get(self, request: Request) -> Response:
        """What you have posted, alone or for your organisations, in every state, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(ManagedOpportunitySerializer(page, many=True).data)


class ReviewQueueView(GenericAPIView[Opportunity]):
    permission_classes = (StaffAlone,)
    serializer_class = ManagedOpportunitySerializer
    queryset = Opportunity.objects.none()
    filter_backends = ()

    @extend_schema(operation_id="list_postings_to_review", tags=["posting"], responses={200: ManagedOpportunitySerializer(many=True)})
    def get(self, request: Request) -> Response:
        """What waits for a look by staff (staff)."""
        waiting = Opportunity.objects.filter(state=OpportunityState.REVIEW).for_managing()
        return self.get_paginated_response(ManagedOpportunitySerializer(self.paginate_queryset(waiting), many=True).data)


def _managed(opportunity: Opportunity) -> Response:
    return Response(ManagedOpportunitySerializer(Opportunity.objects.for_managing().get(pk=opportunity.pk)).data)


class _MoveView(APIView):
    permission_classes = (IsAuthenticated,)

    def move(self, request: Request, opportunity_id: Any, service: Callable[..., None]) -> Response:
        NoFieldsSerializer.read(request)
        opportunity = managed_opportunity(request, opportunity_id)
        service(opportunity_id=opportunity.pk)
        return _managed(opportunity)


class SubmitView(_MoveView):
    @extend_schema(
        operation_id="submit_opportunity", tags=["posting"], request=NoFieldsSerializer, responses={200: ManagedOpportunitySerializer}
    )
    def post(self, request: Request, opportunity_id: Any) -> Response:
        """Publish a draft. What wants a look by staff first waits in `review`."""
        return self.move(request, opportunity_id, lifecycle.submit_opportunity)


class PauseView(_MoveView):
    @extend_schema(
        operation_id="pause_opportunity", tags=["posting"], request=NoFieldsSerializer, responses={200: ManagedOpportunitySerializer}
    )
    def post(self, request: Request, opportunity_id: Any) -> Response:
        """Take a live opportunity down for a while."""
        return self.move(request, opportunity_id, lifecycle.pause_opportunity)


class ResumeView(_MoveView):
    @extend_schema(
        operation_id="resume_opportunity", tags=["posting"], request=NoFieldsSerializer, responses={200: ManagedOpportunitySerializer}
    )
    def post(self, request: Request, opportunity_id: Any) -> Response:
        """Show a paused opportunity again."""
        return self.move(request, opportunity_id, lifecycle.resume_opportunity)


class ConfirmView(_MoveView):
    @extend_schema(
        operation_id="confirm_opportunity", tags=["posting"], request=NoFieldsSerializer, responses={200: ManagedOpportunitySerializer}
    )
    def post(self, request: Request, opportunity_id: Any) -> Response:
        """Say that it still stands."""
        return self.move(request, opportunity_id, lifecycle.confirm_opportunity)


class _DecisionView(APIView):
    permission_classes = (StaffAlone,)

    def decide(self, request: Request, opportunity_id: Any, *, is_approved: bool) -> Response:
        note = ReviewDecisionSerializer.read(request)["note"]
        opportunity = managed_opportunity(request, opportunity_id)
        lifecycle.decide_review(staff_id=person_of(request).pk, opportunity_id=opportunity.pk, is_approved=is_approved, note=note)
        return _managed(opportunity)


class ApproveView(_DecisionView):
    @extend_schema(
        operation_id="approve_opportunity",
        tags=["posting"],
        request=ReviewDecisionSerializer,
        responses={200: ManagedOpportunitySerializer},
    )
    def post(self, request: Request, opportunity_id: Any) -> Response:
        """Let a posting that waits go live (staff)."""
        return self.decide(request, opportunity_id, is_approved=True)


class RejectView(_DecisionView):
    @extend_schema(
        operation_id="reject_opportunity", tags=["posting"], request=ReviewDecisionSerializer, responses={200: ManagedOpportunitySerializer}
    )
    def post(self, request: Request, opportunity_id: Any) -> Response:
        """Send a posting that waits back to its poster, with a note (staff)."""
        return self.decide(request, opportunity_id, is_approved=False)


class OrganisationsView(GenericAPIView[Organisation]):
    permission_classes = (IsAuthenticated,)
    serializer_class = OrganisationSerializer
    queryset = Organisation.objects.none()
    filter_backends = ()

    @extend_schema(
        operation_id="list_organisations",
        tags=["posting"],
        parameters=[OrganisationsRequestSerializer],
        responses={200: OrganisationSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """Organisations that staff have checked, and your own."""
        rows = Organisation.objects.visible_to(request.user)
        if OrganisationsRequestSerializer.read(request)["mine"]:
            rows = rows.filter(pk__in=OrganisationMember.objects.filter(user=person_of(request)).values("organisation_id"))
        return self.get_paginated_response(OrganisationSerializer(self.paginate_queryset(rows), many=True).data)

    @extend_schema(
        operation_id="found_organisation", tags=["posting"], request=OrganisationRequestSerializer, responses={201: OrganisationSerializer}
    )
    def post(self, request: Request) -> Response:
        """Register an organisation that you post for. Until staff have checked it each posting waits for a look."""
        fields = OrganisationRequestSerializer.read(request)
        organisation = organisations.found_organisation(founder=person_of(request), **fields)
        return Response(OrganisationSerializer(organisation).data, status=201)


def _visible_organisation(request: Request, slug: str) -> Organisation:
    return get_object_or_404(Organisation.objects.visible_to(request.user), slug=slug)


def _managed_organisation(request: Request, slug: str) -> Organisation:
    organisation = _visible_organisation(request, slug)
    if not can_manage_organisation(request.user, organisation):
        raise Forbidden
    return organisation


class OrganisationView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_organisation", tags=["posting"], responses={200: OrganisationSerializer})
    def get(self, request: Request, slug: str) -> Response:
        """One organisation."""
        return Response(OrganisationSerializer(_visible_organisation(request, slug)).data)

    @extend_schema(
        operation_id="change_organisation", tags=["posting"], request=OrganisationChangesSerializer, responses={200: OrganisationSerializer}
    )
    def patch(self, request: Request, slug: str) -> Response:
        """Change name or website (its owners). After a new name it has to be checked again."""
        organisation = _managed_organisation(request, slug)
        changed = organisations.change_organisation(organisation=organisation, fields=OrganisationChangesSerializer.read(request))
        return Response(OrganisationSerializer(changed).data)


class OrganisationStateView(APIView):
    permission_classes = (StaffAlone,)

    @extend_schema(
        operation_id="decide_organisation", tags=["posting"], request=OrganisationStateSerializer, responses={200: OrganisationSerializer}
    )
    def put(self, request: Request, slug: str) -> Response:
        """Verify an organisation, or suspend it (staff). What a suspended one shows is paused."""
        organisation = _visible_organisation(request, slug)
        decided = organisations.decide_organisation(organisation=organisation, state=OrganisationStateSerializer.read(request)["state"])
        return Response(OrganisationSerializer(decided).data)


class MembersView(GenericAPIView[OrganisationMember]):
    permission_classes = (IsAuthenticated,)
    serializer_class = MemberSerializer
    queryset = OrganisationMember.objects.none()
    filter_backends = ()

    @extend_schema(operation_id="list_organisation_members", tags=["posting"], responses={200: MemberSerializer(many=True)})
    def get(self, request: Request, slug: str) -> Response:
        """Who posts for an organisation (its owners)."""
        rows: Any = _managed_organisation(request, slug).memberships.select_related("user")
        return self.get_paginated_response(MemberSerializer(self.paginate_queryset(rows), many=True).data)

    @extend_schema(
        operation_id="add_organisation_member", tags=["posting"], request=MemberRequestSerializer, responses={201: MemberSerializer}
    )
    def post(self, request: Request, slug: str) -> Response:
        """Let a person post for the organisation, or change their role (its owners)."""
        organisation = _managed_organisation(request, slug)
        fields = MemberRequestSerializer.read(request)
        member = organisations.add_member(organisation=organisation, actor=person_of(request), **fields)
        return Response(MemberSerializer(member).data, status=201)


class MemberView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="remove_organisation_member", tags=["posting"], responses={204: None})
    def delete(self, request: Request, slug: str, user_id: Any) -> Response:
        """A person posts for the organisation no more (its owners; everybody may leave)."""
        organisation = _visible_organisation(request, slug) if user_id == request.user.pk else _managed_organisation(request, slug)
        organisations.remove_member(organisation=organisation, user_id=user_id)
        return Response(status=204)
