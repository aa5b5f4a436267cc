"""Mentors as others see them."""

from __future__ import annotations

import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import FieldError, InvalidInput
from mentors.api.v1.serializers import (
    MentorSerializer,
    SlotListSerializer,
    SlotsRequestSerializer,
    WhyRequestSerializer,
    WhySerializer,
)
from mentors.models import MentorProfile, Schedule
from mentors.policies import can_see_why
from mentors.selectors import shortest_offer
from mentors.services.calendars import is_confirmed
from mentors.services.explaining import full_reasons_against, reasons_against
from mentors.services.slots import MOST_DAYS, Question, slots_between

_WEEK = datetime.timedelta(days=7)


def visible_mentor(request: Request, mentor_id: Any) -> MentorProfile:
    """The mentor at this address, as far as the caller may see them."""
    return get_object_or_404(MentorProfile.objects.visible_to(request.user).for_cards(), pk=mentor_id)


class MentorView(APIView):
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="read_mentor", tags=["mentors"], responses={200: MentorSerializer})
    def get(self, request: Request, mentor_id: Any) -> Response:
        """One mentor."""
        return Response(MentorSerializer(visible_mentor(request, mentor_id)).data)


class SlotsView(APIView):
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="list_slots", tags=["mentors"], parameters=[SlotsRequestSerializer], responses={200: SlotListSerializer})
    def get(self, request: Request, mentor_id: Any) -> Response:
        """When a session with this mentor may start, in UTC: each time is bookable at this moment. Who is signed in is not offered times of
        their own sessions."""
        profile = visible_mentor(request, mentor_id)
        form = SlotsRequestSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        start, end = _window(form.validated_data)
        minutes = form.validated_data.get("duration_minutes") or shortest_offer(profile)
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
        form = WhyRequestSerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        start, minutes = form.validated_data["start"], form.validated_data["duration_minutes"]
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
