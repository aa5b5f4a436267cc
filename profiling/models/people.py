from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from pgvector.django import HalfVectorField

from catalog.models import Skill
from core.models import BaseModel, EmbeddedModel
from core.vectors import DIMENSIONS
from profiling.enums import (
    AnswerMeaning,
    ClaimKind,
    ClaimSource,
    ClaimState,
    InterviewState,
    QuestionKind,
    Slot,
    SuggestionReason,
    SuggestionState,
)
from profiling.querysets import ClaimQuerySet, InterviewQuerySet, ProfileQuerySet, RecordingQuerySet, SuggestionQuerySet


class Interview(BaseModel):
    """One conversation. Its place is in the row, so it goes on after a restart and on another device."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="interviews")
    state = models.CharField(max_length=10, choices=InterviewState, default=InterviewState.ACTIVE)
    language = models.CharField(max_length=16, default="en")
    # The question that waits for an answer, word for word; its text is empty once enough is known.
    step = models.PositiveSmallIntegerField(default=1)
    slot = models.CharField(max_length=12, choices=Slot, blank=True, default="")
    question = models.TextField(blank=True, default="")
    question_kind = models.CharField(max_length=8, choices=QuestionKind, default=QuestionKind.TEXT)
    options = ArrayField(models.CharField(max_length=300), default=list, blank=True)
    confirms = models.ForeignKey("Claim", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    # The furthest that it ever was: what a person is shown never runs backwards.
    progress = models.FloatField(default=0.0)
    # An earlier step that the person went back to.
    correcting = models.PositiveSmallIntegerField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    objects = InterviewQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("user",), condition=Q(state=InterviewState.ACTIVE), name="one_active_interview_per_person"),
            models.CheckConstraint(
                condition=Q(state=InterviewState.COMPLETED, completed_at__isnull=False)
                | Q(state=InterviewState.ACTIVE, completed_at__isnull=True),
                name="completed_interview_has_its_instant",
            ),
            models.CheckConstraint(condition=Q(progress__gte=0) & Q(progress__lte=1), name="progress_is_a_share"),
            models.CheckConstraint(
                condition=Q(correcting__isnull=True) | Q(correcting__lt=F("step")), name="only_earlier_steps_are_corrected"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id} step {self.step}"


class Answer(BaseModel):
    """What a person answered at one step, and which engine read it. Kept before it is read, so that it cannot get lost."""

    interview = models.ForeignKey(Interview, on_delete=models.CASCADE, related_name="answers")
    step = models.PositiveSmallIntegerField()
    slot = models.CharField(max_length=12, choices=Slot)
    question = models.TextField()
    question_kind = models.CharField(max_length=8, choices=QuestionKind, default=QuestionKind.TEXT)
    options = ArrayField(models.CharField(max_length=300), default=list, blank=True)
    confirms = models.ForeignKey("Claim", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    text = models.TextField()
    meaning = models.CharField(max_length=8, choices=AnswerMeaning, blank=True, default="")
    engine = models.CharField(max_length=12, blank=True, default="")
    model = models.CharField(max_length=120, blank=True, default="")
    degraded_because = models.CharField(max_length=20, blank=True, default="")
    prompt = models.CharField(max_length=40, blank=True, default="")
    # Until then somebody is reading it, so that the same answer sent twice is not read twice.
    reading_until = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("interview", "step")
        constraints = (models.UniqueConstraint(fields=("interview", "step"), name="one_answer_per_step"),)

    def __str__(self) -> str:
        return f"step {self.step}"


class DistressFlag(BaseModel):
    """Somebody may be in distress: words of an answer said so. Staff see that and who, not the words."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="distress_flags")
    answer = models.OneToOneField(Answer, on_delete=models.CASCADE, related_name="distress_flag")
    seen_at = models.DateTimeField(null=True, blank=True)
    seen_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("-id",), condition=Q(seen_at__isnull=True), name="distress_unseen"),)

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M}"


class Claim(BaseModel):
    """One thing that is held about a person, with where it comes from. The person's own word wins for ever: a claim that they made or
    rejected is never touched by an engine again."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="claims")
    kind = models.CharField(max_length=12, choices=ClaimKind)
    label = models.CharField(max_length=300)
    skill = models.ForeignKey(Skill, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    source = models.CharField(max_length=10, choices=ClaimSource)
    state = models.CharField(max_length=10, choices=ClaimState, default=ClaimState.ACTIVE)
    quote = models.TextField(blank=True, default="", help_text="The passage of the answer that says so.")
    confidence = models.FloatField(default=1.0)
    engine = models.CharField(max_length=12, blank=True, default="")
    model = models.CharField(max_length=120, blank=True, default="")
    prompt = models.CharField(max_length=40, blank=True, default="")
    alternatives = ArrayField(models.CharField(max_length=300), default=list, blank=True, help_text="What else may have been meant.")
    evidence = models.CharField(max_length=200, blank=True, default="", help_text="What proves a verified claim, as kind:id.")
    # Whose word a verified claim was before it was proven; empty if only the evidence says so.
    source_before = models.CharField(max_length=10, choices=ClaimSource, blank=True, default="")
    answer = models.ForeignKey(Answer, on_delete=models.SET_NULL, null=True, blank=True, related_name="claims")
    embedding = HalfVectorField(dimensions=DIMENSIONS, null=True, blank=True, editable=False)
    embedding_model = models.CharField(max_length=120, blank=True, default="", editable=False)
    twin_embedding = HalfVectorField(dimensions=DIMENSIONS, null=True, blank=True, editable=False)
    twin_embedding_model = models.CharField(max_length=120, blank=True, default="", editable=False)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        ordering = ("kind", "-confidence", "id")
        constraints = (
            models.UniqueConstraint("user", "kind", Lower("label"), name="one_claim_per_person_kind_and_label"),
            models.CheckConstraint(condition=Q(confidence__gte=0) & Q(confidence__lte=1), name="confidence_is_a_share"),
            models.CheckConstraint(condition=~Q(source=ClaimSource.INFERRED) | ~Q(quote=""), name="inferred_claim_has_its_quote"),
            models.CheckConstraint(condition=Q(source=ClaimSource.VERIFIED) ^ Q(evidence=""), name="verified_claim_has_its_evidence"),
            models.CheckConstraint(
                condition=~Q(state=ClaimState.PROPOSED) | Q(source=ClaimSource.INFERRED), name="only_engines_propose_claims"
            ),
        )
        indexes = (models.Index(fields=("evidence",), condition=~Q(evidence=""), name="claims_by_evidence"),)

    def __str__(self) -> str:
        return f"{self.kind}: {self.label}"


class Recording(BaseModel):
    """What somebody said to a question, as they said it. Kept for a while and only for who agreed to that."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recordings")
    answer = models.OneToOneField(Answer, on_delete=models.CASCADE, related_name="recording")
    file = models.CharField(max_length=200, unique=True, help_text="Its name in the private storage.")
    expires_at = models.DateTimeField(db_index=True)

    objects = RecordingQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M}"


class Suggestion(BaseModel):
    """The proposal to look at one claim again, and why. A declined one stays, so that nobody is asked the same twice."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="profile_suggestions")
    claim = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="suggestions")
    reason = models.CharField(max_length=15, choices=SuggestionReason)
    quote = models.TextField(blank=True, default="", help_text="The words that contradict the claim.")
    state = models.CharField(max_length=10, choices=SuggestionState, default=SuggestionState.OPEN)
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = SuggestionQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("claim", "reason"), name="one_suggestion_per_claim_and_reason"),
            models.UniqueConstraint(fields=("user",), condition=Q(state=SuggestionState.OPEN), name="one_open_suggestion_per_person"),
            models.CheckConstraint(
                condition=Q(state=SuggestionState.OPEN, decided_at__isnull=True)
                | ~Q(state=SuggestionState.OPEN) & Q(decided_at__isnull=False),
                name="decided_suggestion_has_its_instant",
            ),
        )
        indexes = (models.Index(fields=("user", "-created_at"), name="suggestions_of_a_person"),)

    def __str__(self) -> str:
        return f"{self.reason}: {self.state}"


class Profile(EmbeddedModel):
    """What Soosh knows about a person as one text and one vector, made from the active claims."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="profile")
    summary = models.TextField(blank=True, default="")
    is_summary_mine = models.BooleanField(default=False, help_text="Written by the person, and then never rewritten.")
    text = models.TextField(blank=True, default="", editable=False)

    objects = ProfileQuerySet.as_manager()

    class Meta(EmbeddedModel.Meta):
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("id",), name="profile_to_embed", condition=~Q(content_hash=F("embedded_hash"))),
            models.Index(fields=("id",), name="profile_twin_to_embed", condition=~Q(content_hash=F("twin_embedded_hash"))),
        )

    def __str__(self) -> str:
        return str(self.user_id)
