from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors
from accounts.api.v1.serializers import people as forms
from accounts.api.v1.serializers.sign_in import KeyRequestSerializer, MailedSerializer, VerifiedEmailSerializer
from accounts.api.v1.views.sign_in import PublicView
from accounts.enums import ExportState
from accounts.models import User
from accounts.policies import can_manage_people
from accounts.selectors import person_of, session_of
from accounts.services import avatars, erasing, exporting, profile, staff
from core import auditing
from core.errors import BodyTooLarge, NotFound
from core.operations import APIView, GenericAPIView
from core.parsers import UploadParser
from core.throttling import UploadThrottle

_ASK_AGAIN_SECONDS = 2


class StaffOnly(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return can_manage_people(request.user)


class MeView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_me", tags=["people"], responses={200: forms.UserSerializer})
    def get(self, request: Request) -> Response:
        """Your own account."""
        return Response(forms.UserSerializer(person_of(request)).data)

    @extend_schema(operation_id="change_me", tags=["people"], request=forms.AccountChangesSerializer, responses={200: forms.UserSerializer})
    def patch(self, request: Request) -> Response:
        """Change your own account. The birth date is asked once."""
        changes = forms.AccountChangesSerializer.read(request)
        return Response(forms.UserSerializer(profile.update_profile(user=person_of(request), changes=changes)).data)

    @extend_schema(operation_id="erase_me", tags=["people"], responses={202: forms.ErasureSerializer})
    def delete(self, request: Request) -> Response:
        """Have everything about you erased. You are signed out everywhere now; until `due_at` the key in the mail undoes it."""
        return Response(forms.ErasureSerializer(erasing.request_erasure(user=person_of(request))).data, status=202)


class UndoErasureView(PublicView):
    @extend_schema(operation_id="undo_erasure", tags=["sign-in"], request=KeyRequestSerializer, responses={200: VerifiedEmailSerializer})
    def post(self, request: Request) -> Response:
        """Keep the account after all, with the key from the mail."""
        user = erasing.undo_erasure(request=request._request, **KeyRequestSerializer.read(request))
        return Response(VerifiedEmailSerializer({"email": user.email, "is_email_verified": True}).data)


class EmailChangeView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="change_email", tags=["safety"], request=forms.EmailChangeRequestSerializer, responses={202: MailedSerializer}
    )
    def post(self, request: Request) -> Response:
        """Change your address. The old one stays until the new one is proven with the mailed key. Needs a fresh sign-in."""
        fields = forms.EmailChangeRequestSerializer.read(request)
        profile.request_email_change(request=request._request, user=person_of(request), session_key=session_of(request), **fields)
        return Response(MailedSerializer(fields).data, status=202)


class AvatarView(APIView):
    permission_classes = (IsAuthenticated,)
    parser_classes = (UploadParser,)
    throttle_classes = (*APIView.throttle_classes, UploadThrottle)
    largest_upload = avatars.MOST_BYTES

    @extend_schema(
        operation_id="set_avatar",
        tags=["people"],
        request={"multipart/form-data": forms.AvatarRequestSerializer},
        responses={200: forms.UserSerializer},
    )
    def put(self, request: Request) -> Response:
        """Set your picture: a JPEG, PNG, WebP or GIF of up to 5 MB. It is cut square, and everything but the pixels is dropped.

        It may have 40 megapixels, or 12 where it is a WebP or a progressive JPEG.
        """
        image = forms.AvatarRequestSerializer.read(request)["image"]
        if image.size > avatars.MOST_BYTES:
            raise BodyTooLarge
        return Response(forms.UserSerializer(avatars.set_avatar(user=person_of(request), content=image.read())).data)

    @extend_schema(operation_id="remove_avatar", tags=["people"], responses={204: None})
    def delete(self, request: Request) -> Response:
        """Remove your picture."""
        avatars.remove_avatar(user=person_of(request))
        return Response(status=204)


class ExportView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="export_me",
        tags=["people"],
        responses={
            (200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY, "The archive, with its schema in `schema.json`."),
            202: OpenApiResponse(forms.ExportProgressSerializer, "The archive is being made: ask again after `Retry-After` seconds."),
        },
    )
    def get(self, request: Request) -> FileResponse | Response:
        """Everything that is held about you, as one archive. The first call has it made; it answers 202 until it is ready."""
        export = exporting.request_export(user=person_of(request))
        if export.state == ExportState.READY:
            return FileResponse(
                exporting.open_archive(export), as_attachment=True, filename="soosh-export.zip", content_type="application/zip"
            )
        progress = export.parts_done / export.parts_total if export.parts_total else 0.0
        content = {"state": export.state, "progress": round(progress, 3), "created_at": export.created_at}
        return Response(forms.ExportProgressSerializer(content).data, status=202, headers={"Retry-After": str(_ASK_AGAIN_SECONDS)})


class PeopleView(GenericAPIView[User]):
    permission_classes = (StaffOnly,)
    filter_backends = ()
    serializer_class = forms.StaffPersonSerializer

    def get_queryset(self) -> QuerySet[User]:
        return User.objects.visible_to(self.request.user)

    @extend_schema(
        operation_id="list_people",
        tags=["people"],
        parameters=[forms.PeopleQuerySerializer],
        responses={200: forms.StaffPersonSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """Everybody, for staff. `q` is part of an address, a handle or a name."""
        asked = forms.PeopleQuerySerializer.read(request)
        wanted = {name: asked[name] for name in ("q", "role", "is_active") if name in asked}
        page = self.paginate_queryset(selectors.people_for_staff(**wanted))
        auditing.record(actor_id=person_of(request).pk, action="listed", thing=User)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="create_person",
        tags=["people"],
        request=forms.StaffCreationRequestSerializer,
        responses={201: forms.StaffPersonSerializer},
    )
    def post(self, request: Request) -> Response:
        """Create an account for somebody, for staff. They get a mail to choose a password."""
        fields = forms.StaffCreationRequestSerializer.read(request)
        return Response(forms.StaffPersonSerializer(staff.create_person(actor=person_of(request), **fields)).data, status=201)


def _person_for(request: Request, user_id: uuid.UUID) -> User:
    person = User.objects.visible_to(request.user).filter(pk=user_id).first()
    if person is None:
        raise NotFound
    return person


class PersonView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_person", tags=["people"], responses={200: forms.PublicPersonSerializer})
    def get(self, request: Request, user_id: uuid.UUID) -> Response:
        """What you may see of somebody. People under 18 have no public view."""
        person = _person_for(request, user_id)
        if person_of(request).is_staff and person.pk != person_of(request).pk:
            auditing.record(actor_id=person_of(request).pk, action="viewed", thing=person)
        return Response(forms.PublicPersonSerializer(person).data)


class ManagedPersonView(APIView):
    permission_classes = (StaffOnly,)

    @extend_schema(operation_id="read_account", tags=["people"], responses={200: forms.StaffPersonSerializer})
    def get(self, request: Request, user_id: uuid.UUID) -> Response:
        """Somebody's account, for staff. Looking is logged."""
        person = _person_for(request, user_id)
        auditing.record(actor_id=person_of(request).pk, action="viewed", thing=person)
        return Response(forms.StaffPersonSerializer(person).data)

    @extend_schema(
        operation_id="change_person", tags=["people"], request=forms.StaffChangesSerializer, responses={200: forms.StaffPersonSerializer}
    )
    def patch(self, request: Request, user_id: uuid.UUID) -> Response:
        """Change somebody's account, for staff."""
        changes = forms.StaffChangesSerializer.read(request)
        changed = staff.change_person(actor=person_of(request), person=_person_for(request, user_id), changes=changes)
        return Response(forms.StaffPersonSerializer(changed).data)

    @extend_schema(operation_id="erase_person", tags=["people"], responses={202: forms.ErasureSerializer})
    def delete(self, request: Request, user_id: uuid.UUID) -> Response:
        """Have somebody's data erased, for staff. They get the mail with the way back."""
        erasure = erasing.request_erasure(user=_person_for(request, user_id), actor=person_of(request))
        return Response(forms.ErasureSerializer(erasure).data, status=202)


class SuspensionView(APIView):
    permission_classes = (StaffOnly,)

    @extend_schema(
        operation_id="suspend_person",
        tags=["people"],
        request=forms.SuspensionRequestSerializer,
        responses={200: forms.StaffPersonSerializer},
    )
    def post(self, request: Request, user_id: uuid.UUID) -> Response:
        """Shut somebody out, for staff. Their sessions end at once, and they are told the reason."""
        fields = forms.SuspensionRequestSerializer.read(request)
        person = staff.suspend_person(actor=person_of(request), person=_person_for(request, user_id), **fields)
        return Response(forms.StaffPersonSerializer(person).data)


class ReinstatementView(APIView):
    permission_classes = (StaffOnly,)

    @extend_schema(operation_id="reinstate_person", tags=["people"], request=None, responses={200: forms.StaffPersonSerializer})
    def post(self, request: Request, user_id: uuid.UUID) -> Response:
        """Let somebody in again, for staff."""
        return Response(
            forms.StaffPersonSerializer(staff.reinstate_person(actor=person_of(request), person=_person_for(request, user_id))).data
        )
