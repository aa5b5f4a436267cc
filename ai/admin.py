from __future__ import annotations

from django.contrib import admin

from ai.models import DailyBudget, EngineSwitch, Usage
from core.admin import AuditedAdmin, ReadOnlyAdmin


@admin.register(Usage)
class UsageAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at",
        "purpose",
        "operation",
        "engine",
        "model",
        "prompt",
        "outcome",
        "input_tokens",
        "output_tokens",
        "duration_milliseconds",
    )
    list_filter = ("operation", "engine", "outcome", "purpose")
    search_fields = ("=id", "model", "purpose", "=provider_request_id")
    show_full_result_count = False


@admin.register(EngineSwitch)
class EngineSwitchAdmin(AuditedAdmin):
    """Where staff stop every call to an outside engine, at once and without a restart."""

    list_display = ("engine", "is_on", "reason", "updated_at")
    search_fields = ("engine", "reason")


@admin.register(DailyBudget)
class DailyBudgetAdmin(ReadOnlyAdmin):
    list_display = ("day_on", "user", "calls", "calls_limit", "tokens", "tokens_limit")
    list_filter = ("day_on",)
    search_fields = ("user__email",)
    list_select_related = ("user",)
    show_full_result_count = False
