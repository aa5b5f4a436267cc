from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.v1.serializers import safety as forms
from accounts.api.v1.serializers.sign_in import MailedSerializer, TokensSerializer
from accounts.enums import ConsentSource
from accounts.models import Block, Device, SecurityEvent
from accounts.providers.second_factors import factors_of
from accounts.selectors import person_of, session_of
from accounts.services import blocking, consents, devices, guardianship, second_factors
from core.operations import APIView, GenericAPIView


def _caller(request: Request) -> dict[str, Any]:
    """What services that ask for a fresh sign-in want to know."""
    return {"request": request._request, "user": person_of(request), "session_key": session_of(request)}


class DevicesView(GenericAPIView[Device]):
    permission_classes = (IsAuthenticated,)
    filter_backends = ()
    serializer_class = forms.DeviceSerializer

    def get_queryset(self) -> QuerySet[Device]:
        return Device.objects.visible_to(self.request.user)

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "session_key": session_of(self.request) if self.request.auth else ""}

    @extend_schema(operation_id="list_devices", tags=["safety"], responses={200: forms.DeviceSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """Where you are signed in, and when each device was last used."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(operation_id="end_other_devices", tags=["safety"], responses={204: None})
    def delete(self, request: Request) -> Response:
        """Sign out everywhere but here."""
        devices.end_other_devices(user=person_of(request), session_key=session_of(request), request=request._request)
        return Response(status=204)


class DeviceView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="end_device", tags=["safety"], responses={204: None})
    def delete(self, request: Request, device_id: uuid.UUID) -> Response:
        """Sign one device out. Its tokens die at once."""
        devices.end_device(user=person_of(request), device_id=device_id, request=request._request)
        return Response(status=204)


class SecurityLogView(GenericAPIView[SecurityEvent]):
    permission_classes = (IsAuthenticated,)
    filter_backends = ()
    serializer_class = forms.SecurityEventSerializer

    def get_queryset(self) -> QuerySet[SecurityEvent]:
        return SecurityEvent.objects.visible_to(self.request.user)

    @extend_schema(operation_id="list_security_events", tags=["safety"], responses={200: forms.SecurityEventSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """What happened to the safety of your account, newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class FactorsView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="list_factors", tags=["safety"], responses={200: forms.FactorListSerializer})
    def get(self, request: Request) -> Response:
        """Your authenticator app, recovery codes and passkeys."""
        return Response(forms.FactorListSerializer({"factors": factors_of(person_of(request))}).data)


class TotpView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="begin_totp", tags=["safety"], request=None, responses={200: forms.EnrolmentSerializer})
    def post(self, request: Request) -> Response:
        """Begin to add an authenticator app. Nothing changes until its first code is confirmed. Needs a fresh sign-in."""
        return Response(forms.EnrolmentSerializer(second_factors.begin_totp(**_caller(request))).data)

    @extend_schema(operation_id="remove_totp", tags=["safety"], responses={204: None})
    def delete(self, request: Request) -> Response:
        """Remove the authenticator app. Needs a fresh sign-in."""
        second_factors.remove_totp(**_caller(request))
        return Response(status=204)


class TotpConfirmView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="finish_totp", tags=["safety"], request=forms.CodeRequestSerializer, responses={200: forms.RecoveryCodeListSerializer}
    )
    def post(self, request: Request) -> Response:
        """Confirm the app with its first code. The answer holds the recovery codes."""
        codes = second_factors.finish_totp(**_caller(request), **forms.CodeRequestSerializer.read(request))
        return Response(forms.RecoveryCodeListSerializer({"recovery_codes": codes}).data)


class RecoveryCodesView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="make_recovery_codes", tags=["safety"], request=None, responses={200: forms.RecoveryCodeListSerializer})
    def post(self, request: Request) -> Response:
        """Make new recovery codes; the old ones are worthless from then on. Needs a fresh sign-in."""
        codes = second_factors.make_recovery_codes(**_caller(request))
        return Response(forms.RecoveryCodeListSerializer({"recovery_codes": codes}).data)


class PasskeysView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="begin_passkey", tags=["safety"], responses={200: forms.PasskeyCreationOptionsSerializer})
    def get(self, request: Request) -> Response:
        """Begin to add a passkey. Needs a fresh sign-in."""
        return Response(forms.PasskeyCreationOptionsSerializer({"options": second_factors.begin_passkey(**_caller(request))}).data)

    @extend_schema(
        operation_id="add_passkey",
        tags=["safety"],
        request=forms.PasskeyCreationRequestSerializer,
        responses={201: forms.RecoveryCodeListSerializer},
    )
    def post(self, request: Request) -> Response:
        """Add the passkey that the device made. With the first factor of all come recovery codes."""
        codes = second_factors.finish_passkey(**_caller(request), **forms.PasskeyCreationRequestSerializer.read(request))
        return Response(forms.RecoveryCodeListSerializer({"recovery_codes": codes}).data, status=201)


class PasskeyView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="remove_passkey", tags=["safety"], responses={204: None})
    def delete(self, request: Request, passkey_id: int) -> Response:
        """Remove a passkey. Needs a fresh sign-in."""
        second_factors.remove_passkey(**_caller(request), passkey_id=passkey_id)
        return Response(status=204)


class ConsentsView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="list_consents", tags=["people"], responses={200: forms.ConsentListSerializer})
    def get(self, request: Request) -> Response:
        """What you can agree to, the texts in force, and what you decided."""
        return Response(forms.ConsentListSerializer({"consents": consents.consents_of(person_of(request))}).data)

    @extend_schema(
        operation_id="decide_consent", tags=["people"], request=forms.ConsentRequestSerializer, responses={200: forms.ConsentSerializer}
    )
    def post(self, request: Request) -> Response:
        """Say yes or no. A no takes effect at once, and what was made of your data for this purpose is deleted."""
        fields = forms.ConsentRequestSerializer.read(request)
        consent = consents.decide(user=person_of(request), source=ConsentSource.SETTINGS, **fields)
        return Response(forms.ConsentSerializer(consent).data)


class WardConsentsView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="list_ward_consents", tags=["people"], responses={200: forms.ConsentListSerializer})
    def get(self, request: Request, ward_id: uuid.UUID) -> Response:
        """What was agreed to for somebody whose guardian you are."""
        ward = guardianship.ward_of(user=person_of(request), ward_id=ward_id)
        return Response(forms.ConsentListSerializer({"consents": consents.consents_of(ward)}).data)

    @extend_schema(
        operation_id="decide_ward_consent",
        tags=["people"],
        request=forms.ConsentRequestSerializer,
        responses={200: forms.ConsentSerializer},
    )
    def post(self, request: Request, ward_id: uuid.UUID) -> Response:
        """Say yes or no for somebody whose guardian you are."""
        user = person_of(request)
        ward = guardianship.ward_of(user=user, ward_id=ward_id)
        fields = forms.ConsentRequestSerializer.read(request)
        consent = consents.decide(user=ward, source=ConsentSource.GUARDIAN, decided_by=user, **fields)
        return Response(forms.ConsentSerializer(consent).data)


class BlocksView(GenericAPIView[Block]):
    permission_classes = (IsAuthenticated,)
    filter_backends = ()
    serializer_class = forms.BlockSerializer

    def get_queryset(self) -> QuerySet[Block]:
        return Block.objects.visible_to(self.request.user).select_related("blocked")

    @extend_schema(operation_id="list_blocks", tags=["people"], responses={200: forms.BlockSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """Whom you blocked."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="block_person", tags=["people"], request=forms.BlockRequestSerializer, responses={201: forms.BlockSerializer}
    )
    def post(self, request: Request) -> Response:
        """Block somebody. From now on neither of you meets the other anywhere; nobody is told."""
        fields = forms.BlockRequestSerializer.read(request)
        block = blocking.block_person(user=person_of(request), person_id=fields["user_id"])
        return Response(forms.BlockSerializer(block).data, status=201)


class BlockView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="unblock_person", tags=["people"], responses={204: None})
    def delete(self, request: Request, user_id: uuid.UUID) -> Response:
        """Take a block back."""
        blocking.unblock_person(user=person_of(request), person_id=user_id)
        return Response(status=204)


class GuardiansView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="list_guardians", tags=["people"], responses={200: forms.GuardianshipsSerializer})
    def get(self, request: Request) -> Response:
        """Your guardians, and whom you asked."""
        return Response(forms.GuardianshipsSerializer({"guardians": guardianship.guardianships_of(person_of(request))}).data)

    @extend_schema(
        operation_id="invite_guardian",
        tags=["people"],
        request=forms.GuardianInvitationRequestSerializer,
        responses={201: forms.GuardianshipSerializer},
    )
    def post(self, request: Request) -> Response:
        """Ask an adult by mail to be your guardian (13 to 17)."""
        fields = forms.GuardianInvitationRequestSerializer.read(request)
        made = guardianship.invite_guardian(request=request._request, user=person_of(request), **fields)
        return Response(forms.GuardianshipSerializer(made).data, status=201)


class GuardianView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="end_guardianship", tags=["people"], responses={204: None})
    def delete(self, request: Request, guardianship_id: uuid.UUID) -> Response:
        """End a guardianship, from either side."""
        guardianship.end_guardianship(user=person_of(request), guardianship_id=guardianship_id)
        return Response(status=204)


class WardsView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="list_wards", tags=["people"], responses={200: forms.WardListSerializer})
    def get(self, request: Request) -> Response:
        """For whom you answer."""
        return Response(forms.WardListSerializer({"wards": guardianship.wards_of(person_of(request))}).data)

    @extend_schema(
        operation_id="make_ward_profile", tags=["people"], request=forms.WardRequestSerializer, responses={201: forms.WardListSerializer}
    )
    def post(self, request: Request) -> Response:
        """Make a profile for a child under 13, who has no sign-in of their own."""
        user = person_of(request)
        guardianship.make_ward_profile(user=user, **forms.WardRequestSerializer.read(request))
        return Response(forms.WardListSerializer({"wards": guardianship.wards_of(user)}).data, status=201)


class WardAcceptanceView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="accept_guardianship",
        tags=["people"],
        request=forms.GuardianKeySerializer,
        responses={200: forms.GuardianshipSerializer},
    )
    def post(self, request: Request) -> Response:
        """Become somebody's guardian, with the key from the mail. You must be 18 and have told your birth date."""
        fields = forms.GuardianKeySerializer.read(request)
        made = guardianship.accept_guardianship(request=request._request, user=person_of(request), **fields)
        return Response(forms.GuardianshipSerializer(made).data)


class WardSessionView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="open_ward_session", tags=["people"], request=None, responses={200: TokensSerializer})
    def post(self, request: Request, ward_id: uuid.UUID) -> Response:
        """Tokens to use a child's profile together with the child."""
        pair = guardianship.open_ward_session(request=request._request, user=person_of(request), ward_id=ward_id)
        return Response(TokensSerializer(pair).data)


class WardGuardiansView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="invite_co_guardian",
        tags=["people"],
        request=forms.GuardianInvitationRequestSerializer,
        responses={201: forms.GuardianshipSerializer},
    )
    def post(self, request: Request, ward_id: uuid.UUID) -> Response:
        """Ask another adult by mail to manage a child's profile with you. Needs a fresh sign-in."""
        fields = forms.GuardianInvitationRequestSerializer.read(request)
        made = guardianship.invite_co_guardian(**_caller(request), ward_id=ward_id, **fields)
        return Response(forms.GuardianshipSerializer(made).data, status=201)


class WardHandOverView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="hand_over_ward", tags=["people"], request=forms.HandOverRequestSerializer, responses={202: MailedSerializer}
    )
    def post(self, request: Request, ward_id: uuid.UUID) -> Response:
        """Hand a profile that you manage over to its owner, from the 13th birthday on. They get a mail; with its key they choose a password
        at `auth/password/reset/confirm`, and sign in with that address from then on. You stay the guardian until they are 18. Needs a
        fresh sign-in."""
        fields = forms.HandOverRequestSerializer.read(request)
        guardianship.hand_over_profile(**_caller(request), ward_id=ward_id, **fields)
        return Response(MailedSerializer(fields).data, status=202)
