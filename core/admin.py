from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from core import events
from core.models import EventDelivery, OutboxEvent


class ReadOnlyAdmin(ModelAdmin):
    """For logs: staff look, nobody edits."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "name", "request_id")
    list_filter = ("name",)
    search_fields = ("=id", "name", "=request_id")
    show_full_result_count = False


@admin.register(EventDelivery)
class EventDeliveryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "handler", "state", "attempts", "due_at", "last_error")
    list_filter = ("state", "handler")
    search_fields = ("=id", "handler")
    list_select_related = ("event",)
    show_full_result_count = False
    actions = ("replay",)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("core.change_eventdelivery")

    @admin.action(description="Replay the chosen dead letters", permissions=("replay",))
    def replay(self, request: HttpRequest, queryset: QuerySet[EventDelivery]) -> None:
        count = events.replay_deliveries(queryset.values_list("id", flat=True))
        messages.success(request, f"{count} dead letters will be tried again.")
