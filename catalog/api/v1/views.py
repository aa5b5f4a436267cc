from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import person_of
from catalog import selectors
from catalog.api.v1.filters import OpportunityFilter, SearchFilter
from catalog.api.v1.serializers import (
    CategoryListSerializer,
    CategorySerializer,
    OpportunityChangesSerializer,
    OpportunityRequestSerializer,
    OpportunitySearchSerializer,
    OpportunitySerializer,
    SearchRequestSerializer,
)
from catalog.models import Opportunity
from catalog.policies import can_manage_catalogue
from catalog.querysets import OpportunityQuerySet
from catalog.services import opportunities as services
from core.errors import NotFound


class CatalogueAccess(BasePermission):
    """Everybody reads; staff write."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.method in SAFE_METHODS or can_manage_catalogue(request.user)


class CategoryListView(APIView):
    permission_classes = (CatalogueAccess,)

    @extend_schema(operation_id="list_categories", tags=["catalogue"], responses={200: CategoryListSerializer})
    def get(self, request: Request) -> Response:
        """The tree of categories with counts."""
        return Response(CategoryListSerializer({"results": selectors.category_tree(request.user)}).data)


class CategoryView(APIView):
    permission_classes = (CatalogueAccess,)

    @extend_schema(operation_id="read_category", tags=["catalogue"], responses={200: CategorySerializer})
    def get(self, request: Request, slug: str) -> Response:
        """One category with what is below it."""
        node = selectors.category_node(request.user, slug)
        if node is None:
            raise NotFound
        return Response(CategorySerializer(node).data)


class OpportunitiesView(GenericAPIView[Opportunity]):
    permission_classes = (CatalogueAccess,)
    serializer_class = OpportunitySerializer
    filterset_class: type[OpportunityFilter] = OpportunityFilter
    queryset = Opportunity.objects.none()

    def get_queryset(self) -> QuerySet[Opportunity]:
        return Opportunity.objects.visible_to(self.request.user).for_cards()


class OpportunityListView(OpportunitiesView):
    @extend_schema(operation_id="list_opportunities", tags=["catalogue"], responses={200: OpportunitySerializer(many=True)})
    def get(self, request: Request) -> Response:
        """Open opportunities, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(OpportunitySerializer(page, many=True).data)

    @extend_schema(
        operation_id="post_opportunity",
        tags=["catalogue"],
        request=OpportunityRequestSerializer,
        responses={201: OpportunitySerializer},
        examples=[
            OpenApiExample(
                "A night nurse is wanted",
                {"kind": "job", "title": "Night nurse", "location": "Oslo", "remote": False, "deadline": "2027-01-31", "tags": ["care"]},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Publish an opportunity (staff)."""
        fields = OpportunityRequestSerializer.read(request)
        skill_ids = fields.pop("skill_ids", ())
        opportunity = services.post_opportunity(poster=person_of(request), fields=fields, skill_ids=skill_ids)
        return Response(OpportunitySerializer(opportunity).data, status=201)


class OpportunityView(OpportunitiesView):
    filterset_class = None  # type: ignore[assignment]
    pagination_class = None

    @extend_schema(operation_id="read_opportunity", tags=["catalogue"], responses={200: OpportunitySerializer})
    def get(self, request: Request, opportunity_id: str) -> Response:
        """One opportunity."""
        return Response(OpportunitySerializer(get_object_or_404(self.get_queryset(), pk=opportunity_id)).data)

    @extend_schema(
        operation_id="change_opportunity", tags=["catalogue"], request=OpportunityChangesSerializer, responses={200: OpportunitySerializer}
    )
    def patch(self, request: Request, opportunity_id: str) -> Response:
        """Change an opportunity (staff)."""
        opportunity = get_object_or_404(self.get_queryset(), pk=opportunity_id)
        fields = OpportunityChangesSerializer.read(request)
        skill_ids = fields.pop("skill_ids", None)
        changed = services.change_opportunity(opportunity_id=opportunity.pk, fields=fields, skill_ids=skill_ids)
        return Response(OpportunitySerializer(changed).data)

    @extend_schema(operation_id="close_opportunity", tags=["catalogue"], responses={204: None})
    def delete(self, request: Request, opportunity_id: str) -> Response:
        """Close an opportunity (staff). It is found nowhere any more; links to it by id are kept for staff."""
        opportunity = get_object_or_404(self.get_queryset(), pk=opportunity_id)
        services.close_opportunity(opportunity_id=opportunity.pk)
        return Response(status=204)


class OpportunitySearchView(OpportunitiesView):
    filterset_class = SearchFilter
    pagination_class = None

    @extend_schema(
        operation_id="search_opportunities",
        tags=["catalogue"],
        parameters=[SearchRequestSerializer],
        responses={200: OpportunitySearchSerializer},
    )
    def get(self, request: Request) -> Response:
        """Search by words and by meaning at once. Every hit says which of the two found it."""
        form = SearchRequestSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        rows = cast(OpportunityQuerySet, self.filter_queryset(self.get_queryset()))
        user_id = request.user.pk if request.user.is_authenticated else None
        result = selectors.search_opportunities(
            rows, text=form.validated_data["q"], limit=form.validated_data["page_size"], user_id=user_id
        )
        return Response(OpportunitySearchSerializer(result).data)
