"""Where a person is reached."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import person_of, session_of
from core.operations import APIView, GenericAPIView
from notifications.api.v1.serializers import (
    PhoneCodeSerializer,
    PhoneRequestSerializer,
    PhoneSerializer,
    PushDeviceRequestSerializer,
    PushDeviceSerializer,
)
from notifications.models import Phone, PushDevice
from notifications.selectors import push_devices_of
from notifications.services import addresses, reachability


class PushDevicesView(GenericAPIView[PushDevice]):
    permission_classes = (IsAuthenticated,)
    serializer_class = PushDeviceSerializer
    queryset = PushDevice.objects.none()
    filter_backends = ()

    @extend_schema(operation_id="list_push_devices", tags=["notifications"], responses={200: PushDeviceSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """The phones to which your pushes go."""
        page = self.paginate_queryset(push_devices_of(person_of(request)))
        return self.get_paginated_response(PushDeviceSerializer(page, many=True).data)

    @extend_schema(
        operation_id="register_push_device",
        tags=["notifications"],
        request=PushDeviceRequestSerializer,
        responses={200: PushDeviceSerializer, 201: PushDeviceSerializer},
    )
    def post(self, request: Request) -> Response:
        """Send pushes to this phone until it signs out. Calling it at each start of the app is right."""
        given = PushDeviceRequestSerializer.read(request)
        device, is_new = addresses.register_push_device(
            user=person_of(request), session_key=session_of(request), token=given["expo_push_token"], shows_text=given["shows_text"]
        )
        return Response(PushDeviceSerializer(device).data, status=201 if is_new else 200)


class PushDeviceView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="forget_push_device", tags=["notifications"], responses={204: None})
    def delete(self, request: Request, device_id: uuid.UUID) -> Response:
        """Send no more pushes to it."""
        addresses.forget_push_device(user=person_of(request), device_id=device_id)
        return Response(status=204)


class PhoneView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_phone", tags=["notifications"], responses={200: PhoneSerializer})
    def get(self, request: Request) -> Response:
        """Your number for text messages."""
        return Response(PhoneSerializer(get_object_or_404(Phone.objects.visible_to(person_of(request)))).data)

    @extend_schema(operation_id="set_phone", tags=["notifications"], request=PhoneRequestSerializer, responses={200: PhoneSerializer})
    def put(self, request: Request) -> Response:
        """Give a number. We send it a code, and use it once you told us the code."""
        phone = addresses.set_phone(user=person_of(request), number=PhoneRequestSerializer.read(request)["number"])
        return Response(PhoneSerializer(phone).data)

    @extend_schema(operation_id="forget_phone", tags=["notifications"], responses={204: None})
    def delete(self, request: Request) -> Response:
        """Send no more text messages."""
        addresses.forget_phone(user=person_of(request))
        return Response(status=204)


class PhoneConfirmationView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="confirm_phone", tags=["notifications"], request=PhoneCodeSerializer, responses={200: PhoneSerializer})
    def post(self, request: Request) -> Response:
        """Tell us the code, so that we know the phone is in your hands."""
        phone = addresses.confirm_phone(user=person_of(request), code=PhoneCodeSerializer.read(request)["code"])
        return Response(PhoneSerializer(phone).data)


class MailResumptionView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="resume_mail", tags=["notifications"], request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """Have e-mail sent to your address again, after it came back or was marked as spam."""
        reachability.resume_mail(user=person_of(request))
        return Response(status=204)
