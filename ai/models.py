from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from ai.enums import Engine, Operation, Outcome
from core.models import BaseModel


class Usage(BaseModel):
    """One call to an engine: who, for what, on which model, how much, how long, and how it ended. Never its text."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    purpose = models.CharField(max_length=60)
    operation = models.CharField(max_length=12, choices=Operation)
    engine = models.CharField(max_length=12, choices=Engine)
    model = models.CharField(max_length=100)
    prompt = models.CharField(max_length=40, blank=True, default="", help_text="Name and version of the instructions given.")
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    duration_milliseconds = models.PositiveIntegerField(default=0)
    outcome = models.CharField(max_length=14, choices=Outcome, default=Outcome.PENDING)
    provider_request_id = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        verbose_name_plural = "usage"
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=("-created_at",), name="ai_usage_newest"),
            models.Index(fields=("user", "-created_at"), name="ai_usage_by_user"),
        )

    def __str__(self) -> str:
        return f"{self.purpose} {self.engine} {self.outcome}"


class EngineSwitch(BaseModel):
    """The kill switch of an outside engine. Without a row an engine may be called; a row that is off stops every call at once."""

    engine = models.CharField(max_length=12, choices=Engine, unique=True)
    is_on = models.BooleanField(default=True, help_text="Off: no call leaves; the embedded engines stand in, and say so.")
    reason = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        verbose_name_plural = "engine switches"
        ordering = ("engine",)
        constraints = (models.CheckConstraint(condition=~Q(engine=Engine.EMBEDDED), name="embedded_engine_has_no_switch"),)

    def __str__(self) -> str:
        return f"{self.engine}: {'on' if self.is_on else 'off'}"


class DailyBudget(BaseModel):
    """Calls made, and tokens spent and reserved, on one UTC day, by one person or, where `user` is empty, by everybody together."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    day_on = models.DateField()
    tokens = models.PositiveBigIntegerField(default=0)
    tokens_limit = models.PositiveBigIntegerField()
    calls = models.PositiveIntegerField(default=0)
    calls_limit = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("-day_on",)
        constraints = (
            models.UniqueConstraint(fields=("user", "day_on"), nulls_distinct=False, name="one_budget_per_person_and_day"),
            models.CheckConstraint(condition=Q(tokens__gte=0) & Q(tokens_limit__gte=0), name="budget_never_negative"),
            models.CheckConstraint(condition=Q(calls__lte=models.F("calls_limit")), name="calls_within_their_limit"),
        )

    def __str__(self) -> str:
        return f"{self.user_id or 'everybody'} {self.day_on}"
