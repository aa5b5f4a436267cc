from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services
from accounts.api.v1.serializers import (
    AccountChangesSerializer,
    LoginRequestSerializer,
    RefreshRequestSerializer,
    RegistrationRequestSerializer,
    RegistrationSerializer,
    TokensSerializer,
    UserSerializer,
    VerifiedEmailSerializer,
    VerifyEmailRequestSerializer,
)
from accounts.selectors import person_of


class PublicView(APIView):
    """Sign-in itself: no token is needed, and a stale one does not get in the way."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def initialize_request(self, request, *args, **kwargs):  # type: ignore[no-untyped-def]
        # A signed-in staff session in the same browser must not turn a registration into a conflict.
        request.user = AnonymousUser()
        return super().initialize_request(request, *args, **kwargs)


class RegisterView(PublicView):
    @extend_schema(
        operation_id="register",
        tags=["sign-in"],
        request=RegistrationRequestSerializer,
        responses={201: RegistrationSerializer},
        examples=[
            OpenApiExample(
                "Ada registers",
                {"email": "ada@example.org", "password": "a long pass phrase", "full_name": "Ada Explorer", "time_zone": "Europe/Berlin"},
                request_only=True,
            ),
            OpenApiExample(
                "Ada is asked to look into her mail",
                {"user": {"email": "ada@example.org", "full_name": "Ada Explorer", "is_email_verified": False}},
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Register. The answer is the same whether or not the address is known; what to do next is in the mail."""
        form = RegistrationRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        fields = form.validated_data
        services.register_person(request=request._request, **fields)
        person = {"email": fields["email"], "full_name": fields["full_name"], "is_email_verified": False}
        return Response(RegistrationSerializer({"user": person}).data, status=201)


class VerifyEmailView(PublicView):
    @extend_schema(
        operation_id="verify_email", tags=["sign-in"], request=VerifyEmailRequestSerializer, responses={200: VerifiedEmailSerializer}
    )
    def post(self, request: Request) -> Response:
        """Prove that the address is yours, with the key from the mail."""
        form = VerifyEmailRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = services.verify_email(request=request._request, key=form.validated_data["key"])
        return Response(VerifiedEmailSerializer({"email": user.email, "is_email_verified": True}).data)


class LoginView(PublicView):
    @extend_schema(
        operation_id="log_in",
        tags=["sign-in"],
        request=LoginRequestSerializer,
        responses={200: TokensSerializer},
        examples=[OpenApiExample("Ada signs in", {"email": "ada@example.org", "password": "a long pass phrase"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Sign in with e-mail and password."""
        form = LoginRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(TokensSerializer(services.log_in(request=request._request, **form.validated_data)).data)


class RefreshView(PublicView):
    @extend_schema(operation_id="refresh_tokens", tags=["sign-in"], request=RefreshRequestSerializer, responses={200: TokensSerializer})
    def post(self, request: Request) -> Response:
        """Spend the refresh token for a new pair. Spending one twice ends the session."""
        form = RefreshRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(TokensSerializer(services.refresh_tokens(**form.validated_data)).data)


class LogoutView(PublicView):
    @extend_schema(operation_id="log_out", tags=["sign-in"], request=RefreshRequestSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """End the session."""
        form = RefreshRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        services.log_out(**form.validated_data)
        return Response(status=204)


class MeView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="read_me", tags=["people"], responses={200: UserSerializer})
    def get(self, request: Request) -> Response:
        """Your own account."""
        return Response(UserSerializer(person_of(request)).data)

    @extend_schema(operation_id="change_me", tags=["people"], request=AccountChangesSerializer, responses={200: UserSerializer})
    def patch(self, request: Request) -> Response:
        """Change your own account."""
        form = AccountChangesSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(UserSerializer(services.update_profile(user=person_of(request), changes=form.validated_data)).data)
