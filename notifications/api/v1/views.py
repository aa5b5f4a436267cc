from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import person_of
from notifications.api.v1.serializers import PreferencesRequestSerializer, PreferencesSerializer
from notifications.selectors import preferences_of
from notifications.services.preferences import set_preferences

_NIGHT = {"quiet_hours": {"start": "22:00", "end": "07:00"}, "digest": {"cadence": "daily", "at": "08:00"}, "urgent_breaks_through": True}


class PreferencesView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_notification_preferences", tags=["notifications"], responses={200: PreferencesSerializer})
    def get(self, request: Request) -> Response:
        """When you are told things, and when something would be sent that came now."""
        return Response(PreferencesSerializer(preferences_of(person_of(request))).data)

    @extend_schema(
        operation_id="set_notification_preferences",
        tags=["notifications"],
        request=PreferencesRequestSerializer,
        responses={200: PreferencesSerializer},
        examples=[OpenApiExample("Quiet nights and a digest in the morning", _NIGHT, request_only=True)],
    )
    def put(self, request: Request) -> Response:
        """Choose when you are told things. What you leave out takes its default: no quiet hours, each thing at once."""
        form = PreferencesRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(PreferencesSerializer(set_preferences(user=person_of(request), **form.to_columns())).data)
