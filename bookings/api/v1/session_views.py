"""Sessions for several."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import person_of
from bookings.api.v1.serializers import BookingDetailSerializer
from bookings.api.v1.session_serializers import (
    AnnounceRequestSerializer,
    GroupSessionSerializer,
    SeatRequestSerializer,
    SessionsRequestSerializer,
)
from bookings.api.v1.views import shown
from bookings.models import Session
from bookings.selectors import group_sessions_for, group_sessions_known_to
from bookings.services import groups
from core.errors import Forbidden
from core.idempotency import KEY_PARAMETER, idempotent
from core.operations import APIView, GenericAPIView
from core.serializers import NoFieldsSerializer
from mentors.selectors import own_profile


class SessionsView(GenericAPIView[Session]):
    permission_classes = (IsAuthenticated,)
    serializer_class: Any = GroupSessionSerializer
    queryset = Session.objects.none()
    filter_backends = ()

    @extend_schema(
        operation_id="list_group_sessions",
        tags=["bookings"],
        parameters=[SessionsRequestSerializer],
        responses={200: GroupSessionSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """Sessions for several that are ahead, of mentors whom you can book, and your own; announced last comes first."""
        asked = SessionsRequestSerializer.read(request)
        person = person_of(request)
        page = self.paginate_queryset(group_sessions_for(person, mentor_id=asked.get("mentor_id")))
        return self.get_paginated_response(GroupSessionSerializer(page, many=True, context={"user": person}).data)

    @extend_schema(
        operation_id="announce_session",
        tags=["mentoring"],
        parameters=[KEY_PARAMETER],
        request=AnnounceRequestSerializer,
        responses={201: GroupSessionSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Announce a session for several, on the terms of one of your group offers. Takes `Idempotency-Key`."""
        given = AnnounceRequestSerializer.read(request)
        given["starts_at"] = given.pop("scheduled_at")
        session = groups.announce_session(profile=own_profile(person_of(request)), **given)
        return _shown_session(request, session.pk, status=201)


class SessionView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_group_session", tags=["bookings"], responses={200: GroupSessionSerializer})
    def get(self, request: Request, group_id: uuid.UUID) -> Response:
        """One session for several. Its mentor and whoever has or had a seat can read it after it was called off, too."""
        return _shown_session(request, group_id)


class BookSeatView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="book_seat",
        tags=["bookings"],
        parameters=[KEY_PARAMETER],
        request=SeatRequestSerializer,
        responses={201: BookingDetailSerializer},
    )
    @idempotent
    def post(self, request: Request, group_id: uuid.UUID) -> Response:
        """Book a seat. What costs something is held for 15 minutes, until it is paid for; then it is yours. Takes `Idempotency-Key`."""
        given = SeatRequestSerializer.read(request)
        booking = groups.book_seat(learner=person_of(request), session_id=group_id, **given)
        return shown(request, booking.pk, status=201)


class CancelSessionView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="cancel_session", tags=["mentoring"], request=NoFieldsSerializer, responses={200: GroupSessionSerializer})
    def post(self, request: Request, group_id: uuid.UUID) -> Response:
        """Call your session for several off. Everybody gets all back."""
        NoFieldsSerializer.read(request)
        person = person_of(request)
        session = get_object_or_404(group_sessions_known_to(person), pk=group_id)
        if session.mentor_id != person.pk:
            raise Forbidden
        groups.cancel_session(session=session)
        return _shown_session(request, group_id)


def _shown_session(request: Request, session_id: uuid.UUID, *, status: int = 200) -> Response:
    person = person_of(request)
    session = get_object_or_404(group_sessions_known_to(person), pk=session_id)
    return Response(GroupSessionSerializer(session, context={"user": person}).data, status=status)
