from __future__ import annotations

from core import serializers
from core.serializers import RequestSerializer
from mentors.enums import ReportReason
from mentors.models import Review
from mentors.models.reviews import BEST, HIGHEST_PRIVATE, WORST
from mentors.selectors import first_name


class ReviewRequestSerializer(RequestSerializer):
    rating = serializers.IntegerField(min_value=WORST, max_value=BEST, help_text="Stars that everybody sees.")
    text = serializers.CharField(max_length=3_000, allow_blank=True, default="")
    private_score = serializers.IntegerField(
        min_value=0,
        max_value=HIGHEST_PRIVATE,
        allow_null=True,
        default=None,
        help_text="How likely you are to recommend them, 0 to 10. Nobody sees it; it only helps us to rank.",
    )


class BookingReviewRequestSerializer(ReviewRequestSerializer):
    booking_id = serializers.UUIDField(help_text="The session that you attended.")


class ReplyRequestSerializer(RequestSerializer):
    text = serializers.CharField(max_length=2_000, allow_blank=True, help_text="Empty takes the reply back.")


class ReportRequestSerializer(RequestSerializer):
    reason = serializers.ChoiceField(choices=ReportReason.choices)
    note = serializers.CharField(max_length=1_000, allow_blank=True, default="")


class ReviewSerializer(serializers.ModelSerializer[Review]):
    """A review as everybody may read it."""

    author_name = serializers.SerializerMethodField(help_text="The first name; empty for somebody who is gone.")

    class Meta:
        model = Review
        fields = ("id", "author_name", "rating", "text", "written_at", "edited_at", "reply", "replied_at")
        read_only_fields = fields

    def get_author_name(self, review: Review) -> str:
        return first_name(review.author)


class OwnReviewSerializer(serializers.ModelSerializer[Review]):
    """A review as its author sees it."""

    booking_id = serializers.UUIDField(source="reference")
    mentor_id = serializers.UUIDField(source="profile_id")
    about_name = serializers.CharField(source="about.full_name")

    class Meta:
        model = Review
        fields = (
            *("id", "booking_id", "mentor_id", "about_name", "is_of_mentor", "state", "rating", "text", "private_score"),
            *("session_ended_at", "closes_at", "written_at", "visible_at", "edited_at"),
        )
        read_only_fields = fields
