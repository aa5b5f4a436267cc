from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Sequence
from typing import cast

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import person_of
from catalog import selectors
from catalog.api.v1.access import ReadByEverybody
from catalog.api.v1.filters import OpportunityFilter, SearchFilter, read_point
from catalog.api.v1.serializers import (
    CategoryListSerializer,
    CategorySerializer,
    FacetsSerializer,
    ManagedOpportunitySerializer,
    OpportunityChangesSerializer,
    OpportunityPostSerializer,
    OpportunitySearchSerializer,
    OpportunitySerializer,
    SearchRequestSerializer,
    SkillListSerializer,
    SkillSearchSerializer,
    SkillTermSerializer,
)
from catalog.errors import TermSplit
from catalog.models import Opportunity, Organisation
from catalog.policies import can_manage_opportunity
from catalog.querysets import OpportunityQuerySet
from catalog.services import lifecycle
from catalog.services import opportunities as services
from core.errors import Forbidden, NotFound
from core.operations import APIView, GenericAPIView
from core.replicas import read_from_replica


class CategoryListView(APIView):
    permission_classes = (ReadByEverybody,)

    @extend_schema(operation_id="list_categories", tags=["catalogue"], responses={200: CategoryListSerializer})
    def get(self, request: Request) -> Response:
        """The tree of categories with counts."""
        return Response(CategoryListSerializer({"results": selectors.category_tree(request.user)}).data)


class CategoryView(APIView):
    permission_classes = (ReadByEverybody,)

    @extend_schema(operation_id="read_category", tags=["catalogue"], responses={200: CategorySerializer, 301: None})
    def get(self, request: Request, slug: str) -> Response:
        """One category with what is below it. One that was merged answers 301 with the address of its successor, one that was split 410
        with the slugs of its successors."""
        node = selectors.category_node(request.user, slug)
        if node is not None:
            return Response(CategorySerializer(node).data)
        successors = [category.slug for category in selectors.successors_of_category(slug)]
        return _moved("category", "slug", successors)


class SkillsView(APIView):
    permission_classes = (ReadByEverybody,)

    @extend_schema(operation_id="list_skills", tags=["catalogue"], parameters=[SkillSearchSerializer], responses={200: SkillListSerializer})
    def get(self, request: Request) -> Response:
        """Skills by part of a name, best first; for fields that complete what is typed."""
        asked = SkillSearchSerializer.read(request)
        rows = selectors.skills_for_search(asked["q"])[: asked["page_size"]]
        return Response(SkillListSerializer({"results": rows}).data)


class SkillView(APIView):
    permission_classes = (ReadByEverybody,)

    @extend_schema(operation_id="read_skill", tags=["catalogue"], responses={200: SkillTermSerializer, 301: None})
    def get(self, request: Request, skill_id: uuid.UUID) -> Response:
        """One skill. One that was merged answers 301 with the address of its successor, one that was split 410 with the ids of its
        successors."""
        now = selectors.skill_now(skill_id)
        if [skill.pk for skill in now] == [skill_id]:
            return Response(SkillTermSerializer(now[0]).data)
        return _moved("skill", "skill_id", [str(skill.pk) for skill in now])


def _moved(route: str, argument: str, successors: Sequence[str]) -> Response:
    if not successors:
        raise NotFound
    if len(successors) > 1:
        raise TermSplit(successors=sorted(successors))
    return Response(status=301, headers={"Location": reverse(route, kwargs={argument: successors[0]})})


def _strangers_read_from_replica(handler: Callable[..., Response]) -> Callable[..., Response]:
    """Who has not signed in has written nothing that they would look for, and blocked nobody."""

    @functools.wraps(handler)
    def read(view: GenericAPIView[Opportunity], request: Request) -> Response:
        if request.user.is_authenticated:
            return handler(view, request)
        return read_from_replica(lambda: handler(view, request))

    return read


class OpportunitiesView(GenericAPIView[Opportunity]):
    permission_classes = (ReadByEverybody,)
    serializer_class = OpportunitySerializer
    filterset_class: type[OpportunityFilter] = OpportunityFilter
    queryset = Opportunity.objects.none()

    def get_queryset(self) -> QuerySet[Opportunity]:
        return Opportunity.objects.listed_for(self.request.user).for_cards()


class OpportunityListView(OpportunitiesView):
    @extend_schema(operation_id="list_opportunities", tags=["catalogue"], responses={200: OpportunitySerializer(many=True)})
    @_strangers_read_from_replica
    def get(self, request: Request) -> Response:
        """Open opportunities, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(OpportunitySerializer(page, many=True).data)

    @extend_schema(
        operation_id="post_opportunity",
        tags=["catalogue"],
        request=OpportunityPostSerializer,
        responses={201: ManagedOpportunitySerializer},
        examples=[
            OpenApiExample(
                "A night nurse is wanted",
                {"kind": "job", "title": "Night nurse", "location": "Oslo", "remote": False, "deadline": "2027-01-31", "tags": ["care"]},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Post an opportunity, for your organisation or, as staff, for Soosh. What wants a look by staff first waits in `review`."""
        fields = OpportunityPostSerializer.read(request)
        slug, is_draft = fields.pop("posting_organisation", None), fields.pop("draft")
        organisation = get_object_or_404(Organisation.objects.visible_to(request.user), slug=slug) if slug else None
        opportunity = services.post_opportunity(
            poster=person_of(request), skill_ids=fields.pop("skill_ids", ()), fields=fields, organisation=organisation, is_draft=is_draft
        )
        return Response(ManagedOpportunitySerializer(opportunity).data, status=201)


class OpportunityFacetsView(OpportunitiesView):
    pagination_class = None

    @extend_schema(operation_id="count_opportunities", tags=["catalogue"], responses={200: FacetsSerializer})
    @_strangers_read_from_replica
    def get(self, request: Request) -> Response:
        """How many open opportunities there are of each kind, category, language, and remote or not, under the filters of the list."""
        rows = cast(OpportunityQuerySet, self.filter_queryset(Opportunity.objects.listed_for(request.user)))
        return Response(FacetsSerializer(selectors.facets_of(rows)).data)


class OpportunityView(OpportunitiesView):
    filterset_class = None  # type: ignore[assignment]
    pagination_class = None

    def get_queryset(self) -> QuerySet[Opportunity]:
        return Opportunity.objects.visible_to(self.request.user).for_cards()

    @extend_schema(operation_id="read_opportunity", tags=["catalogue"], responses={200: OpportunitySerializer})
    def get(self, request: Request, opportunity_id: str) -> Response:
        """One opportunity."""
        return Response(OpportunitySerializer(get_object_or_404(self.get_queryset(), pk=opportunity_id)).data)

    @extend_schema(
        operation_id="change_opportunity",
        tags=["catalogue"],
        request=OpportunityChangesSerializer,
        responses={200: ManagedOpportunitySerializer},
    )
    def patch(self, request: Request, opportunity_id: str) -> Response:
        """Change an opportunity of yours. If the change wants a look by staff, it waits in `review`; a new deadline brings an expired
        one back."""
        opportunity = managed_opportunity(request, opportunity_id)
        fields = OpportunityChangesSerializer.read(request)
        skill_ids = fields.pop("skill_ids", None)
        changed = services.change_opportunity(opportunity_id=opportunity.pk, fields=fields, skill_ids=skill_ids)
        return Response(ManagedOpportunitySerializer(changed).data)

    @extend_schema(operation_id="close_opportunity", tags=["catalogue"], responses={204: None})
    def delete(self, request: Request, opportunity_id: str) -> Response:
        """Close an opportunity of yours for good. It is found nowhere any more; who saved it still sees it in their list."""
        lifecycle.close_opportunity(opportunity_id=managed_opportunity(request, opportunity_id).pk)
        return Response(status=204)


def managed_opportunity(request: Request, opportunity_id: str) -> Opportunity:
    """An opportunity that the caller may change.

    Raises:
        Http404: they may not even see it.
        Forbidden: they may only see it.
    """
    opportunity = get_object_or_404(Opportunity.objects.visible_to(request.user).for_cards(), pk=opportunity_id)
    if not can_manage_opportunity(request.user, opportunity):
        raise Forbidden
    return opportunity


class OpportunitySearchView(OpportunitiesView):
    filterset_class = SearchFilter
    pagination_class = None

    @extend_schema(
        operation_id="search_opportunities",
        tags=["catalogue"],
        parameters=[SearchRequestSerializer],
        responses={200: OpportunitySearchSerializer},
    )
    @_strangers_read_from_replica
    def get(self, request: Request) -> Response:
        """Search by words and by meaning at once. Every hit says which of the two found it."""
        asked = SearchRequestSerializer.read(request)
        rows = cast(OpportunityQuerySet, self.filter_queryset(self.get_queryset()))
        user_id = request.user.pk if request.user.is_authenticated else None
        near = request.query_params.get("near")
        result = selectors.search_opportunities(
            rows,
            text=asked["q"],
            limit=asked["page_size"],
            user_id=user_id,
            here=read_point(near) if near else None,
        )
        return Response(OpportunitySearchSerializer(result).data)
