from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from core.models import BaseModel
from mentors.enums import ReportReason, ReviewSignal, ReviewState
from mentors.models.profiles import MentorProfile
from mentors.querysets import ReviewQuerySet

WORST, BEST = 1, 5
HIGHEST_PRIVATE = 10


class Review(BaseModel):
    """What one of two people says about the other after a session. The row stands from the day on which it may be written."""

    reference = models.UUIDField(help_text="The session.")
    profile = models.ForeignKey(MentorProfile, on_delete=models.CASCADE, related_name="session_reviews", help_text="Of its mentor.")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="reviews_written")
    about = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reviews_received")
    is_of_mentor = models.BooleanField()
    session_ended_at = models.DateTimeField()
    closes_at = models.DateTimeField(help_text="From then on it cannot be written, and is hidden no more.")
    state = models.CharField(max_length=9, choices=ReviewState, default=ReviewState.OPEN)

    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    text = models.TextField(max_length=3000, blank=True, default="")
    private_score = models.PositiveSmallIntegerField(null=True, blank=True, help_text="0 to 10, for the ranking alone; shown to nobody.")
    written_at = models.DateTimeField(null=True, blank=True)
    visible_at = models.DateTimeField(null=True, blank=True, help_text="When both had written, or the time for it was over.")
    edited_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True, help_text="When the other one was told that it can be seen.")
    reply = models.TextField(max_length=2000, blank=True, default="")
    replied_at = models.DateTimeField(null=True, blank=True)

    signals = ArrayField(models.CharField(max_length=12, choices=ReviewSignal), default=list, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False)
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ("-visible_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("reference", "author", "about"), name="one_review_per_session_and_pair"),
            models.CheckConstraint(condition=Q(author__isnull=True) | ~Q(author=F("about")), name="nobody_reviews_themselves"),
            models.CheckConstraint(condition=Q(closes_at__gt=F("session_ended_at")), name="a_review_can_be_written_for_a_while"),
            models.CheckConstraint(
                condition=Q(rating__isnull=True) | Q(rating__gte=WORST, rating__lte=BEST), name="a_rating_is_one_to_five"
            ),
            models.CheckConstraint(
                condition=Q(private_score__isnull=True) | Q(private_score__lte=HIGHEST_PRIVATE), name="a_private_score_is_up_to_ten"
            ),
            models.CheckConstraint(
                condition=Q(state=ReviewState.OPEN, rating__isnull=True, written_at__isnull=True)
                | ~Q(state=ReviewState.OPEN) & Q(rating__isnull=False, written_at__isnull=False, visible_at__isnull=False),
                name="what_is_written_has_its_rating",
            ),
        )
        indexes = (
            models.Index(
                fields=("profile", "-visible_at", "-id"),
                condition=Q(state=ReviewState.WRITTEN, is_of_mentor=True),
                name="review_of_mentor",
            ),
            models.Index(fields=("author", "closes_at"), condition=Q(state=ReviewState.OPEN), name="review_to_write"),
            models.Index(fields=("about", "-visible_at"), condition=Q(state=ReviewState.WRITTEN), name="review_about_person"),
            models.Index(fields=("visible_at",), condition=Q(state=ReviewState.WRITTEN, told_at__isnull=True), name="review_to_tell"),
            models.Index(fields=("written_at",), condition=Q(state=ReviewState.HELD), name="review_held"),
        )

    def __str__(self) -> str:
        return f"{self.rating or 'open'} of {self.reference}"


class ReviewVersion(BaseModel):
    """What a review or its reply said before it was changed."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="versions")
    is_reply = models.BooleanField(default=False)
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    text = models.TextField(blank=True, default="")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"before {self.created_at} of {self.review_id}"


class ReviewReport(BaseModel):
    """Somebody finds that a review should not stand."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="reports")
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=12, choices=ReportReason)
    note = models.CharField(max_length=1000, blank=True, default="")
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("review", "reporter"), name="one_report_per_person_and_review"),)
        indexes = (models.Index(fields=("review",), condition=Q(settled_at__isnull=True), name="report_to_settle"),)

    def __str__(self) -> str:
        return f"{self.reason} of {self.review_id}"
