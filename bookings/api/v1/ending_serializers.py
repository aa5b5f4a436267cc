from __future__ import annotations

from drf_spectacular.utils import extend_schema_field

from bookings import policies
from bookings.enums import BookingState, EndingBasis
from bookings.models import Appeal, AppealEvidence, Booking, Statement
from core import serializers
from core.serializers import RequestSerializer


class EvidenceRequestSerializer(RequestSerializer):
    document = serializers.FileField(help_text="A PDF, JPEG, PNG or WebP of up to 10 MB.")


class AppealEvidenceSerializer(serializers.ModelSerializer[AppealEvidence]):
    class Meta:
        model = AppealEvidence
        fields = ("id", "content_type", "size", "created_at")
        read_only_fields = fields


class AppealSerializer(serializers.ModelSerializer[Appeal]):
    """One side's account, for the two and for staff."""

    evidence = AppealEvidenceSerializer(many=True)

    class Meta:
        model = Appeal
        fields = ("side", "text", "state", "created_at", "decided_at", "decision_note", "evidence")
        read_only_fields = fields


class StatementSerializer(serializers.ModelSerializer[Statement]):
    """What one side said about how it went."""

    class Meta:
        model = Statement
        fields = ("side", "says", "said_at", "note")
        read_only_fields = fields


class EndingSerializer(serializers.Serializer[Booking]):
    """How the session went: what is said, what it counts as, and until when that can be contested. Money moves, reviews open and strikes
    count once it is final."""

    statements = StatementSerializer(many=True)
    basis = serializers.ChoiceField(
        choices=EndingBasis.choices, allow_blank=True, help_text="Why it counts as it does; empty while it is open."
    )
    contest_until = serializers.DateTimeField(
        allow_null=True, help_text="Until then `appeal` is possible for the side that did not say so."
    )
    becomes = serializers.SerializerMethodField(
        help_text="The state that it gets, or keeps, if nobody contests it and the video record shows nothing else; null while nobody has "
        "said anything, or once staff have to decide."
    )
    final_at = serializers.DateTimeField(allow_null=True)
    appeals = AppealSerializer(many=True)

    @extend_schema_field(serializers.ChoiceField(choices=BookingState.choices, allow_null=True))
    def get_becomes(self, booking: Booking) -> str | None:
        return policies.becomes(booking)
