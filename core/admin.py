from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from core import auditing, events
from core.errors import DomainError
from core.models import AuditEntry, EmbeddingSpace, EventDelivery, OutboxEvent


class AuditedAdmin(ModelAdmin):
    """Every page of the admin: what staff looked at and changed goes into the audit log. The admin's own history names ids only."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if request.method == "GET":
            self._audit(request, "listed", self.model)
        return super().changelist_view(request, extra_context)

    def changeform_view(self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None) -> Any:
        if request.method == "GET" and object_id:
            thing = self.get_object(request, unquote(object_id))
            if thing is not None:
                self._audit(request, "viewed", thing)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._audit(request, "added", obj)
        return self._log(request, obj, ADDITION, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        changed = [name for part in message if isinstance(part, dict) for name in part.get("changed", {}).get("fields", [])]
        self._audit(request, "changed", obj, [str(name)[:100] for name in changed])
        return self._log(request, obj, CHANGE, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for thing in queryset:
            self._audit(request, "deleted", thing)
            self._log(request, thing, DELETION, "")

    def _audit(self, request: HttpRequest, action: str, thing: Any, fields: list[str] | None = None) -> None:
        auditing.record(actor_id=request.user.pk, action=action, thing=thing, fields=fields)  # type: ignore[arg-type]

    def _log(self, request: HttpRequest, thing: Any, flag: int, message: Any) -> LogEntry:
        return LogEntry.objects.create(
            user_id=request.user.pk,
            content_type=ContentType.objects.get_for_model(thing, for_concrete_model=False),
            object_id=thing.pk,
            object_repr=f"{thing._meta.verbose_name} {thing.pk}"[:200],
            action_flag=flag,
            change_message=json.dumps(message) if isinstance(message, list) else message,
        )


class ReadOnlyAdmin(AuditedAdmin):
    """For logs: staff look, nobody edits."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LookOnlyInline(TabularInline):
    """Rows of another table on the page of the one that they belong to. Nobody edits them there."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class DeskAdmin(ReadOnlyAdmin):
    """Rows that services alone write: actions call a service for each, and say what it did not do."""

    show_full_result_count = False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Superusers, and staff with the permission to change these rows."""
        return request.user.has_perm(f"{self.model._meta.app_label}.change_{self.model._meta.model_name}")

    def try_each(self, request: HttpRequest, rows: Iterable[Any], call: Callable[[Any], object], done: str) -> None:
        """Call a service for each row, and tell of every refusal, and of how many were `done`."""
        number = 0
        for row in rows:
            try:
                call(row)
            except DomainError as error:
                messages.error(request, f"{row}: {error.detail}")
            else:
                self._audit(request, "changed", row)
                number += 1
        if number:
            messages.success(request, f"{number} {done}")


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("number", "happened_at", "actor_id", "action", "thing_kind", "thing_id")
    list_filter = ("action", "thing_kind")
    search_fields = ("=actor_id", "=thing_id")
    show_full_result_count = False


@admin.register(EmbeddingSpace)
class EmbeddingSpaceAdmin(ReadOnlyAdmin):
    """Which embedding model serves, and which one is being filled or kept. `manage.py reembed` changes it."""

    list_display = ("model", "state", "column", "in_force_since", "created_at")


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
