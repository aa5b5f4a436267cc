"""Sessions every week."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.selectors import person_of
from bookings.api.v1.serializers import NoteRequestSerializer
from bookings.api.v1.series_serializers import (
    CancelSeriesRequestSerializer,
    MoveSeriesRequestSerializer,
    SeriesRequestSerializer,
    SeriesSerializer,
)
from bookings.enums import BookingState
from bookings.errors import MayNotAnswer
from bookings.models import Booking, Series
from bookings.selectors import bookings_of, series_of
from bookings.services import requesting
from bookings.services import series as repeating
from core.idempotency import KEY_PARAMETER, idempotent
from core.operations import APIView
from core.serializers import NoFieldsSerializer


class SeriesListView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="book_series",
        tags=["bookings"],
        parameters=[KEY_PARAMETER],
        request=SeriesRequestSerializer,
        responses={201: SeriesSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Book sessions every week, or every few weeks, at the same time by the mentor's clock: all of them, or none. If some cannot be had
        it is 409 `series_unavailable`, which names each with the nearest times; ask again with `starts` for what you choose instead. Takes
        `Idempotency-Key`."""
        given = SeriesRequestSerializer.read(request)
        given["first_at"] = given.pop("scheduled_at")
        person = person_of(request)
        return _shown(person, repeating.book_series(learner=person, **given).pk, status=201)


class SeriesView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_series", tags=["bookings"], responses={200: SeriesSerializer})
    def get(self, request: Request, series_id: uuid.UUID) -> Response:
        """A series, with its bookings in order."""
        return _shown(person_of(request), series_id)


class ConfirmSeriesView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="confirm_series", tags=["bookings"], request=NoFieldsSerializer, responses={200: SeriesSerializer})
    def post(self, request: Request, series_id: uuid.UUID) -> Response:
        """Say yes to all that are requested, as their mentor."""
        NoFieldsSerializer.read(request)
        person, row = _mentored(request, series_id)

        def confirm(booking: Booking) -> None:
            requesting.confirm_booking(booking_id=booking.pk, mentor=person)

        repeating.act_on_series(series=row, act=confirm, state=BookingState.REQUESTED)
        return _shown(person, series_id)


class DeclineSeriesView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="decline_series", tags=["bookings"], request=NoteRequestSerializer, responses={200: SeriesSerializer})
    def post(self, request: Request, series_id: uuid.UUID) -> Response:
        """Say no to all that are requested, as their mentor."""
        note = NoteRequestSerializer.read(request).get("note", "")
        person, row = _mentored(request, series_id)

        def decline(booking: Booking) -> None:
            requesting.decline_booking(booking_id=booking.pk, mentor=person, note=note)

        repeating.act_on_series(series=row, act=decline, state=BookingState.REQUESTED)
        return _shown(person, series_id)


class CancelSeriesView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="cancel_series", tags=["bookings"], request=CancelSeriesRequestSerializer, responses={200: SeriesSerializer}
    )
    def post(self, request: Request, series_id: uuid.UUID) -> Response:
        """Call off what is ahead: all, or from one on. Each gets back what its own quote says."""
        given = CancelSeriesRequestSerializer.read(request)
        person, row = _own(request, series_id)
        first = _first(person, row, given["from_booking_id"]) if "from_booking_id" in given else None
        repeating.cancel_series(series=row, user=person, first=first, note=given.get("note", ""))
        return _shown(person, series_id)


class MoveSeriesView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="reschedule_series", tags=["bookings"], request=MoveSeriesRequestSerializer, responses={200: SeriesSerializer}
    )
    def post(self, request: Request, series_id: uuid.UUID) -> Response:
        """Put one and all that follow to another weekday or time, or none of them."""
        given = MoveSeriesRequestSerializer.read(request)
        person, row = _own(request, series_id)
        first = _first(person, row, given["from_booking_id"])
        repeating.move_series(series=row, user=person, first=first, starts_at=given["scheduled_at"], note=given.get("note", ""))
        return _shown(person, series_id)


def _own(request: Request, series_id: uuid.UUID) -> tuple[User, Series]:
    person = person_of(request)
    return person, get_object_or_404(series_of(person), pk=series_id)


def _mentored(request: Request, series_id: uuid.UUID) -> tuple[User, Series]:
    person, row = _own(request, series_id)
    if row.mentor_id != person.pk:
        raise MayNotAnswer
    return person, row


def _first(person: User, row: Series, booking_id: uuid.UUID) -> Booking:
    booking: Booking = get_object_or_404(bookings_of(person), pk=booking_id, series=row)
    return booking


def _shown(person: User, series_id: uuid.UUID, *, status: int = 200) -> Response:
    row = get_object_or_404(series_of(person), pk=series_id)
    bookings = bookings_of(person).filter(series=row).order_by("session__starts_at", "pk")
    return Response(SeriesSerializer({"series": row, "bookings": bookings}, context={"user": person}).data, status=status)
