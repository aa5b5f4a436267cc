from __future__ import annotations

import datetime
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from accounts.models.people import LANGUAGE_PATTERN
from catalog.models import Skill
from core.models import BaseModel, EmbeddedModel
from core.money import validate_currency
from core.vectors import nearest_indexes
from mentors.enums import AccessibilityPractice, MentorState, OfferKind, PauseReason
from mentors.querysets import MentorProfileQuerySet

MOST_LANGUAGES = 20
SHORTEST_SESSION, LONGEST_SESSION = 5, 720
LARGEST_GROUP = 500


class MentorProfile(EmbeddedModel):
    """What a mentor tells about themselves, and where they stand. Name, picture and handle are the person's."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mentor_profile")
    state = models.CharField(max_length=10, choices=MentorState, default=MentorState.DRAFT)
    headline = models.CharField(max_length=150, blank=True, default="")
    bio = models.TextField(max_length=5000, blank=True, default="")
    languages = ArrayField(
        models.CharField(max_length=16, validators=[RegexValidator(LANGUAGE_PATTERN)]), default=list, blank=True, size=MOST_LANGUAGES
    )
    accessibility_practices = ArrayField(models.CharField(max_length=20, choices=AccessibilityPractice), default=list, blank=True)
    skills = models.ManyToManyField(Skill, through="MentorSkill", related_name="mentors")
    capacity = models.PositiveSmallIntegerField(default=5, help_text="How many people may have sessions ahead at one time.")
    is_open_to_minors = models.BooleanField(default=False, help_text="Wants to work with people under 18; needs the checks for it.")

    demand = models.FloatField(default=0, editable=False, help_text="To how many people they were shown lately, kept by the matching.")

    applied_at = models.DateTimeField(null=True, blank=True, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False)
    decision_note = models.CharField(max_length=1000, blank=True, default="", help_text="Told to the mentor.")
    live_since = models.DateTimeField(null=True, blank=True, editable=False)
    resumed_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When they last came back from a pause.")
    barred_until = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Too many strikes: they can be booked again after this, whatever becomes of the profile.",
    )
    paused_because = models.CharField(max_length=20, choices=PauseReason, blank=True, default="", editable=False)

    objects = MentorProfileQuerySet.as_manager()

    class Meta(EmbeddedModel.Meta):
        ordering = ("-id",)
        constraints = (  # type: ignore[assignment]
            *EmbeddedModel.Meta.constraints,
            models.CheckConstraint(
                condition=Q(state=MentorState.PAUSED) & ~Q(paused_because="") | ~Q(state=MentorState.PAUSED) & Q(paused_because=""),
                name="paused_mentor_has_its_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=(MentorState.LIVE, MentorState.PAUSED)) | Q(live_since__isnull=False),
                name="live_mentor_was_accepted",
            ),
            models.CheckConstraint(condition=Q(capacity__gte=1, capacity__lte=1000), name="mentor_capacity_is_sensible"),
        )
        indexes = (
            *nearest_indexes("mentor"),
            models.Index(fields=("id",), name="mentor_to_embed", condition=~Q(content_hash=F("embedded_hash"))),
            models.Index(fields=("id",), name="mentor_twin_to_embed", condition=~Q(content_hash=F("twin_embedded_hash"))),
            models.Index(fields=("state", "-id"), name="mentor_by_state"),
            models.Index(fields=("applied_at",), condition=Q(state=MentorState.APPLIED), name="mentor_to_decide"),
            GinIndex(fields=("languages",), name="mentor_languages"),
        )

    # Set by a search on the rows that it returns: the cosine of the meaning.
    score: float | None = None
    # Annotated by `for_cards`, see there; and set on cards whose next slot was looked for.
    requests_told: dict[str, Any]
    reviews_told: dict[str, Any]
    next_slot: datetime.datetime | None = None

    def __str__(self) -> str:
        return self.headline or str(self.user_id)


class MentorSkill(BaseModel):
    """A skill that a mentor passes on, and for how many years they have used it."""

    profile = models.ForeignKey(MentorProfile, on_delete=models.CASCADE, related_name="skill_links")
    skill = models.ForeignKey(Skill, on_delete=models.CASCADE, related_name="+")
    years = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ("profile", "-years", "id")
        constraints = (
            models.UniqueConstraint(fields=("profile", "skill"), name="one_link_per_mentor_and_skill"),
            models.CheckConstraint(condition=Q(years__isnull=True) | Q(years__lte=80), name="years_of_a_working_life"),
        )

    def __str__(self) -> str:
        return f"{self.profile_id} {self.skill_id}"


class Offer(BaseModel):
    """A kind of session that can be booked, and its price in the smallest unit of its currency."""

    profile = models.ForeignKey(MentorProfile, on_delete=models.CASCADE, related_name="offers")
    kind = models.CharField(max_length=15, choices=OfferKind)
    title = models.CharField(max_length=100)
    duration_minutes = models.PositiveSmallIntegerField()
    price_amount = models.PositiveIntegerField()
    price_currency = models.CharField(max_length=3, validators=[validate_currency])
    group_size = models.PositiveSmallIntegerField(default=1)
    is_active = models.BooleanField(default=True, help_text="What was booked once stays in the books, switched off.")

    class Meta:
        ordering = ("profile", "price_amount", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(duration_minutes__gte=SHORTEST_SESSION, duration_minutes__lte=LONGEST_SESSION),
                name="offer_has_a_sensible_length",
            ),
            models.CheckConstraint(
                condition=Q(kind=OfferKind.GROUP, group_size__gte=2, group_size__lte=LARGEST_GROUP)
                | ~Q(kind=OfferKind.GROUP) & Q(group_size=1),
                name="only_groups_have_seats",
            ),
        )
        indexes = (models.Index(fields=("price_currency", "price_amount", "profile"), condition=Q(is_active=True), name="offer_by_price"),)

    def __str__(self) -> str:
        return self.title
