"""How a session went: what each side says, and contesting it."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import person_of
from bookings.api.v1.ending_serializers import AppealEvidenceSerializer, EvidenceRequestSerializer
from bookings.api.v1.serializers import AppealRequestSerializer, BookingDetailSerializer, NoShowRequestSerializer
from bookings.api.v1.views import BookingActionView
from bookings.models import AppealEvidence
from bookings.selectors import bookings_of
from bookings.services import appeal_evidence, appealing, ending
from bookings.web.ending_views import evidence_response
from core.documents import MOST_BYTES
from core.operations import APIView
from core.parsers import UploadParser
from core.serializers import NoFieldsSerializer
from core.throttling import UploadThrottle


class CompleteView(BookingActionView):
    @extend_schema(operation_id="complete_booking", tags=["bookings"], request=NoFieldsSerializer, responses={200: BookingDetailSerializer})
    def post(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Say that the session took place. As the mentor, you can do so once it is over, once the video record shows both of you for two
        thirds of it, or once the learner has said so (else 409 `not_over_yet` with `possible_at`). Unless the record or the other side
        confirms it, the other side has 24 hours to contest it, counted from the end or from now, whichever is later. Nobody is paid or
        reviewed before that."""
        NoFieldsSerializer.read(request)
        return self.move(request, booking_id, lambda row, person: ending.complete_booking(booking_id=row.pk, user=person))


class NoShowView(BookingActionView):
    @extend_schema(
        operation_id="report_no_show", tags=["bookings"], request=NoShowRequestSerializer, responses={200: BookingDetailSerializer}
    )
    def post(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Say that the other side did not come, or, with `absent: "me"`, that yours did not: ten minutes after the start at the earliest.
        If the video record shows you waiting alone, the session counts as missed at once; otherwise this is your word, and the state
        stays as it is. Both may still come in, and the other side has 24 hours to contest it, counted from the end or from now,
        whichever is later. If the other side says something else, or arrives, that is not yet decided."""
        given = NoShowRequestSerializer.read(request)
        note, is_own = given.get("note", ""), given["absent"] == "me"
        return self.move(
            request, booking_id, lambda row, person: ending.report_no_show(booking_id=row.pk, user=person, note=note, is_own=is_own)
        )


class AppealView(BookingActionView):
    @extend_schema(
        operation_id="contest_session", tags=["bookings"], request=AppealRequestSerializer, responses={200: BookingDetailSerializer}
    )
    def post(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Contest what the other side or the video record says about the session, until `ending.contest_until`; or answer the other side,
        once it contests it. Staff decide, and the money waits until then."""
        text = AppealRequestSerializer.read(request)["text"]
        return self.move(request, booking_id, lambda row, person: appealing.appeal(booking_id=row.pk, user=person, text=text))


class EvidenceView(APIView):
    permission_classes = (IsAuthenticated,)
    parser_classes = (UploadParser,)
    throttle_classes = (*APIView.throttle_classes, UploadThrottle)
    largest_upload = MOST_BYTES

    @extend_schema(
        operation_id="add_appeal_evidence",
        tags=["bookings"],
        request={"multipart/form-data": EvidenceRequestSerializer},
        responses={201: AppealEvidenceSerializer},
    )
    def post(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Add a file to your account, up to five of them, until staff decide. The other side and staff see it."""
        person = person_of(request)
        booking = get_object_or_404(bookings_of(person), pk=booking_id)
        file = EvidenceRequestSerializer.read(request)["document"]
        evidence = appeal_evidence.add_evidence(booking=booking, user=person, content=file.read(MOST_BYTES + 1))
        return Response(AppealEvidenceSerializer(evidence).data, status=201)


class EvidenceFileView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="download_appeal_evidence",
        tags=["bookings"],
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "The file, to be saved.")},
    )
    def get(self, request: Request, booking_id: uuid.UUID, evidence_id: uuid.UUID) -> HttpResponse:
        """A file of one of the accounts."""
        booking = get_object_or_404(bookings_of(person_of(request)), pk=booking_id)
        evidence = get_object_or_404(AppealEvidence, pk=evidence_id, appeal__booking=booking, is_stored=True)
        return evidence_response(evidence)
