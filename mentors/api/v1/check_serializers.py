from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field

from core import serializers
from core.serializers import RequestSerializer
from mentors.enums import CheckKind, CheckScope, Evidence
from mentors.models import Check, CheckDocument
from mentors.selectors import badge_text


class CheckRequestSerializer(RequestSerializer):
    kind = serializers.ChoiceField(choices=CheckKind.choices)
    scope = serializers.ChoiceField(choices=CheckScope.choices, default=CheckScope.GENERAL)
    statement = serializers.CharField(
        max_length=200, allow_blank=True, default="", help_text="The employer, the degree, or who recommends; it stands on the badge."
    )
    contact = serializers.CharField(
        max_length=254, allow_blank=True, default="", help_text="Your mailbox at work, or how to reach who recommends. Never shown."
    )


class CheckCodeSerializer(RequestSerializer):
    code = serializers.CharField(max_length=20)


class DocumentRequestSerializer(RequestSerializer):
    document = serializers.FileField(help_text="A PDF, JPEG, PNG or WebP of up to 10 MB.")


class CheckDocumentSerializer(serializers.ModelSerializer[CheckDocument]):
    class Meta:
        model = CheckDocument
        fields = ("id", "content_type", "size", "created_at")
        read_only_fields = fields


class OwnCheckSerializer(serializers.ModelSerializer[Check]):
    """A check as its mentor sees it."""

    documents = serializers.SerializerMethodField(help_text="Deleted once it is decided.")
    is_mailbox_proven = serializers.SerializerMethodField()

    class Meta:
        model = Check
        fields = (
            *("id", "kind", "scope", "state", "statement", "contact", "is_mailbox_proven", "documents", "evidence"),
            *("submitted_at", "decided_at", "decision_note", "expires_at"),
        )
        read_only_fields = fields

    @extend_schema_field(CheckDocumentSerializer(many=True))
    def get_documents(self, check: Check) -> list[dict[str, Any]]:
        stored = [document for document in check.documents.all() if document.is_stored]
        return list(CheckDocumentSerializer(stored, many=True).data)

    def get_is_mailbox_proven(self, check: Check) -> bool:
        return bool(check.proven_domain)


class BadgeSerializer(serializers.ModelSerializer[Check]):
    """What was checked about a mentor, and counts now."""

    evidence = serializers.ChoiceField(choices=Evidence.choices)
    text = serializers.SerializerMethodField(help_text="What exactly was checked, by which evidence, when, and until when it counts.")

    class Meta:
        model = Check
        fields = ("kind", "scope", "statement", "evidence", "text", "decided_at", "expires_at")
        read_only_fields = fields

    def get_text(self, check: Check) -> str:
        return badge_text(check)
