"""Mentors as others see them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import FieldError, InvalidInput
from core.operations import APIView, GenericAPIView
from mentors.api.v1.filters import MentorFilter
from mentors.api.v1.serializers import (
    MentorHitSerializer,
    MentorListSerializer,
    MentorSearchSerializer,
    MentorSerializer,
    SlotListSerializer,
    SlotsRequestSerializer,
    WhyRequestSerializer,
    WhySerializer,
)
from mentors.enums import MentorState
from mentors.models import MentorProfile, Schedule
from mentors.models.availability import FURTHEST_HORIZON
from mentors.policies import can_see_why
from mentors.querysets import MentorProfileQuerySet, Windows
from mentors.selectors import shortest_offer
from mentors.services.calendars import is_confirmed
from mentors.services.expanding import Hours
from mentors.services.explaining import full_reasons_against, reasons_against
from mentors.services.searching import MOST_DAYS as LONGEST_SEARCH
from mentors.services.searching import search_mentors, windows_between
from mentors.services.slots import MOST_DAYS, Question, next_slots, next_slots_within, slots_between

_WEEK = datetime.timedelta(days=7)
_USUAL_MINUTES = 60


def visible_mentor(request: Request, mentor_id: Any) -> MentorProfile:
    """The mentor at this address, as far as the caller may see them."""
    return get_object_or_404(MentorProfile.objects.visible_to(request.user).for_cards(), pk=mentor_id)


def add_next_slots(
    profiles: Sequence[MentorProfile], request: Request, *, windows: Windows | None = None, minutes: int | None = None
) -> None:
    """Look up when those who take bookings can be booked next: within the windows, if there are some, and for so long."""
    keys = [profile.pk for profile in profiles if profile.state == MentorState.LIVE]
    found = next_slots_within(keys, windows) if windows else next_slots(keys, learner_id=request.user.pk, minutes=minutes)
    for profile in profiles:
        profile.next_slot = found.get(profile.pk)


class MentorsView(GenericAPIView[MentorProfile]):
    permission_classes = (AllowAny,)
    serializer_class = MentorHitSerializer
    filterset_class = MentorFilter
    queryset = MentorProfile.objects.none()

    @extend_schema(
        operation_id="list_mentors", tags=["mentors"], parameters=[MentorSearchSerializer], responses={200: MentorListSerializer}
    )
    def get(self, request: Request) -> Response:
        """Mentors who take bookings: newest first, or with `q` by how well they fit. With times those alone who have a slot then, by the
        very rules by which it can be booked."""
        asked = MentorSearchSerializer.read(request)
        windows = _windows_of(request, asked)
        minutes = windows.minutes if windows else asked.get("duration_minutes")
        rows = cast(MentorProfileQuerySet, self.filter_queryset(MentorProfile.objects.bookable_for(request.user)))
        if minutes is not None or {"price_max", "currency"} & asked.keys():
            rows = rows.offering(minutes=minutes, price_max=asked.get("price_max"), currency=asked.get("currency", ""))
        if asked["q"].strip():
            found = search_mentors(rows=rows, q=asked["q"], windows=windows, limit=asked["page_size"], user_id=request.user.pk)
            add_next_slots(found.mentors, request, windows=windows, minutes=minutes)
            cards = MentorHitSerializer(found.mentors, many=True).data
            return Response({"next": None, "previous": None, "results": cards, "degraded_because": found.degraded_because})
        page = self.paginate_queryset((rows.free_within(windows) if windows else rows).for_cards())
        add_next_slots(page or [], request, windows=windows, minutes=minutes)
        answer = self.get_paginated_response(MentorHitSerializer(page, many=True).data)
        answer.data["degraded_because"] = ""
        return answer


def _windows_of(request: Request, asked: dict[str, Any]) -> Windows | None:
    """When the person who asks has time; None where they said nothing about it."""
    if not {"available_from", "available_to", "daily_from"} & asked.keys():
        return None
    now = timezone.now()
    start = asked.get("available_from") or now
    end = asked.get("available_to") or _at_most(start, _WEEK)
    if end <= start:
        raise InvalidInput(errors=(FieldError("available_to", "reversed_times", "The end must be after the start."),))
    # Nobody can be booked before now, nor further ahead than the furthest horizon.
    start = max(start, now)
    end = min(end, _at_most(start, datetime.timedelta(days=LONGEST_SEARCH)), now + datetime.timedelta(days=FURTHEST_HORIZON + 1))
    zone = ZoneInfo(str(asked.get("time_zone") or getattr(request.user, "time_zone", "UTC")))
    daily = Hours(asked["daily_from"], asked["daily_to"]) if "daily_from" in asked else None
    spans = windows_between(start, end, zone=zone, daily=daily) if start < end else ()
    return Windows(spans, asked.get("duration_minutes", _USUAL_MINUTES), now, request.user.pk)


class MentorView(APIView):
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="read_mentor", tags=["mentors"], responses={200: MentorSerializer})
    def get(self, request: Request, mentor_id: Any) -> Response:
        """One mentor."""
        profile = visible_mentor(request, mentor_id)
        add_next_slots([profile], request)
        return Response(MentorSerializer(profile).data)


class SlotsView(APIView):
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="list_slots", tags=["mentors"], parameters=[SlotsRequestSerializer], responses={200: SlotListSerializer})
    def get(self, request: Request, mentor_id: Any) -> Response:
        """When a session with this mentor may start, in UTC: each time is bookable at this moment. Who is signed in is not offered times of
        their own sessions."""
        profile = visible_mentor(request, mentor_id)
        asked = SlotsRequestSerializer.read(request)
        start, end = _window(asked)
        minutes = asked.get("duration_minutes") or shortest_offer(profile)
        is_bookable = MentorProfile.objects.bookable_for(request.user).filter(pk=profile.pk).exists()
        found = slots_between(Question(profile.pk, minutes, request.user.pk), start, end) if minutes and is_bookable else []
        length = datetime.timedelta(minutes=minutes or 0)
        zone = Schedule.objects.filter(profile=profile).values_list("time_zone", flat=True).first() or profile.user.time_zone
        slots = [{"start": slot, "end": slot + length} for slot in found]
        answer = {"slots": slots, "time_zone": zone, "is_confirmed": is_confirmed(profile.user_id)}
        return Response(SlotListSerializer(answer).data)


class WhyView(APIView):
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="explain_slot", tags=["mentors"], parameters=[WhyRequestSerializer], responses={200: WhySerializer})
    def get(self, request: Request, mentor_id: Any) -> Response:
        """Why a time is not offered: the rules against it, by the code that decides. The mentor is told the very hours and events; others
        get safe words."""
        profile = visible_mentor(request, mentor_id)
        asked = WhyRequestSerializer.read(request)
        start, minutes = asked["start"], asked["duration_minutes"]
        if can_see_why(request.user, profile):
            reasons = full_reasons_against(profile, Question(profile.pk, minutes), start)
        else:
            reasons = reasons_against(Question(profile.pk, minutes, request.user.pk), start)
        return Response(WhySerializer({"is_bookable": not reasons, "reasons": reasons}).data)


def _window(given: dict[str, Any]) -> tuple[datetime.datetime, datetime.datetime]:
    start = given.get("from") or timezone.now()
    end = given.get("to") or _at_most(start, _WEEK)
    if end <= start:
        raise InvalidInput(errors=(FieldError("to", "reversed_times", "The end must be after the start."),))
    return start, min(end, _at_most(start, datetime.timedelta(days=MOST_DAYS)))


def _at_most(start: datetime.datetime, ahead: datetime.timedelta) -> datetime.datetime:
    """So much later, or the last instant that there is."""
    latest = datetime.datetime.max.replace(tzinfo=datetime.UTC)
    return start + ahead if start < latest - ahead else latest
