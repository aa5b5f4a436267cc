from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.models import BaseModel
from profiling.enums import RankerState, RecommendationBasis


class Ranker(BaseModel):
    """The weights of the terms that a recommendation's score is the sum of. The first one was chosen by hand, later ones are learned."""

    version = models.PositiveIntegerField(unique=True)
    weights = models.JSONField(help_text="The weight of each term.")
    state = models.CharField(max_length=12, choices=RankerState)
    share = models.PositiveSmallIntegerField(default=100, help_text="For how many of a hundred people it ranks.")
    in_force_since = models.DateTimeField(null=True, blank=True)
    report = models.JSONField(default=dict, blank=True, help_text="What it was learned from, how it did on replay, and why it was refused.")

    class Meta:
        ordering = ("-version",)
        constraints = (
            models.UniqueConstraint(fields=("state",), condition=Q(state=RankerState.IN_FORCE), name="one_ranker_in_force"),
            models.UniqueConstraint(fields=("state",), condition=Q(state=RankerState.ROLLING_OUT), name="one_ranker_rolling_out"),
            models.CheckConstraint(
                condition=~Q(state=RankerState.IN_FORCE) | Q(in_force_since__isnull=False), name="ranker_in_force_has_its_instant"
            ),
            models.CheckConstraint(condition=Q(share__gte=0) & Q(share__lte=100), name="ranker_share_is_of_a_hundred"),
        )

    def __str__(self) -> str:
        return f"ranker {self.version}"


class Serving(BaseModel):
    """One answer of recommendations as it was given: what stood where, how likely chance put it there, and the terms of each score.

    The learned ranker, its replay and the figures of the cache are made from these rows.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="servings")
    ranker_version = models.PositiveIntegerField()
    basis = models.CharField(max_length=8, choices=RecommendationBasis)
    fallbacks = ArrayField(models.CharField(max_length=40), default=list, help_text="The steps that were left out, and why.")
    was_cached = models.BooleanField(default=False)
    milliseconds = models.PositiveIntegerField(default=0)
    opportunity_ids = ArrayField(models.UUIDField(), default=list)
    propensities = ArrayField(models.FloatField(), default=list)
    terms = models.JSONField(default=list, help_text="For each opportunity the values of the terms, in the order of `Term`.")

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("user", "-created_at"), name="servings_of_a_person"),
            models.Index(fields=("created_at",), name="servings_by_age"),
        )

    def __str__(self) -> str:
        return f"{len(self.opportunity_ids)} for {self.user_id}"
