from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.selectors import person_of
from bookings.api.v1.serializers import (
    BookingDetailSerializer,
    BookingRequestSerializer,
    BookingSerializer,
    BookingsRequestSerializer,
    BookingTermsRequestSerializer,
    BookingTermsSerializer,
    CancelRequestSerializer,
    CounterRequestSerializer,
    EntranceSerializer,
    JoinRequestSerializer,
    NewTimeRequestSerializer,
    NoteRequestSerializer,
    QuoteSerializer,
    RemindersSerializer,
    StayRequestSerializer,
)
from bookings.errors import QuoteChanged
from bookings.models import Booking
from bookings.policies import can_join
from bookings.selectors import booking_with_history, bookings_of, narrowed, terms_of
from bookings.services import (
    approving,
    calendars,
    cancelling,
    joining,
    reminding,
    requesting,
    rescheduling,
    terms,
    waiting,
)
from bookings.services import (
    booking as making,
)
from core.errors import Forbidden
from core.idempotency import KEY_PARAMETER, idempotent
from core.operations import APIView, GenericAPIView
from core.serializers import NoFieldsSerializer
from mentors.models import MentorProfile


class BookingsView(GenericAPIView[Booking]):
    permission_classes = (IsAuthenticated,)
    serializer_class: Any = BookingSerializer
    queryset = Booking.objects.none()
    filter_backends = ()

    @extend_schema(
        operation_id="list_bookings",
        tags=["bookings"],
        parameters=[BookingsRequestSerializer],
        responses={200: BookingSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """What you booked, what was booked with you, and what people in your care booked, newest first."""
        asked = BookingsRequestSerializer.read(request)
        person = person_of(request)
        page = self.paginate_queryset(narrowed(bookings_of(person), user=person, **asked))
        return self.get_paginated_response(BookingSerializer(page, many=True, context={"user": person}).data)

    @extend_schema(
        operation_id="book",
        tags=["bookings"],
        parameters=[KEY_PARAMETER],
        request=BookingRequestSerializer,
        responses={201: BookingDetailSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Book a time with a mentor. What costs something is held for 15 minutes, until it is paid for; then the mentor is asked,
        unless they can be booked at once. A time that cannot be had is 409 `slot_unavailable`, with the nearest `alternatives`. Takes
        `Idempotency-Key`."""
        given = BookingRequestSerializer.read(request)
        given["starts_at"] = given.pop("scheduled_at")
        booking = making.book_session(learner=person_of(request), **given)
        return shown(request, booking.pk, status=201)


class BookingView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_booking", tags=["bookings"], responses={200: BookingDetailSerializer})
    def get(self, request: Request, booking_id: uuid.UUID) -> Response:
        """One booking, with its history."""
        return shown(request, booking_id)


class BookingActionView(APIView):
    permission_classes = (IsAuthenticated,)

    def move(self, request: Request, booking_id: uuid.UUID, act: Callable[[Booking, User], Any]) -> Response:
        """Do something with a booking that this person may see, and show it."""
        person = person_of(request)
        act(get_object_or_404(bookings_of(person), pk=booking_id), person)
        return shown(request, booking_id)


class ConfirmView(BookingActionView):
    @extend_schema(operation_id="confirm_booking", tags=["bookings"], request=NoFieldsSerializer, responses={200: BookingDetailSerializer})
    def post(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Say yes to a request, as its mentor. The price is taken now."""
        NoFieldsSerializer.read(request)
        return self.move(request, booking_id, lambda row, person: requesting.confirm_booking(booking_id=row.pk, mentor=person))


class DeclineView(BookingActionView):
    @extend_schema(
        operation_id="decline_booking", tags=["bookings"], request=NoteRequestSerializer, responses={200: BookingDetailSerializer}
    )
    def post(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Say no to a request, as its mentor. Nothing is taken."""
        note = NoteRequestSerializer.read(request).get("note", "")
        return self.move(request, booking_id, lambda row, person: requesting.decline_booking(booking_id=row.pk, mentor=person, note=note))


class CounterView(BookingActionView):
    @extend_schema(
        operation_id="counter_booking", tags=["bookings"], request=CounterRequestSerializer, responses={200: BookingDetailSerializer}
    )
    def post(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Propose another time, as the mentor who is asked. The learner takes it, or waits for an answer about the first one."""
        start = CounterRequestSerializer.read(request)["scheduled_at"]
        return self.move(
            request, booking_id, lambda row, person: requesting.counter_offer(booking_id=row.pk, mentor=person, starts_at=start)
        )


class TakeView(BookingActionView):
    @extend_schema(operation_id="take_booking", tags=["bookings"], request=NoFieldsSerializer, responses={200: BookingDetailSerializer})
    def post(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Take what was held for you from the waitlist. What costs something is then to be paid for within 15 minutes."""
        NoFieldsSerializer.read(request)
        return self.move(request, booking_id, lambda row, person: waiting.take_offer(booking_id=row.pk, learner=person))


class AcceptCounterView(BookingActionView):
    @extend_schema(operation_id="accept_counter", tags=["bookings"], request=NoFieldsSerializer, responses={200: BookingDetailSerializer})
    def post(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Take the time that the mentor proposed: it is confirmed at once."""
        NoFieldsSerializer.read(request)
        return self.move(request, booking_id, lambda row, person: requesting.accept_counter(booking_id=row.pk, learner=person))


class ApproveView(BookingActionView):
    @extend_schema(operation_id="approve_booking", tags=["bookings"], request=NoFieldsSerializer, responses={200: BookingDetailSerializer})
    def post(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Agree, as the guardian, to what somebody in your care would book. If it costs something you pay, in 15 minutes. To say no,
        cancel it."""
        NoFieldsSerializer.read(request)
        return self.move(request, booking_id, lambda row, person: approving.approve_booking(booking_id=row.pk, guardian=person))


class QuoteView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="quote_cancellation", tags=["bookings"], responses={200: QuoteSerializer})
    def get(self, request: Request, booking_id: uuid.UUID) -> Response:
        """What would come back if you cancelled now, to the last unit, and when that changes."""
        person = person_of(request)
        booking = get_object_or_404(bookings_of(person), pk=booking_id)
        return Response(QuoteSerializer(cancelling.cancellation_quote(booking=booking, user=person)).data)


class CancelView(BookingActionView):
    @extend_schema(
        operation_id="cancel_booking",
        tags=["bookings"],
        parameters=[KEY_PARAMETER],
        request=CancelRequestSerializer,
        responses={200: BookingDetailSerializer},
    )
    @idempotent
    def post(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Call it off. A mentor pays everything back; a learner gets what `cancellation-quote` says. Takes `Idempotency-Key`."""
        given = CancelRequestSerializer.read(request)
        expected = given.get("expected_refund")
        booking = get_object_or_404(bookings_of(person_of(request)), pk=booking_id)
        if expected is not None and expected["currency"] != booking.price_currency:
            raise QuoteChanged
        amount = expected["amount"] if expected is not None else None
        return self.move(
            request,
            booking_id,
            lambda row, person: cancelling.cancel_booking(
                booking_id=row.pk, user=person, note=given.get("note", ""), expected_refund=amount
            ),
        )


class RescheduleView(BookingActionView):
    @extend_schema(
        operation_id="reschedule_booking",
        tags=["bookings"],
        parameters=[KEY_PARAMETER],
        request=NewTimeRequestSerializer,
        responses={200: BookingDetailSerializer},
    )
    @idempotent
    def post(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Put it to another time, which is taken before the present one is given back. Each side can do so twice. Takes
        `Idempotency-Key`."""
        given = NewTimeRequestSerializer.read(request)
        start, note = given["scheduled_at"], given.get("note", "")
        return self.move(
            request,
            booking_id,
            lambda row, person: rescheduling.reschedule_booking(booking_id=row.pk, user=person, starts_at=start, note=note),
        )


class JoinView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="join_session", tags=["bookings"], parameters=[JoinRequestSerializer], responses={200: EntranceSerializer})
    def get(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Your way into the room: it opens ten minutes before the session and closes half an hour after it, whatever anybody says about how
        it went. Outside of that 409 `too_early` or `too_late`, with both instants. Opening it does not prove that you came."""
        asked = JoinRequestSerializer.read(request)
        person, booking = participant(request, booking_id)
        entrance = joining.join_session(booking=booking, user=person, is_audio_only=asked["audio_only"])
        answer = Response(EntranceSerializer(entrance).data)
        answer["Cache-Control"] = "private, no-store"
        return answer


class StayView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="record_stay", tags=["bookings"], request=StayRequestSerializer, responses={204: None})
    def post(self, request: Request, booking_id: uuid.UUID) -> Response:
        """Your app says that you came into the room, or left it. That marks the session as begun; it does not prove that you came."""
        is_leaving = StayRequestSerializer.read(request)["is_leaving"]
        person, booking = participant(request, booking_id)
        joining.record_app_stay(booking=booking, user=person, is_leaving=is_leaving)
        return Response(status=204)


class CalendarFileView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="download_booking_calendar",
        tags=["bookings"],
        responses={(200, "text/calendar"): OpenApiResponse(OpenApiTypes.STR, "The session as iCalendar.")},
    )
    def get(self, request: Request, booking_id: uuid.UUID) -> HttpResponse:
        """The session for a calendar program (RFC 5545). Its entry is the same as that of the mail and of your secret feed."""
        booking = get_object_or_404(bookings_of(person_of(request)), pk=booking_id)
        answer = HttpResponse(calendars.file_of(booking, person_of(request)), content_type="text/calendar; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="soosh-{booking.pk}.ics"'
        answer["Cache-Control"] = "private, no-store"
        return answer


class BookingTermsView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_booking_terms", tags=["mentoring"], responses={200: BookingTermsSerializer})
    def get(self, request: Request) -> Response:
        """How you take bookings."""
        return Response(BookingTermsSerializer(terms_of(person_of(request).pk)).data)

    @extend_schema(
        operation_id="set_booking_terms",
        tags=["mentoring"],
        request=BookingTermsRequestSerializer,
        responses={200: BookingTermsSerializer},
    )
    def put(self, request: Request) -> Response:
        """State how you take bookings from now on: at once or on request, and what people get back who cancel."""
        given = BookingTermsRequestSerializer.read(request)
        return Response(BookingTermsSerializer(terms.set_terms(mentor=person_of(request), **given)).data)


class TermsOfMentorView(APIView):
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="read_booking_terms_of_mentor", tags=["mentors"], responses={200: BookingTermsSerializer})
    def get(self, request: Request, mentor_id: uuid.UUID) -> Response:
        """How a mentor takes bookings: at once or on request, what people get back who cancel, and by how much less a session costs that is
        paid for together with others."""
        profile = get_object_or_404(MentorProfile.objects.visible_to(request.user).only("user"), pk=mentor_id)
        return Response(BookingTermsSerializer(terms_of(profile.user_id)).data)


class RemindersView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_reminders", tags=["bookings"], responses={200: RemindersSerializer})
    def get(self, request: Request) -> Response:
        """When you are reminded of your sessions."""
        return Response({"minutes_before": reminding.reminders_of(person_of(request))})

    @extend_schema(operation_id="choose_reminders", tags=["bookings"], request=RemindersSerializer, responses={200: RemindersSerializer})
    def put(self, request: Request) -> Response:
        """Choose when you are reminded, also of what is booked already."""
        minutes = RemindersSerializer.read(request)["minutes_before"]
        reminding.choose_reminders(person=person_of(request), minutes=minutes)
        return Response({"minutes_before": reminding.reminders_of(person_of(request))})


def shown(request: Request, booking_id: uuid.UUID, *, status: int = 200) -> Response:
    """The booking as this person sees it."""
    person = person_of(request)
    booking = get_object_or_404(booking_with_history(person), pk=booking_id)
    return Response(BookingDetailSerializer(booking, context={"user": person}).data, status=status)


def participant(request: Request, booking_id: uuid.UUID) -> tuple[User, Booking]:
    """Who asks, and their booking. A guardian sees it and stays out of the room."""
    person = person_of(request)
    booking = get_object_or_404(bookings_of(person), pk=booking_id)
    if not can_join(person, booking):
        raise Forbidden
    return person, booking
