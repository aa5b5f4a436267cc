from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin import ReadOnlyAdmin
from profiling.models import DistressFlag, Interview
from profiling.services.distress import mark_seen


@admin.register(Interview)
class InterviewAdmin(ReadOnlyAdmin):
    """Where interviews stand. Answers and claims are private and are not shown."""

    list_display = ("created_at", "user", "state", "step", "slot", "progress", "completed_at")
    fields = ("user", "state", "language", "step", "slot", "question_kind", "progress", "created_at", "paused_at", "completed_at")
    list_filter = ("state", "slot")
    search_fields = ("=id", "user__email")
    list_select_related = ("user",)
    show_full_result_count = False


@admin.register(DistressFlag)
class DistressFlagAdmin(ReadOnlyAdmin):
    """People whose answers sounded like distress. Write to them; what they said stays theirs."""

    list_display = ("created_at", "user", "seen_at", "seen_by")
    list_filter = ("seen_at",)
    search_fields = ("=id", "user__email")
    list_select_related = ("user", "seen_by")
    fields = ("user", "created_at", "seen_at", "seen_by")
    show_full_result_count = False
    actions = ("mark_seen",)

    def has_mark_seen_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("profiling.change_distressflag")

    @admin.action(description="I have seen to it", permissions=("mark_seen",))
    def mark_seen(self, request: HttpRequest, queryset: QuerySet[DistressFlag]) -> None:
        for flag in queryset:
            self._audit(request, "seen", flag)
        mark_seen(flag_ids=list(queryset.values_list("id", flat=True)), actor_id=request.user.pk)  # type: ignore[arg-type]
