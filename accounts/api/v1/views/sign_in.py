from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.v1.serializers import sign_in as forms
from accounts.models import LinkedProvider
from accounts.selectors import person_of, session_of
from accounts.services import passwords, registration, sign_in, social
from accounts.services.address_proof import forget_registrant, remember_registrant
from core.operations import APIView


class PublicView(APIView):
    """Sign-in itself: no token is needed, and a stale one does not get in the way."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        # A signed-in staff session in the same browser must not turn a registration into a conflict.
        request.user = AnonymousUser()
        return super().initialize_request(request, *args, **kwargs)


class RegisterView(PublicView):
    @extend_schema(
        operation_id="register",
        tags=["sign-in"],
        request=forms.RegistrationRequestSerializer,
        responses={201: forms.RegistrationSerializer},
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
        """Register. The answer is the same whether or not the address is known; what to do next is in the mail. The cookie of the answer
        says when confirming that it is you who registered; a client without cookies is known by its network and `User-Agent`, or sends the
        password again then."""
        fields = forms.RegistrationRequestSerializer.read(request)
        secret = registration.register_person(request=request._request, **fields)
        person = {"email": fields["email"], "full_name": fields["full_name"], "is_email_verified": False}
        response = Response(forms.RegistrationSerializer({"user": person}).data, status=201)
        remember_registrant(response, secret)
        return response


class VerifyEmailView(PublicView):
    @extend_schema(
        operation_id="verify_email",
        tags=["sign-in"],
        request=forms.VerificationRequestSerializer,
        responses={200: forms.VerifiedEmailSerializer},
    )
    def post(self, request: Request) -> Response:
        """Prove that an address is yours, with the link's key or the code from the mail: after registering, or to change it.

        Whoever confirms owns the account. The password of the registration stays if it is sent too, or in the client that registered
        (by its cookie, or by its network and `User-Agent`); otherwise it is dropped, and the answer holds a `password_key` to choose
        one. A change of address is confirmed with the access token of the account, or with its password.
        """
        fields = forms.VerificationRequestSerializer.read(request)
        proven = registration.verify_email(request=request._request, is_app=True, **fields)
        content = {"email": proven.user.email, "is_email_verified": True}
        if proven.password_key:
            content["password_key"] = proven.password_key
        response = Response(forms.VerifiedEmailSerializer(content).data)
        forget_registrant(response)
        return response


class ResendVerificationView(PublicView):
    @extend_schema(
        operation_id="resend_verification",
        tags=["sign-in"],
        request=forms.AddressRequestSerializer,
        responses={200: forms.MailedSerializer},
    )
    def post(self, request: Request) -> Response:
        """Have the verification mail sent again. The answer is the same for every address."""
        fields = forms.AddressRequestSerializer.read(request)
        registration.resend_verification(request=request._request, **fields)
        return Response(forms.MailedSerializer(fields).data)


class LoginView(PublicView):
    @extend_schema(
        operation_id="log_in",
        tags=["sign-in"],
        request=forms.LoginRequestSerializer,
        responses={200: forms.TokensSerializer},
        examples=[OpenApiExample("Ada signs in", {"email": "ada@example.org", "password": "a long pass phrase"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Sign in with e-mail and password. With a second step the answer is 401 `mfa_required`: send both again with `mfa_code`."""
        pair = sign_in.log_in(request=request._request, **forms.LoginRequestSerializer.read(request))
        return Response(forms.TokensSerializer(pair).data)


class SecondFactorLoginView(PublicView):
    @extend_schema(
        operation_id="log_in_with_second_factor",
        tags=["sign-in"],
        request=forms.SecondFactorLoginRequestSerializer,
        responses={200: forms.TokensSerializer},
    )
    def post(self, request: Request) -> Response:
        """Finish any sign-in that answered `mfa_required`, with the `session_token` of that answer."""
        pair = sign_in.log_in_with_second_factor(request=request._request, **forms.SecondFactorLoginRequestSerializer.read(request))
        return Response(forms.TokensSerializer(pair).data)


class LoginCodeView(PublicView):
    @extend_schema(
        operation_id="request_login_code",
        tags=["sign-in"],
        request=forms.AddressRequestSerializer,
        responses={200: forms.MailedSerializer},
    )
    def post(self, request: Request) -> Response:
        """Have a code mailed that signs you in without a password. The answer is the same for every address."""
        fields = forms.AddressRequestSerializer.read(request)
        sign_in.request_login_code(request=request._request, **fields)
        return Response(forms.MailedSerializer(fields).data)


class CodeLoginView(PublicView):
    @extend_schema(
        operation_id="log_in_with_code",
        tags=["sign-in"],
        request=forms.CodeLoginRequestSerializer,
        responses={200: forms.TokensSerializer},
    )
    def post(self, request: Request) -> Response:
        """Sign in with the mailed code, or the key of its link."""
        pair = sign_in.log_in_with_code(request=request._request, **forms.CodeLoginRequestSerializer.read(request))
        return Response(forms.TokensSerializer(pair).data)


class PasskeyLoginView(PublicView):
    @extend_schema(operation_id="begin_passkey_login", tags=["sign-in"], responses={200: forms.PasskeyOptionsSerializer})
    def get(self, request: Request) -> Response:
        """Begin to sign in with a passkey."""
        return Response(forms.PasskeyOptionsSerializer(sign_in.begin_passkey_sign_in(request=request._request)).data)

    @extend_schema(
        operation_id="log_in_with_passkey",
        tags=["sign-in"],
        request=forms.PasskeyRequestSerializer,
        responses={200: forms.TokensSerializer},
    )
    def post(self, request: Request) -> Response:
        """Sign in with the passkey's answer."""
        pair = sign_in.finish_passkey_sign_in(request=request._request, **forms.PasskeyRequestSerializer.read(request))
        return Response(forms.TokensSerializer(pair).data)


class SocialLoginView(PublicView):
    @extend_schema(
        operation_id="log_in_with_provider",
        tags=["sign-in"],
        request=forms.SocialLoginRequestSerializer,
        responses={200: forms.TokensSerializer},
    )
    def post(self, request: Request, provider: str) -> Response:
        """Sign in, or register, with Google, Apple or LinkedIn (`google`, `apple`, `linkedin`)."""
        pair = social.log_in_with_provider(request=request._request, provider=provider, **forms.SocialLoginRequestSerializer.read(request))
        return Response(forms.TokensSerializer(pair).data)


class WaysInView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="list_ways_in", tags=["safety"], responses={200: forms.WaysInSerializer})
    def get(self, request: Request) -> Response:
        """How you can sign in, and which providers you could link."""
        user = person_of(request)
        linked = LinkedProvider.objects.visible_to(user)
        available = [name for name, setup in settings.SIGN_IN_PROVIDERS.items() if setup["client_ids"]]
        content = {"has_password": user.has_usable_password(), "linked": linked, "available": available}
        return Response(forms.WaysInSerializer(content).data)


class LinkProviderView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="link_provider", tags=["safety"], request=forms.ProofSerializer, responses={200: forms.LinkedProviderSerializer}
    )
    def post(self, request: Request, provider: str) -> Response:
        """Link a provider. Needs a fresh sign-in."""
        proof = forms.ProofSerializer.read(request)
        link = social.link_provider(
            request=request._request, user=person_of(request), session_key=session_of(request), provider=provider, **proof
        )
        return Response(forms.LinkedProviderSerializer(link).data)

    @extend_schema(operation_id="unlink_provider", tags=["safety"], request=None, responses={204: None})
    def delete(self, request: Request, provider: str) -> Response:
        """Unlink a provider. Your last way to sign in stays. Needs a fresh sign-in."""
        social.unlink_provider(request=request._request, user=person_of(request), session_key=session_of(request), provider=provider)
        return Response(status=204)


class RefreshView(PublicView):
    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        self.arrived_at = timezone.now()
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        operation_id="refresh_tokens", tags=["sign-in"], request=forms.RefreshRequestSerializer, responses={200: forms.TokensSerializer}
    )
    def post(self, request: Request) -> Response:
        """Spend the refresh token for a new pair. An old one used again revokes the family: the device is signed out.

        Of several requests with one token at the same time one wins, the others get 409 `refresh_race`. A client whose answer was lost
        may send the same token again 5 to 20 seconds later, and gets the same new refresh token as before. This works only as long as
        neither token of the new pair was ever used.
        """
        pair = sign_in.refresh_tokens(arrived_at=self.arrived_at, **forms.RefreshRequestSerializer.read(request))
        return Response(forms.TokensSerializer(pair).data)


class LogoutView(PublicView):
    @extend_schema(operation_id="log_out", tags=["sign-in"], request=forms.RefreshRequestSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """End the session."""
        sign_in.log_out(**forms.RefreshRequestSerializer.read(request))
        return Response(status=204)


class PasswordResetView(PublicView):
    @extend_schema(
        operation_id="request_password_reset",
        tags=["sign-in"],
        request=forms.AddressRequestSerializer,
        responses={200: forms.MailedSerializer},
    )
    def post(self, request: Request) -> Response:
        """Have a link and a code for a new password mailed. The answer is the same for every address."""
        fields = forms.AddressRequestSerializer.read(request)
        passwords.request_password_reset(request=request._request, **fields)
        return Response(forms.MailedSerializer(fields).data)


class PasswordResetConfirmView(PublicView):
    @extend_schema(
        operation_id="reset_password",
        tags=["sign-in"],
        request=forms.PasswordResetRequestSerializer,
        responses={200: forms.VerifiedEmailSerializer},
    )
    def post(self, request: Request) -> Response:
        """Choose a new password with the link's key or the code from the mail. Every session ends."""
        user = passwords.reset_password(request=request._request, **forms.PasswordResetRequestSerializer.read(request))
        return Response(forms.VerifiedEmailSerializer({"email": user.email, "is_email_verified": True}).data)


class PasswordChangeView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="change_password",
        tags=["safety"],
        request=forms.PasswordChangeRequestSerializer,
        responses={200: forms.TokensSerializer},
    )
    def post(self, request: Request) -> Response:
        """Change the password, or set the first one. Every session ends; this device gets new tokens."""
        pair = passwords.change_password(
            request=request._request,
            user=person_of(request),
            session_key=session_of(request),
            **forms.PasswordChangeRequestSerializer.read(request),
        )
        return Response(forms.TokensSerializer(pair).data)


class ReauthenticateView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="reauthenticate", tags=["safety"], request=forms.ReauthenticationRequestSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Prove once more that it is you. For five minutes sensitive changes need no further proof."""
        fields = forms.ReauthenticationRequestSerializer.read(request)
        sign_in.reauthenticate(request=request._request, user=person_of(request), session_key=session_of(request), **fields)
        return Response(status=204)
