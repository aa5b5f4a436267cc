"""Waiting for a seat or a time that is taken."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import person_of
from bookings.api.v1.waitlist_serializers import WaitlistEntrySerializer, WaitRequestSerializer
from bookings.models import WaitlistEntry
from bookings.selectors import waitlist_of
from bookings.services import waiting
from core.idempotency import KEY_PARAMETER, idempotent
from core.operations import APIView, GenericAPIView


class WaitlistView(GenericAPIView[WaitlistEntry]):
    permission_classes = (IsAuthenticated,)
    serializer_class: Any = WaitlistEntrySerializer
    queryset = WaitlistEntry.objects.none()
    filter_backends = ()

    @extend_schema(operation_id="list_waitlist", tags=["bookings"], responses={200: WaitlistEntrySerializer(many=True)})
    def get(self, request: Request) -> Response:
        """What you wait for, the latest first. What is `offered` is held for you: take it with `/bookings/{booking_id}/take`."""
        page = self.paginate_queryset(waitlist_of(person_of(request)))
        return self.get_paginated_response(WaitlistEntrySerializer(page, many=True).data)

    @extend_schema(
        operation_id="wait",
        tags=["bookings"],
        parameters=[KEY_PARAMETER],
        request=WaitRequestSerializer,
        responses={201: WaitlistEntrySerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Wait for a seat in a session that is full, or for a time with a mentor within a window in which none is free. When something
        becomes free it is held for whoever came first, and they are told. 409 `seats_free` or `times_free` says that there is no need to
        wait. Takes `Idempotency-Key`."""
        given = WaitRequestSerializer.read(request)
        person = person_of(request)
        wait = waiting.wait_for_seat if "session_id" in given else waiting.wait_for_time
        entry = wait(learner=person, **given)
        return Response(WaitlistEntrySerializer(waitlist_of(person).get(pk=entry.pk)).data, status=201)


class WaitlistEntryView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="stop_waiting", tags=["bookings"], responses={204: None})
    def delete(self, request: Request, entry_id: uuid.UUID) -> Response:
        """Wait no more. What was offered to you stays held until you cancel its booking."""
        waiting.stop_waiting(entry=get_object_or_404(waitlist_of(person_of(request)), pk=entry_id))
        return Response(status=204)
