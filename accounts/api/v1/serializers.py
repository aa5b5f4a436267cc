from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers

from accounts.models import User, validate_time_zone
from core.serializers import RequestSerializer


class TimeZoneField(serializers.CharField):
    """An IANA time zone by place."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=64, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        name: str = super().to_internal_value(data)
        try:
            validate_time_zone(name)
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.messages[0], code="invalid_time_zone") from error
        return name


class UserSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "email", "full_name", "birth_date", "time_zone", "locale", "is_staff", "created_at")
        read_only_fields = fields


class RegistrationRequestSerializer(RequestSerializer):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(min_length=8, max_length=128, trim_whitespace=False, write_only=True)
    full_name = serializers.CharField(max_length=150)
    birth_date = serializers.DateField(required=False)
    time_zone = TimeZoneField(required=False)


class RegisteredPersonSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField()
    full_name = serializers.CharField()
    is_email_verified = serializers.BooleanField()


class RegistrationSerializer(serializers.Serializer[Any]):
    """The same for known and unknown addresses."""

    user = RegisteredPersonSerializer()


class VerifyEmailRequestSerializer(RequestSerializer):
    key = serializers.CharField(max_length=500)


class VerifiedEmailSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField()
    is_email_verified = serializers.BooleanField()


class LoginRequestSerializer(RequestSerializer):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=128, trim_whitespace=False, write_only=True)


class RefreshRequestSerializer(RequestSerializer):
    refresh_token = serializers.CharField(max_length=4096)


class TokensSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.CharField(default="Bearer")
    expires_in = serializers.IntegerField(help_text="Seconds until the access token ends.")
    user = UserSerializer()


class AccountChangesSerializer(RequestSerializer):
    full_name = serializers.CharField(max_length=150, required=False)
    birth_date = serializers.DateField(required=False, allow_null=True)
    time_zone = TimeZoneField(required=False)
    locale = serializers.RegexField(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z", max_length=16, required=False)
