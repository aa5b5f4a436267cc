from __future__ import annotations

import uuid
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action

from core.admin import AuditedAdmin, ReadOnlyAdmin
from notifications.enums import Complaint
from notifications.models import Announcement, Choice, Delivery, Notification, Phone, Preferences, PushDevice, Suppression
from notifications.services import announcing, previewing, queue, reachability
from notifications.services.ringing import ring


@admin.register(Preferences)
class PreferencesAdmin(ReadOnlyAdmin):
    """Staff see why somebody was not told something; what people choose is theirs."""

    list_display = ("user", "quiet_from", "quiet_until", "cadence", "digest_at", "digest_on", "urgent_breaks_through")
    list_filter = ("cadence", "urgent_breaks_through")
    list_select_related = ("user",)
    search_fields = ("=user__email",)
    show_full_result_count = False


@admin.register(Choice)
class ChoiceAdmin(ReadOnlyAdmin):
    list_display = ("user", "topic", "channel", "is_wanted")
    list_filter = ("channel", "is_wanted")
    list_select_related = ("user",)
    search_fields = ("=user__email",)
    show_full_result_count = False


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """What people were told, without the words: those are theirs. The preview shows the words of each kind."""

    list_display = ("created_at", "kind", "user", "urgency", "read_at", "replaced_at")
    list_filter = ("urgency",)
    list_select_related = ("user",)
    search_fields = ("=user__email", "=id", "=kind")
    exclude = ("data", "calendar")
    show_full_result_count = False
    actions_list = ("open_preview",)

    @action(description="Preview all words", url_path="words")
    def open_preview(self, request: HttpRequest) -> HttpResponse:
        return redirect("admin:notifications_preview")

    def get_urls(self) -> Any:
        own = [
            path("preview/", self.admin_site.admin_view(self.preview), name="notifications_preview"),
            path("preview/<str:kind>/<str:variant>/", self.admin_site.admin_view(self.preview_letter), name="notifications_preview_letter"),
        ]
        return own + super().get_urls()

    def preview(self, request: HttpRequest) -> HttpResponse:
        """Every kind in every language, plain and not, on every channel."""
        context = {**self.admin_site.each_context(request), "title": "What people are told", "kinds": previewing.all_previews()}
        return render(request, "notifications/preview.html", context)

    def preview_letter(self, request: HttpRequest, kind: str, variant: str) -> HttpResponse:
        """The e-mail as it is sent, alone in its frame."""
        html = previewing.letter_html(kind, variant)
        if html is None:
            raise Http404
        response = HttpResponse(html)
        response["X-Frame-Options"] = "SAMEORIGIN"
        return response


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """The ways to people: what waits, what failed and why. Dead letters can be sent again."""

    list_display = ("created_at", "channel", "state", "why", "urgency", "attempts", "due_at", "sent_at", "last_error")
    list_filter = ("state", "channel", "why")
    list_select_related = ("notification",)
    search_fields = ("=id", "=user__email", "=provider_id", "=notification__id")
    show_full_result_count = False
    actions = ("replay",)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.change_delivery")

    @admin.action(description="Send the chosen dead letters again", permissions=("replay",))
    def replay(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        count = queue.replay(queryset.values_list("id", flat=True))
        ring(set(queryset.values_list("channel", flat=True)))
        messages.success(request, f"{count} dead letters will be sent again. Those that were unconfirmed may arrive a second time.")


@admin.register(PushDevice)
class PushDeviceAdmin(ReadOnlyAdmin):
    list_display = ("user", "device", "shows_text", "created_at")
    list_select_related = ("user", "device")
    search_fields = ("=user__email",)
    exclude = ("token",)
    show_full_result_count = False


@admin.register(Phone)
class PhoneAdmin(ReadOnlyAdmin):
    list_display = ("user", "verified_at")
    list_select_related = ("user",)
    search_fields = ("=user__email", "=number")
    exclude = ("code_hash",)
    readonly_fields = ("why_nothing_is_sent",)
    show_full_result_count = False

    @admin.display(description="why nothing is sent")
    def why_nothing_is_sent(self, phone: Phone) -> str:
        problem = reachability.problem_of_phone(phone)
        return f"{Complaint(problem.reason).label}, since {problem.since:%Y-%m-%d %H:%M} UTC" if problem else "-"


@admin.register(Suppression)
class SuppressionAdmin(AuditedAdmin):
    """Addresses that get nothing more. Staff may take one out, when its owner asks for that."""

    list_display = ("created_at", "channel", "reason")
    list_filter = ("channel", "reason")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Announcement)
class AnnouncementAdmin(AuditedAdmin):
    list_display = ("title", "state", "progress", "started_at", "finished_at")
    list_filter = ("state",)
    readonly_fields = ("state", "progress", "started_at", "finished_at", "total", "done")
    fields = ("title", "text", "languages", *readonly_fields)
    actions = ("start", "stop")
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: Announcement | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.started_at is None)

    def save_model(self, request: HttpRequest, obj: Announcement, form: Any, change: bool) -> None:
        if not change:
            obj.created_by_id = request.user.pk
        super().save_model(request, obj, form, change)

    @admin.display(description="progress")
    def progress(self, announcement: Announcement) -> SafeString | str:
        if not announcement.total:
            return "-"
        done, total = announcement.done, announcement.total
        label = f"{done} of {total}"
        return format_html('<progress max="{}" value="{}" aria-label="{}"></progress> {}', total, done, label, label)

    @admin.action(description="Tell everybody", permissions=("change",))
    def start(self, request: HttpRequest, queryset: QuerySet[Announcement]) -> None:
        self._count(request, "are being told.", [announcing.start(announcement_id=pk) for pk in _ids(queryset)])

    @admin.action(description="Stop telling", permissions=("change",))
    def stop(self, request: HttpRequest, queryset: QuerySet[Announcement]) -> None:
        self._count(request, "were stopped.", [announcing.stop(announcement_id=pk) for pk in _ids(queryset)])

    def _count(self, request: HttpRequest, what: str, done: list[bool]) -> None:
        messages.success(request, f"{sum(done)} of {len(done)} {what}")


def _ids(queryset: QuerySet[Any]) -> list[uuid.UUID]:
    return list(queryset.values_list("pk", flat=True))
