from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline

from accounts.models import User
from core.admin import AuditedAdmin, ReadOnlyAdmin
from core.errors import DomainError
from core.querysets import COLUMNS_OF_VECTORS
from mentors.models import MentorProfile, MentorSkill, OccupiedTime, Offer, OutsideCalendar, Schedule
from mentors.services import profiles


class _LookOnly(TabularInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SkillInline(_LookOnly):
    model = MentorSkill
    fields = ("skill", "years")

    def get_queryset(self, request: HttpRequest) -> QuerySet[MentorSkill]:
        wide = (f"skill__{name}" for name in COLUMNS_OF_VECTORS)
        return cast("QuerySet[MentorSkill]", super().get_queryset(request).select_related("skill").defer(*wide))


class OfferInline(_LookOnly):
    model = Offer
    fields = ("kind", "title", "duration_minutes", "price_amount", "price_currency", "group_size", "is_active")


@admin.register(MentorProfile)
class MentorProfileAdmin(AuditedAdmin):
    """Mentors write their own profiles; staff decide about them. Who waits the longest comes first under “waits for staff”."""

    list_display = ("user", "headline", "state", "applied_at", "live_since", "decided_by")
    list_filter = ("state", "is_open_to_minors")
    list_select_related = ("user", "decided_by")
    search_fields = ("user__full_name", "=user__email", "headline", "=id")
    readonly_fields = (
        *("user", "state", "headline", "bio", "languages", "accessibility_practices", "capacity", "is_open_to_minors"),
        *("applied_at", "decided_at", "decided_by", "live_since", "paused_because"),
    )
    fields = (*readonly_fields, "decision_note")
    exclude = COLUMNS_OF_VECTORS
    inlines = (SkillInline, OfferInline)
    actions = ("accept", "reject", "suspend", "reinstate")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[MentorProfile]:
        return cast("QuerySet[MentorProfile]", super().get_queryset(request).defer(*COLUMNS_OF_VECTORS))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Take as mentors", permissions=("change",))
    def accept(self, request: HttpRequest, rows: QuerySet[MentorProfile]) -> None:
        self._decide(
            request, rows, lambda row, staff, note: profiles.decide_application(staff=staff, profile=row, is_accepted=True, note=note)
        )

    @admin.action(description="Do not take; the note of each is told", permissions=("change",))
    def reject(self, request: HttpRequest, rows: QuerySet[MentorProfile]) -> None:
        self._decide(
            request, rows, lambda row, staff, note: profiles.decide_application(staff=staff, profile=row, is_accepted=False, note=note)
        )

    @admin.action(description="Suspend; the note of each is told", permissions=("change",))
    def suspend(self, request: HttpRequest, rows: QuerySet[MentorProfile]) -> None:
        self._decide(request, rows, lambda row, staff, note: profiles.suspend(staff=staff, profile=row, note=note))

    @admin.action(description="Let suspended ones be found again", permissions=("change",))
    def reinstate(self, request: HttpRequest, rows: QuerySet[MentorProfile]) -> None:
        self._decide(request, rows, lambda row, staff, note: profiles.reinstate(staff=staff, profile=row, note=note))

    def _decide(self, request: HttpRequest, rows: QuerySet[MentorProfile], call: Callable[[MentorProfile, User, str], None]) -> None:
        for row in rows:
            try:
                call(row, cast(User, request.user), row.decision_note)
            except DomainError as error:
                messages.error(request, f"{row}: {error.detail}")
            else:
                self.log_change(request, row, [{"changed": {"fields": ["state"]}}])


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    list_display = ("profile", "time_zone", "notice_minutes", "horizon_days", "expanded_until")
    list_select_related = ("profile",)
    search_fields = ("=profile__id",)
    exclude = ("open_time", "free_time", "full_time", "grids")
    show_full_result_count = False


@admin.register(OccupiedTime)
class OccupiedTimeAdmin(ReadOnlyAdmin):
    """What is taken of whose time. Titles of outside events stay with their owner."""

    list_display = ("person", "source", "during", "session", "held_until")
    list_filter = ("source",)
    list_select_related = ("person",)
    search_fields = ("=person__email", "=reference")
    exclude = ("title",)
    show_full_result_count = False


@admin.register(OutsideCalendar)
class OutsideCalendarAdmin(ReadOnlyAdmin):
    list_display = ("person", "kind", "host", "fresh_at", "read_at", "failure", "failures")
    list_filter = ("kind", "failure")
    list_select_related = ("person",)
    search_fields = ("=person__email", "host")
    exclude = ("sealed_address", "sealed_password", "name", "username")
    show_full_result_count = False
