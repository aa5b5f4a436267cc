from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import person_of
from core.documents import MOST_BYTES
from core.operations import APIView, GenericAPIView
from core.parsers import UploadParser
from core.serializers import NoFieldsSerializer
from core.throttling import UploadThrottle
from mentors.api.v1.check_serializers import (
    CheckCodeSerializer,
    CheckDocumentSerializer,
    CheckRequestSerializer,
    DocumentRequestSerializer,
    OwnCheckSerializer,
)
from mentors.models import Check
from mentors.selectors import checks_of, own_profile
from mentors.services import documents, verification


def _own(request: Request, check_id: Any) -> Check:
    return get_object_or_404(checks_of(person_of(request)), pk=check_id)


class ChecksView(GenericAPIView[Check]):
    permission_classes = (IsAuthenticated,)
    serializer_class = OwnCheckSerializer
    queryset = Check.objects.none()
    filter_backends = ()

    @extend_schema(operation_id="list_own_checks", tags=["mentoring"], responses={200: OwnCheckSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """What was checked about you, what is under way, and how it ended; newest first."""
        page = self.paginate_queryset(checks_of(person_of(request)))
        return self.get_paginated_response(OwnCheckSerializer(page, many=True).data)

    @extend_schema(operation_id="request_check", tags=["mentoring"], request=CheckRequestSerializer, responses={201: OwnCheckSerializer})
    def post(self, request: Request) -> Response:
        """Begin a check. Add its evidence next, then submit it."""
        given = CheckRequestSerializer.read(request)
        check = verification.request_check(profile=own_profile(person_of(request)), **given)
        return Response(OwnCheckSerializer(check).data, status=201)


class CheckView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_own_check", tags=["mentoring"], responses={200: OwnCheckSerializer})
    def get(self, request: Request, check_id: Any) -> Response:
        """One of your checks."""
        return Response(OwnCheckSerializer(_own(request, check_id)).data)

    @extend_schema(operation_id="withdraw_check", tags=["mentoring"], responses={200: OwnCheckSerializer})
    def delete(self, request: Request, check_id: Any) -> Response:
        """Take a check back. Its documents are deleted; a badge goes at once."""
        verification.withdraw_check(check=_own(request, check_id))
        return Response(OwnCheckSerializer(_own(request, check_id)).data)


class CheckDocumentsView(APIView):
    permission_classes = (IsAuthenticated,)
    parser_classes = (UploadParser,)
    throttle_classes = (*APIView.throttle_classes, UploadThrottle)
    largest_upload = MOST_BYTES

    @extend_schema(
        operation_id="add_check_document",
        tags=["mentoring"],
        request={"multipart/form-data": DocumentRequestSerializer},
        responses={201: CheckDocumentSerializer},
    )
    def post(self, request: Request, check_id: Any) -> Response:
        """Add a document. Only staff who review see it, and it is deleted once they have decided."""
        check = _own(request, check_id)
        file = DocumentRequestSerializer.read(request)["document"]
        document = documents.add_document(check=check, content=file.read())
        return Response(CheckDocumentSerializer(document).data, status=201)


class CheckDocumentView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="remove_check_document", tags=["mentoring"], responses={204: None})
    def delete(self, request: Request, check_id: Any, document_id: Any) -> Response:
        """Delete a document before you submit."""
        document = get_object_or_404(_own(request, check_id).documents.filter(is_stored=True), pk=document_id)
        documents.remove_document(document=document)
        return Response(status=204)


class CheckCodeView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="mail_check_code", tags=["mentoring"], request=NoFieldsSerializer, responses={202: None})
    def post(self, request: Request, check_id: Any) -> Response:
        """Send a code to the mailbox at work that you named."""
        NoFieldsSerializer.read(request)
        verification.mail_code(check=_own(request, check_id))
        return Response(status=202)

    @extend_schema(operation_id="confirm_check_code", tags=["mentoring"], request=CheckCodeSerializer, responses={200: OwnCheckSerializer})
    def put(self, request: Request, check_id: Any) -> Response:
        """Prove with the code that the mailbox is yours."""
        code = CheckCodeSerializer.read(request)["code"]
        verification.confirm_code(check=_own(request, check_id), code=code)
        return Response(OwnCheckSerializer(_own(request, check_id)).data)


class SubmitCheckView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="submit_check", tags=["mentoring"], request=NoFieldsSerializer, responses={200: OwnCheckSerializer})
    def post(self, request: Request, check_id: Any) -> Response:
        """Ask staff to look at the evidence."""
        NoFieldsSerializer.read(request)
        verification.submit_check(check=_own(request, check_id))
        return Response(OwnCheckSerializer(_own(request, check_id)).data)
