from django.db import models


class Engine(models.TextChoices):
    OPENAI = "openai", "OpenAI-compatible"
    EMBEDDED = "embedded", "embedded"


class Operation(models.TextChoices):
    EMBED = "embed", "embed"
    CONVERSE = "converse", "converse"


class Outcome(models.TextChoices):
    PENDING = "pending", "pending"
    OK = "ok", "ok"
    TIMEOUT = "timeout", "timed out"
    RATE_LIMITED = "rate_limited", "rate limited"
    FAILED = "failed", "failed"
    NONSENSE = "nonsense", "answered nonsense"
    OVER_BUDGET = "over_budget", "over budget"
