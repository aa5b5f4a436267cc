"""Searches that a person keeps."""

from __future__ import annotations

import uuid

from django.db.models import Count, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import person_of
from catalog.api.v1.serializers import SavedSearchChangesSerializer, SavedSearchRequestSerializer, SavedSearchSerializer
from catalog.models import SavedSearch
from catalog.services import searches
from core.operations import GenericAPIView


class _SearchesView(GenericAPIView[SavedSearch]):
    permission_classes = (IsAuthenticated,)
    serializer_class = SavedSearchSerializer
    queryset = SavedSearch.objects.none()
    filter_backends = ()

    def get_queryset(self) -> QuerySet[SavedSearch]:
        rows: QuerySet[SavedSearch] = SavedSearch.objects.visible_to(self.request.user).annotate(new_count=Count("found"))
        return rows

    def answer(self, search: SavedSearch, status: int = 200) -> Response:
        return Response(SavedSearchSerializer(get_object_or_404(self.get_queryset(), pk=search.pk)).data, status=status)


class SavedSearchesView(_SearchesView):
    @extend_schema(operation_id="list_saved_searches", tags=["catalogue"], responses={200: SavedSearchSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """The searches that you keep, each with how much is new."""
        return self.get_paginated_response(SavedSearchSerializer(self.paginate_queryset(self.get_queryset()), many=True).data)

    @extend_schema(
        operation_id="save_search", tags=["catalogue"], request=SavedSearchRequestSerializer, responses={201: SavedSearchSerializer}
    )
    def post(self, request: Request) -> Response:
        """Keep a search, and be told when something new is published that it finds."""
        return self.answer(searches.save_search(user=person_of(request), **SavedSearchRequestSerializer.read(request)), 201)


class SavedSearchView(_SearchesView):
    @extend_schema(
        operation_id="change_saved_search", tags=["catalogue"], request=SavedSearchChangesSerializer, responses={200: SavedSearchSerializer}
    )
    def patch(self, request: Request, search_id: uuid.UUID) -> Response:
        """Change its name, its filters, or whether it tells you."""
        fields = SavedSearchChangesSerializer.read(request)
        return self.answer(searches.change_search(user=person_of(request), search_id=search_id, fields=fields))

    @extend_schema(operation_id="forget_saved_search", tags=["catalogue"], responses={204: None})
    def delete(self, request: Request, search_id: uuid.UUID) -> Response:
        """Keep it no more."""
        searches.forget_search(user=person_of(request), search_id=search_id)
        return Response(status=204)


class SavedSearchSeenView(_SearchesView):
    @extend_schema(operation_id="mark_saved_search_seen", tags=["catalogue"], request=None, responses={200: SavedSearchSerializer})
    def post(self, request: Request, search_id: uuid.UUID) -> Response:
        """You have seen what was new."""
        return self.answer(searches.mark_seen(user=person_of(request), search_id=search_id))
