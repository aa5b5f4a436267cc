"""Recording a session of two, if both agree."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from bookings.api.v1.recording_serializers import RecordingConsentRequestSerializer, RecordingLinkSerializer, SessionRecordingSerializer
from bookings.api.v1.views import participant
from bookings.enums import RecordingState
from bookings.models import Booking, SessionRecording
from bookings.services import recording
from core.operations import APIView
from core.serializers import NoFieldsSerializer


class RecordingView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_recording", tags=["bookings"], responses={200: SessionRecordingSerializer})
    def get(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Whether the session is recorded, and who of the two agrees to that."""
        return _shown(*participant(request, booking_id))


class ConsentView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="consent_to_recording",
        tags=["bookings"],
        request=RecordingConsentRequestSerializer,
        responses={200: SessionRecordingSerializer},
    )
    def put(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Agree that this session may be recorded, or take that back: then what runs is stopped, and what was recorded is deleted. Agreeing
        starts nothing."""
        given = RecordingConsentRequestSerializer.read(request)
        person, booking = participant(request, booking_id)
        if given["agrees"]:
            recording.agree(booking=booking, user=person, text_version=given["text_version"])
        else:
            recording.take_back(booking=booking, user=person)
        return _shown(person, booking)


class StartView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="start_recording", tags=["bookings"], request=NoFieldsSerializer, responses={200: SessionRecordingSerializer}
    )
    def post(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Begin to record. Both have to have agreed, and the session to have begun."""
        NoFieldsSerializer.read(request)
        person, booking = participant(request, booking_id)
        recording.start_recording(booking=booking, user=person)
        return _shown(person, booking)


class StopView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="stop_recording", tags=["bookings"], request=NoFieldsSerializer, responses={200: SessionRecordingSerializer}
    )
    def post(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Stop the recording, whoever of you started it."""
        NoFieldsSerializer.read(request)
        person, booking = participant(request, booking_id)
        recording.stop_recording(booking=booking)
        return _shown(person, booking)


class LinkView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="watch_recording", tags=["bookings"], responses={200: RecordingLinkSerializer})
    def get(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Where the recording can be watched for a quarter of an hour. For the two of you alone."""
        _, booking = participant(request, booking_id)
        url, expires_at = recording.link_to_recording(booking=booking)
        return Response(
            RecordingLinkSerializer({"url": url, "expires_at": expires_at}).data, headers={"Cache-Control": "private, no-store"}
        )


def _shown(person: User, booking: Booking) -> Response:
    consents = recording.consents_of(booking, person)
    states = set(SessionRecording.objects.filter(session=booking.session_id).values_list("state", flat=True))
    found = {
        "is_possible": consents.is_possible,
        "text": recording.CONSENT_TEXT,
        "text_version": recording.CONSENT_TEXT_VERSION,
        "you_agree": consents.you,
        "other_agrees": consents.other,
        "is_running": RecordingState.RUNNING in states,
        "can_be_watched": RecordingState.STORED in states,
    }
    return Response(SessionRecordingSerializer(found).data)
