from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field

from accounts.api.v1.serializers.fields import BirthDateField, HandleField, LanguageField
from accounts.enums import AgeBand, ErasureState, ExportState, Role
from accounts.models import Erasure, User
from accounts.models.people import MOST_LANGUAGES
from accounts.services.avatars import avatar_addresses
from core import serializers
from core.email_addresses import AddressField
from core.person_names import NameSerializerField
from core.serializers import QuerySerializer, RequestSerializer
from core.time_zones import TimeZoneField

_ACCESSIBILITY = ("reduced_motion", "captions", "screen_reader", "voice_first", "plain_language")


class AccessibilitySerializer(serializers.ModelSerializer[User]):
    """How this person wants to be served."""

    class Meta:
        model = User
        fields = _ACCESSIBILITY
        read_only_fields = fields


class _AvatarMixin(serializers.ModelSerializer[User]):
    avatar = serializers.SerializerMethodField()

    @extend_schema_field({"type": ["object", "null"], "additionalProperties": {"type": "string"}, "example": {"96": "/media/a-96.webp"}})
    def get_avatar(self, user: User) -> dict[str, str] | None:
        """Addresses by width in pixels."""
        return avatar_addresses(user)


class UserSerializer(_AvatarMixin):
    accessibility = AccessibilitySerializer(source="*")
    age_band = serializers.ChoiceField(choices=AgeBand.choices)
    is_staff = serializers.BooleanField()

    class Meta:
        model = User
        fields = (
            *("id", "email", "handle", "full_name", "bio", "languages", "birth_date", "age_band", "time_zone", "locale", "avatar"),
            *("accessibility", "role", "is_staff", "created_at"),
        )
        read_only_fields = fields


class PublicPersonSerializer(_AvatarMixin):
    """What one person sees of another."""

    class Meta:
        model = User
        fields = ("id", "handle", "full_name", "bio", "languages", "avatar", "role", "created_at")
        read_only_fields = fields


class StaffPersonSerializer(UserSerializer):
    """What staff see of a person: no disability facts, no address of the network."""

    class Meta(UserSerializer.Meta):
        fields = (  # type: ignore[assignment]
            *("id", "email", "handle", "full_name", "bio", "languages", "birth_date", "age_band", "time_zone", "locale", "avatar", "role"),
            *("is_staff", "is_active", "suspended_at", "suspension_reason", "erased_at", "last_login", "created_at", "updated_at"),
        )
        read_only_fields = fields  # type: ignore[assignment]


class AccessibilityRequestSerializer(RequestSerializer):
    reduced_motion = serializers.BooleanField(required=False)
    captions = serializers.BooleanField(required=False)
    screen_reader = serializers.BooleanField(required=False)
    voice_first = serializers.BooleanField(required=False)
    plain_language = serializers.BooleanField(required=False)


class AccountChangesSerializer(RequestSerializer):
    full_name = NameSerializerField(required=False)
    handle = HandleField(required=False, allow_null=True)
    bio = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    languages = serializers.ListField(child=LanguageField(), max_length=MOST_LANGUAGES, required=False)
    birth_date = BirthDateField(required=False)
    time_zone = TimeZoneField(required=False)
    locale = LanguageField(required=False)
    accessibility = AccessibilityRequestSerializer(required=False)

    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        return {name: value for name, value in found.items() if name != "accessibility"} | found.get("accessibility", {})


class EmailChangeRequestSerializer(RequestSerializer):
    email = AddressField()


class StaffCreationRequestSerializer(RequestSerializer):
    email = AddressField()
    full_name = NameSerializerField()
    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER)
    time_zone = TimeZoneField(required=False)
    locale = LanguageField(required=False)


class StaffChangesSerializer(RequestSerializer):
    full_name = NameSerializerField(required=False)
    handle = HandleField(required=False, allow_null=True)
    bio = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    birth_date = BirthDateField(required=False, allow_null=True)
    time_zone = TimeZoneField(required=False)
    locale = LanguageField(required=False)
    role = serializers.ChoiceField(choices=Role.choices, required=False)


class SuspensionRequestSerializer(RequestSerializer):
    reason = serializers.CharField(max_length=500)


class AvatarRequestSerializer(RequestSerializer):
    image = serializers.FileField(max_length=200)


class ErasureSerializer(serializers.ModelSerializer[Erasure]):
    """The account is closed now and erased at `due_at`; until then the key in the mail undoes it."""

    state = serializers.ChoiceField(choices=ErasureState.choices)

    class Meta:
        model = Erasure
        fields = ("id", "state", "due_at", "created_at")
        read_only_fields = fields


class ExportProgressSerializer(serializers.Serializer[Any]):
    """The archive is being made; ask again after `Retry-After` seconds."""

    state = serializers.ChoiceField(choices=ExportState.choices)
    progress = serializers.FloatField(help_text="0 to 1.")
    created_at = serializers.DateTimeField()


class PeopleQuerySerializer(QuerySerializer):
    q = serializers.CharField(max_length=200, required=False)
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    is_active = serializers.BooleanField(required=False)
