"""What mentors do with their own profile, time and calendars."""

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
from core.errors import NotFound
from core.operations import APIView, GenericAPIView
from core.serializers import NoFieldsSerializer
from mentors.api.v1.availability_serializers import AvailabilitySerializer, ZoneChangeSerializer, availability_as_shown
from mentors.api.v1.calendar_serializers import (
    CalendarLinkSerializer,
    CalendarRequestSerializer,
    CalendarServerSerializer,
    FoundCalendarsSerializer,
    OutsideCalendarSerializer,
)
from mentors.api.v1.serializers import OwnMentorSerializer, ProfileRequestSerializer, TimeBlockRequestSerializer, TimeBlockSerializer
from mentors.models import CalendarLink, OccupiedTime, OutsideCalendar, Schedule
from mentors.selectors import blocks_of, own_profile, own_schedule
from mentors.services import calendars, links, occupying, profiles, schedules

_SETTINGS = (
    *("increment_minutes", "buffer_before_minutes", "buffer_after_minutes", "notice_minutes", "horizon_days"),
    *("most_per_day", "most_per_week", "most_per_month"),
)


class OwnMentorView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_own_mentor", tags=["mentoring"], responses={200: OwnMentorSerializer})
    def get(self, request: Request) -> Response:
        """Your mentor profile; 404 before you have stated one."""
        return Response(OwnMentorSerializer(own_profile(person_of(request))).data)

    @extend_schema(
        operation_id="save_own_mentor", tags=["mentoring"], request=ProfileRequestSerializer, responses={200: OwnMentorSerializer}
    )
    def put(self, request: Request) -> Response:
        """State your whole mentor profile. It is found once you have applied and staff have taken you. Offers that you leave out end."""
        form = ProfileRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        person = person_of(request)
        profiles.save_profile(user=person, **form.to_service())
        return Response(OwnMentorSerializer(own_profile(person)).data)


class _MoveView(APIView):
    permission_classes = (IsAuthenticated,)

    def move(self, request: Request, service: Callable[..., None]) -> Response:
        NoFieldsSerializer.read(request)
        person = person_of(request)
        service(profile=own_profile(person))
        return Response(OwnMentorSerializer(own_profile(person)).data)


class ApplyView(_MoveView):
    @extend_schema(operation_id="apply_as_mentor", tags=["mentoring"], request=NoFieldsSerializer, responses={200: OwnMentorSerializer})
    def post(self, request: Request) -> Response:
        """Ask to be taken as a mentor; what is missing is named."""
        return self.move(request, profiles.apply)


class PauseView(_MoveView):
    @extend_schema(operation_id="pause_mentoring", tags=["mentoring"], request=NoFieldsSerializer, responses={200: OwnMentorSerializer})
    def post(self, request: Request) -> Response:
        """Take no bookings for a while."""
        return self.move(request, profiles.pause)


class ResumeView(_MoveView):
    @extend_schema(operation_id="resume_mentoring", tags=["mentoring"], request=NoFieldsSerializer, responses={200: OwnMentorSerializer})
    def post(self, request: Request) -> Response:
        """Take bookings again."""
        return self.move(request, profiles.resume)


class LeaveView(_MoveView):
    @extend_schema(operation_id="leave_mentoring", tags=["mentoring"], request=NoFieldsSerializer, responses={200: OwnMentorSerializer})
    def post(self, request: Request) -> Response:
        """Be a mentor no more. What is booked stays booked."""
        return self.move(request, profiles.leave)


def _shown(schedule: Schedule) -> Response:
    columns = {name: getattr(schedule, name) for name in _SETTINGS}
    return Response(AvailabilitySerializer(availability_as_shown(schedules.availability_of(schedule), columns)).data)


class AvailabilityView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_own_availability", tags=["mentoring"], responses={200: AvailabilitySerializer})
    def get(self, request: Request) -> Response:
        """What you stated about when you can be booked."""
        return _shown(own_schedule(person_of(request)))

    @extend_schema(
        operation_id="save_own_availability", tags=["mentoring"], request=AvailabilitySerializer, responses={200: AvailabilitySerializer}
    )
    def put(self, request: Request) -> Response:
        """State the whole of it: weekly hours in wall time, single dates, travels, buffers, notice and limits. A session that is booked
        stays booked."""
        form = AvailabilitySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        person = person_of(request)
        schedules.set_availability(profile=own_profile(person), availability=form.to_availability())
        return _shown(own_schedule(person))


class ZoneChangeView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="change_own_time_zone", tags=["mentoring"], request=ZoneChangeSerializer, responses={200: AvailabilitySerializer}
    )
    def post(self, request: Request) -> Response:
        """Move to another time zone, and say whether your hours keep what the clock shows or when they are. Sessions never move."""
        given = ZoneChangeSerializer.read(request)
        person = person_of(request)
        schedule = own_schedule(person)
        keeps_instants = given["keep"] == "instants"
        schedules.change_time_zone(profile=schedule.profile, time_zone=given["time_zone"], keeps_instants=keeps_instants)
        return _shown(own_schedule(person))


class BlocksView(GenericAPIView[OccupiedTime]):
    permission_classes = (IsAuthenticated,)
    serializer_class = TimeBlockSerializer
    queryset = OccupiedTime.objects.none()
    filter_backends = ()

    @extend_schema(operation_id="list_time_blocks", tags=["mentoring"], responses={200: TimeBlockSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """The stretches of time that you have blocked, newest first."""
        rows: QuerySet[OccupiedTime] = blocks_of(person_of(request))
        return self.get_paginated_response(TimeBlockSerializer(self.paginate_queryset(rows), many=True).data)

    @extend_schema(operation_id="block_time", tags=["mentoring"], request=TimeBlockRequestSerializer, responses={201: TimeBlockSerializer})
    def post(self, request: Request) -> Response:
        """Keep sessions out of a stretch of time. What is booked in it stays booked."""
        given = TimeBlockRequestSerializer.read(request)
        person = person_of(request)
        own_profile(person)
        row = occupying.block_time(person=person, starts_at=given["start"], ends_at=given["end"], title=given["title"])
        return Response(TimeBlockSerializer(row).data, status=201)


class BlockView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="unblock_time", tags=["mentoring"], responses={204: None})
    def delete(self, request: Request, block_id: Any) -> Response:
        """Open a blocked stretch again."""
        occupying.unblock_time(block=get_object_or_404(blocks_of(person_of(request)), pk=block_id))
        return Response(status=204)


class CalendarsView(GenericAPIView[OutsideCalendar]):
    permission_classes = (IsAuthenticated,)
    serializer_class = OutsideCalendarSerializer
    queryset = OutsideCalendar.objects.none()
    filter_backends = ()

    @extend_schema(operation_id="list_calendars", tags=["mentoring"], responses={200: OutsideCalendarSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """Your calendars elsewhere, and how reading them goes."""
        rows = OutsideCalendar.objects.filter(person=person_of(request))
        return self.get_paginated_response(OutsideCalendarSerializer(self.paginate_queryset(rows), many=True).data)

    @extend_schema(
        operation_id="add_calendar", tags=["mentoring"], request=CalendarRequestSerializer, responses={201: OutsideCalendarSerializer}
    )
    def post(self, request: Request) -> Response:
        """Have a calendar elsewhere keep you busy. It is read at once, and then every quarter of an hour."""
        given = CalendarRequestSerializer.read(request)
        person = person_of(request)
        own_profile(person)
        return Response(OutsideCalendarSerializer(calendars.add_calendar(person=person, **given)).data, status=201)


class CalendarView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="remove_calendar", tags=["mentoring"], responses={204: None})
    def delete(self, request: Request, calendar_id: Any) -> Response:
        """Forget a calendar, and all that it kept busy."""
        calendar = get_object_or_404(OutsideCalendar.objects.filter(person=person_of(request)), pk=calendar_id)
        calendars.remove_calendar(calendar=calendar)
        return Response(status=204)


class FindCalendarsView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="find_calendars", tags=["mentoring"], request=CalendarServerSerializer, responses={200: FoundCalendarsSerializer}
    )
    def post(self, request: Request) -> Response:
        """Your calendars on a CalDAV server, to choose from. Nothing is kept."""
        given = CalendarServerSerializer.read(request)
        own_profile(person_of(request))
        return Response(FoundCalendarsSerializer({"results": calendars.find_calendars(**given)}).data)


class CalendarLinkView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_calendar_link", tags=["mentoring"], responses={200: CalendarLinkSerializer})
    def get(self, request: Request) -> Response:
        """The secret address under which a calendar program reads your sessions; 404 while there is none."""
        return Response(CalendarLinkSerializer(_own_link(request)).data)

    @extend_schema(
        operation_id="rotate_calendar_link", tags=["mentoring"], request=NoFieldsSerializer, responses={201: CalendarLinkSerializer}
    )
    def post(self, request: Request) -> Response:
        """Make a new secret address; the one before ends."""
        NoFieldsSerializer.read(request)
        links.rotate_link(person=person_of(request))
        return Response(CalendarLinkSerializer(_own_link(request)).data, status=201)

    @extend_schema(operation_id="drop_calendar_link", tags=["mentoring"], responses={204: None})
    def delete(self, request: Request) -> Response:
        """End the secret address."""
        _own_link(request)
        links.drop_link(person=person_of(request))
        return Response(status=204)


def _own_link(request: Request) -> CalendarLink:
    link = CalendarLink.objects.filter(person=person_of(request)).first()
    if link is None:
        raise NotFound
    return link
