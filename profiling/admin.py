from __future__ import annotations

from django.contrib import admin

from core.admin import ReadOnlyAdmin
from profiling.models import Interview


@admin.register(Interview)
class InterviewAdmin(ReadOnlyAdmin):
    """Where interviews stand. Answers and claims are private and are not shown."""

    list_display = ("created_at", "user", "state", "step", "slot", "completed_at")
    list_filter = ("state", "slot")
    search_fields = ("=id", "user__email")
    list_select_related = ("user",)
    show_full_result_count = False
