from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin import ReadOnlyAdmin
from core.errors import DomainError
from profiling.models import DistressFlag, Interview, Ranker
from profiling.selectors import serving_figures
from profiling.services.distress import mark_seen
from profiling.services.training import roll_back_ranker


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


@admin.register(Ranker)
class RankerAdmin(ReadOnlyAdmin):
    """What recommendations are ranked with: each learned ranker with its report. `manage.py retrain_ranker` learns one."""

    list_display = ("version", "state", "share", "in_force_since", "created_at")
    list_filter = ("state",)
    fields = ("version", "state", "share", "in_force_since", "created_at", "weights", "report", "figures")
    readonly_fields = ("figures",)
    actions = ("roll_back",)

    @admin.display(description="What it served in the last seven days")
    def figures(self, ranker: Ranker) -> str:
        found = serving_figures(ranker.version)
        return (
            f"{found.servings} answers, {found.hit_rate:.0%} of them from the cache, {found.fallback_rate:.1%} with a step left out; "
            f"computing one took {found.median_milliseconds} ms (median)"
        )

    def has_roll_back_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("profiling.change_ranker")

    @admin.action(description="Take the newest adopted ranker back (whichever are chosen)", permissions=("roll_back",))
    def roll_back(self, request: HttpRequest, queryset: QuerySet[Ranker]) -> None:
        try:
            version = roll_back_ranker()
        except DomainError as refusal:
            self.message_user(request, str(refusal.detail), level=messages.ERROR)
            return
        self._audit(request, "rolled back", Ranker)
        self.message_user(request, f"Ranker {version} serves again.")
