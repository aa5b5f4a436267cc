from __future__ import annotations

import uuid

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.selectors import person_of
from core.operations import APIView, GenericAPIView
from notifications.api.v1.filters import NotificationFilter
from notifications.api.v1.serializers import (
    NotificationSerializer,
    NotificationTrailSerializer,
    PreferencesRequestSerializer,
    PreferencesSerializer,
    ReadRequestSerializer,
    UnreadCountSerializer,
)
from notifications.models import Notification, Preferences
from notifications.selectors import choices_of_person, inbox_of, preferences_of
from notifications.services.inbox import changes_since, read_notifications
from notifications.services.preferences import set_preferences

_NIGHT = {
    "quiet_hours": {"start": "22:00", "end": "07:00"},
    "digest": {"cadence": "daily", "at": "08:00"},
    "urgent_breaks_through": True,
    "topics": [{"topic": "opportunities", "channels": {"push": False, "email": True}}],
}
# Later than every version.
_NOTHING_SINCE = 2**62


class NotificationsView(GenericAPIView[Notification]):
    permission_classes = (IsAuthenticated,)
    serializer_class = NotificationSerializer
    queryset = Notification.objects.none()
    filterset_class = NotificationFilter

    @extend_schema(operation_id="list_notifications", tags=["notifications"], responses={200: NotificationSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """Your inbox, the newest first."""
        rows = self.filter_queryset(inbox_of(person_of(request)))
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(NotificationSerializer(page, many=True).data)  # type: ignore[arg-type]  # many of them


class NotificationView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_notification", tags=["notifications"], responses={200: NotificationTrailSerializer})
    def get(self, request: Request, notification_id: uuid.UUID) -> Response:
        """One of your notifications, and how it went out or why it did not."""
        found = get_object_or_404(inbox_of(person_of(request)), pk=notification_id)
        return Response(NotificationTrailSerializer(found).data)


class UnreadView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="count_unread_notifications", tags=["notifications"], responses={200: UnreadCountSerializer})
    def get(self, request: Request) -> Response:
        """How many you have not read. The socket `/ws/notifications/` tells each change of it."""
        return Response(_unread(person_of(request)))


class ReadView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="mark_notifications_read",
        tags=["notifications"],
        request=ReadRequestSerializer,
        responses={200: UnreadCountSerializer},
    )
    def post(self, request: Request) -> Response:
        """Mark some as read, on all your devices. What waits to be sent about them is not sent any more."""
        given = ReadRequestSerializer.read(request)
        person = person_of(request)
        if given.get("ids", True):
            read_notifications(user=person, ids=given.get("ids", ()), up_to=given.get("up_to"))
        return Response(_unread(person))


def _unread(person: User) -> dict[str, int]:
    changes = changes_since(user=person, version=_NOTHING_SINCE)
    return {"unread": changes.unread, "version": changes.version}


class PreferencesView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_notification_preferences", tags=["notifications"], responses={200: PreferencesSerializer})
    def get(self, request: Request) -> Response:
        """When and how you are told things, and when something would be sent that came now."""
        return _answer(preferences_of(person_of(request)))

    @extend_schema(
        operation_id="set_notification_preferences",
        tags=["notifications"],
        request=PreferencesRequestSerializer,
        responses={200: PreferencesSerializer},
        examples=[OpenApiExample("Quiet nights and a digest in the morning", _NIGHT, request_only=True)],
    )
    def put(self, request: Request) -> Response:
        """Choose when and how you are told things. What you leave out takes its default: no quiet hours, each thing at once."""
        form = PreferencesRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return _answer(set_preferences(user=person_of(request), **form.to_columns()))


def _answer(preferences: Preferences) -> Response:
    choices = choices_of_person(preferences.user)
    return Response(PreferencesSerializer(preferences, context={"choices": choices}).data)
