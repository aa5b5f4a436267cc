from __future__ import annotations

from typing import Any

from accounts.api.v1.serializers.fields import BirthDateField
from accounts.api.v1.serializers.people import PublicPersonSerializer, UserSerializer
from accounts.enums import ConsentPurpose, DeviceKind, GuardianshipState, SecurityEventKind
from accounts.models import Block, Device, Guardianship, SecurityEvent
from core import serializers
from core.email_addresses import AddressField
from core.person_names import NameSerializerField
from core.serializers import RequestSerializer


class DeviceSerializer(serializers.ModelSerializer[Device]):
    kind = serializers.ChoiceField(choices=DeviceKind.choices)
    is_current = serializers.SerializerMethodField()

    class Meta:
        model = Device
        fields = ("id", "kind", "name", "ip_address", "is_current", "last_used_at", "created_at")
        read_only_fields = fields

    def get_is_current(self, device: Device) -> bool:
        return bool(device.session_key == self.context.get("session_key"))


class SecurityEventSerializer(serializers.ModelSerializer[SecurityEvent]):
    kind = serializers.ChoiceField(choices=SecurityEventKind.choices)
    text = serializers.CharField(source="get_kind_display")

    class Meta:
        model = SecurityEvent
        fields = ("id", "kind", "text", "detail", "device_name", "ip_address", "created_at")
        read_only_fields = fields


class FactorSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=("totp", "recovery_codes", "webauthn"))
    name = serializers.CharField()
    codes_left = serializers.IntegerField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class FactorListSerializer(serializers.Serializer[Any]):
    factors = FactorSerializer(many=True)


class EnrolmentSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField()
    address = serializers.CharField(help_text="For a QR code.")


class CodeRequestSerializer(RequestSerializer):
    code = serializers.CharField(max_length=40)


class RecoveryCodeListSerializer(serializers.Serializer[Any]):
    """Shown now and never again. Each works once."""

    recovery_codes = serializers.ListField(child=serializers.CharField())


class PasskeyCreationOptionsSerializer(serializers.Serializer[Any]):
    options = serializers.DictField(help_text="For navigator.credentials.create().")


class PasskeyCreationRequestSerializer(RequestSerializer):
    name = serializers.CharField(max_length=100)
    credential = serializers.DictField(help_text="What navigator.credentials.create() answered, as JSON.")


class ConsentTextSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    title = serializers.CharField()
    text = serializers.CharField()


class ConsentSerializer(serializers.Serializer[Any]):
    purpose = serializers.ChoiceField(choices=ConsentPurpose.choices, source="text.purpose")
    is_granted = serializers.BooleanField()
    is_decided = serializers.BooleanField(help_text="On the present text.")
    decided_at = serializers.DateTimeField(source="decision.created_at", default=None, allow_null=True)
    source = serializers.CharField(source="decision.source", default=None, allow_null=True)  # type: ignore[assignment]
    text = ConsentTextSerializer()


class ConsentListSerializer(serializers.Serializer[Any]):
    consents = ConsentSerializer(many=True)


class ConsentRequestSerializer(RequestSerializer):
    purpose = serializers.ChoiceField(choices=ConsentPurpose.choices)
    is_granted = serializers.BooleanField()
    text_version = serializers.IntegerField(min_value=1, max_value=32_767, help_text="Of the text that was shown.")


class BlockSerializer(serializers.ModelSerializer[Block]):
    person = PublicPersonSerializer(source="blocked")

    class Meta:
        model = Block
        fields = ("person", "created_at")
        read_only_fields = fields


class BlockRequestSerializer(RequestSerializer):
    user_id = serializers.UUIDField()


class GuardianshipSerializer(serializers.ModelSerializer[Guardianship]):
    state = serializers.ChoiceField(choices=GuardianshipState.choices)
    guardian_name = serializers.CharField(source="guardian.full_name", default=None, allow_null=True)

    class Meta:
        model = Guardianship
        fields = ("id", "state", "guardian_email", "guardian_name", "accepted_at", "created_at")
        read_only_fields = fields


class GuardianshipsSerializer(serializers.Serializer[Any]):
    guardians = GuardianshipSerializer(many=True)


class WardSerializer(serializers.ModelSerializer[Guardianship]):
    person = UserSerializer(source="ward")

    class Meta:
        model = Guardianship
        fields = ("id", "person", "accepted_at")
        read_only_fields = fields


class WardListSerializer(serializers.Serializer[Any]):
    wards = WardSerializer(many=True)


class GuardianInvitationRequestSerializer(RequestSerializer):
    email = AddressField()


class HandOverRequestSerializer(RequestSerializer):
    email = AddressField(help_text="Of the person whose profile it is.")


class GuardianKeySerializer(RequestSerializer):
    key = serializers.CharField(max_length=200, help_text="From the link, or the code, of the mail.")


class WardRequestSerializer(RequestSerializer):
    full_name = NameSerializerField()
    birth_date = BirthDateField()
