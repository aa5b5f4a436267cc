from __future__ import annotations

from typing import Any

from accounts.api.v1.serializers.fields import BirthDateField
from accounts.api.v1.serializers.people import UserSerializer
from accounts.enums import Provider
from accounts.models import LinkedProvider
from core import serializers
from core.email_addresses import AddressField
from core.passwords import NewPasswordField, PasswordField
from core.person_names import NameSerializerField
from core.serializers import RequestSerializer
from core.time_zones import DetectedTimeZoneField


class RegistrationRequestSerializer(RequestSerializer):
    email = AddressField()
    password = NewPasswordField()
    full_name = NameSerializerField()
    birth_date = BirthDateField(required=False)
    time_zone = DetectedTimeZoneField(required=False, help_text="As the device reports it. An unknown one counts as UTC.")


class RegisteredPersonSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField()
    full_name = serializers.CharField()
    is_email_verified = serializers.BooleanField()


class RegistrationSerializer(serializers.Serializer[Any]):
    """The same for known and unknown addresses."""

    user = RegisteredPersonSerializer()


class AddressRequestSerializer(RequestSerializer):
    email = AddressField()


class MailedSerializer(serializers.Serializer[Any]):
    """The same for known and unknown addresses: what comes next is in the mail."""

    email = serializers.EmailField()


class KeyRequestSerializer(RequestSerializer):
    key = serializers.CharField(max_length=200, help_text="From the link, or the code, of the mail.")


class VerificationRequestSerializer(KeyRequestSerializer):
    password = NewPasswordField(
        required=False, help_text="The one chosen when registering, or another one. Not needed in the browser or app that registered."
    )


class VerifiedEmailSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField()
    is_email_verified = serializers.BooleanField()
    password_key = serializers.CharField(
        required=False, help_text="Only if the password was dropped: the key with which to choose one (`auth/password/reset/confirm`)."
    )


class LoginRequestSerializer(RequestSerializer):
    email = AddressField()
    password = PasswordField()
    mfa_code = serializers.CharField(max_length=40, required=False)


class CodeLoginRequestSerializer(KeyRequestSerializer):
    mfa_code = serializers.CharField(max_length=40, required=False)


class SecondFactorLoginRequestSerializer(RequestSerializer):
    session_token = serializers.CharField(max_length=100, help_text="From the answer `mfa_required`.")
    mfa_code = serializers.CharField(max_length=40)


class ProofSerializer(RequestSerializer):
    """What the provider gave the app: an `id_token`, an `access_token`, or a `code` with its `redirect_uri`."""

    id_token = serializers.CharField(max_length=16_000, required=False)
    nonce = serializers.CharField(max_length=200, required=False)
    access_token = serializers.CharField(max_length=16_000, required=False)
    code = serializers.CharField(max_length=4_000, required=False)
    redirect_uri = serializers.CharField(max_length=2_000, required=False)
    code_verifier = serializers.CharField(max_length=200, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not {"id_token", "access_token", "code"} & attrs.keys():
            raise serializers.ValidationError({"id_token": "Send an id_token, an access_token or a code."}, code="required")
        if "code" in attrs and "redirect_uri" not in attrs:
            raise serializers.ValidationError({"redirect_uri": "A code needs the redirect_uri that it was sent to."}, code="required")
        return attrs


class SocialLoginRequestSerializer(ProofSerializer):
    full_name = serializers.CharField(max_length=150, required=False, help_text="Apple tells it to the app, and only the first time.")
    mfa_code = serializers.CharField(max_length=40, required=False)


class RefreshRequestSerializer(RequestSerializer):
    refresh_token = serializers.CharField(max_length=4096)


class TokensSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.CharField(default="Bearer")
    expires_in = serializers.IntegerField(help_text="Seconds until the access token ends.")
    user = UserSerializer()


class PasswordResetRequestSerializer(KeyRequestSerializer):
    password = NewPasswordField()


class PasswordChangeRequestSerializer(RequestSerializer):
    password = PasswordField(required=False, help_text="The present one, unless there is none yet.")
    new_password = NewPasswordField()


class ReauthenticationRequestSerializer(RequestSerializer):
    password = PasswordField(required=False)
    mfa_code = serializers.CharField(max_length=40, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError({"password": "Send the password or an mfa_code."}, code="required")
        return attrs


class PasskeyRequestSerializer(RequestSerializer):
    session_token = serializers.CharField(max_length=100)
    credential = serializers.DictField(help_text="What navigator.credentials.get() answered, as JSON.")


class PasskeyOptionsSerializer(serializers.Serializer[Any]):
    session_token = serializers.CharField()
    options = serializers.DictField(help_text="For navigator.credentials.get().")


class LinkedProviderSerializer(serializers.ModelSerializer[LinkedProvider]):
    provider = serializers.ChoiceField(choices=Provider.choices)

    class Meta:
        model = LinkedProvider
        fields = ("provider", "email", "last_used_at", "created_at")
        read_only_fields = fields


class WaysInSerializer(serializers.Serializer[Any]):
    """How this person can sign in, and which providers could be linked."""

    has_password = serializers.BooleanField()
    linked = LinkedProviderSerializer(many=True)
    available = serializers.ListField(child=serializers.ChoiceField(choices=Provider.choices))
