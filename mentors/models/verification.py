from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.models import BaseModel
from mentors.enums import CheckKind, CheckScope, CheckState, Evidence
from mentors.models.profiles import MentorProfile
from mentors.querysets import CheckQuerySet

UNDECIDED = (CheckState.OPEN, CheckState.SUBMITTED, CheckState.SECOND_REVIEW)


class Check(BaseModel):
    """One thing about a mentor that staff looked into: by which evidence, who, when, for how long and for what."""

    profile = models.ForeignKey(MentorProfile, on_delete=models.CASCADE, related_name="checks")
    kind = models.CharField(max_length=12, choices=CheckKind)
    scope = models.CharField(max_length=8, choices=CheckScope, default=CheckScope.GENERAL)
    state = models.CharField(max_length=14, choices=CheckState, default=CheckState.OPEN)
    statement = models.CharField(max_length=200, blank=True, default="", help_text="What is to be checked; stands on the badge.")
    contact = models.CharField(max_length=254, blank=True, default="", help_text="A mailbox at work, or who recommends; deleted later.")
    proven_domain = models.CharField(max_length=253, blank=True, default="", help_text="Of the mailbox at work, once its code came back.")
    codes_mailed = models.PositiveSmallIntegerField(default=0, editable=False)
    checked_name = models.CharField(max_length=200, blank=True, default="", help_text="The mentor's name then. With another one it lapses.")
    submitted_at = models.DateTimeField(null=True, blank=True)

    evidence = models.CharField(max_length=30, choices=Evidence, blank=True, default="", help_text="What you saw.")
    first_reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False)
    first_reviewed_at = models.DateTimeField(null=True, blank=True, editable=False)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    decision_note = models.CharField(max_length=1000, blank=True, default="", help_text="Told to the mentor.")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Left empty, it counts as long as one of its kind may.")
    told_expiry_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CheckQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("profile", "kind", "scope"),
                condition=Q(state__in=UNDECIDED, kind__in=(CheckKind.IDENTITY, CheckKind.BACKGROUND)),
                name="one_undecided_check_of_a_kind",
            ),
            models.CheckConstraint(
                condition=~Q(state=CheckState.PASSED) | ~Q(evidence="") & Q(decided_at__isnull=False, expires_at__gt=F("decided_at")),
                name="passed_check_says_by_what_and_how_long",
            ),
            models.CheckConstraint(
                condition=~Q(state=CheckState.PASSED, scope=CheckScope.MINORS) | Q(first_reviewed_at__isnull=False),
                name="check_for_minors_was_reviewed_twice",
            ),
            models.CheckConstraint(
                condition=Q(first_reviewer__isnull=True) | Q(reviewer__isnull=True) | ~Q(first_reviewer=F("reviewer")),
                name="nobody_reviews_a_check_twice",
            ),
            models.CheckConstraint(
                condition=~Q(scope=CheckScope.MINORS) | Q(kind=CheckKind.BACKGROUND), name="only_the_background_is_checked_for_minors"
            ),
        )
        indexes = (
            models.Index(fields=("profile", "kind", "expires_at"), condition=Q(state=CheckState.PASSED), name="check_in_force"),
            models.Index(
                fields=("submitted_at",), condition=Q(state__in=(CheckState.SUBMITTED, CheckState.SECOND_REVIEW)), name="check_to_review"
            ),
            models.Index(
                fields=("expires_at",), condition=Q(state=CheckState.PASSED, told_expiry_at__isnull=True), name="check_expiry_to_tell"
            ),
            models.Index(fields=("updated_at",), condition=Q(state=CheckState.OPEN), name="check_left_open"),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.profile_id}"


class CheckDocument(BaseModel):
    """A file that proves something. Its row stands before the file and goes after it, so that no file is ever left without one."""

    check_of = models.ForeignKey(Check, on_delete=models.CASCADE, related_name="documents")
    file = models.CharField(max_length=200, unique=True)
    content_type = models.CharField(max_length=30)
    size = models.PositiveIntegerField()
    is_stored = models.BooleanField(default=False)

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=("created_at",), condition=Q(is_stored=False), name="document_never_stored"),)

    def __str__(self) -> str:
        return f"{self.content_type} of {self.check_of_id}"
