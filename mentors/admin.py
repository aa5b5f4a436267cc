from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html

from accounts.models import User
from core.admin import AuditedAdmin, LookOnlyInline, ReadOnlyAdmin
from core.errors import DomainError
from core.querysets import COLUMNS_OF_VECTORS
from mentors.enums import CheckState, Evidence
from mentors.models import (
    Check,
    CheckDocument,
    MatchServing,
    MentorProfile,
    MentorSkill,
    OccupiedTime,
    Offer,
    OutsideCalendar,
    Review,
    ReviewReport,
    ReviewVersion,
    Schedule,
    SessionRequest,
)
from mentors.services import documents, profiles, reviews, verification


class SkillInline(LookOnlyInline):
    model = MentorSkill
    fields = ("skill", "years")

    def get_queryset(self, request: HttpRequest) -> QuerySet[MentorSkill]:
        wide = (f"skill__{name}" for name in COLUMNS_OF_VECTORS)
        return cast("QuerySet[MentorSkill]", super().get_queryset(request).select_related("skill").defer(*wide))


class OfferInline(LookOnlyInline):
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
        *("applied_at", "decided_at", "decided_by", "live_since", "paused_because", "barred_until"),
    )
    fields = (*readonly_fields, "decision_note")
    exclude = COLUMNS_OF_VECTORS
    inlines = (SkillInline, OfferInline)
    actions = ("accept", "reject", "suspend", "reinstate", "lift_bar")
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

    @admin.action(description="Lift the bar for strikes (write the reason in each note first)", permissions=("change",))
    def lift_bar(self, request: HttpRequest, rows: QuerySet[MentorProfile]) -> None:
        self._decide(request, rows, lambda row, staff, note: profiles.lift_bar(staff=staff, profile=row, note=note))

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


class DocumentInline(LookOnlyInline):
    """The evidence. It is gone once the check is decided."""

    model = CheckDocument
    fields = ("content_type", "size", "address")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[CheckDocument]:
        return cast("QuerySet[CheckDocument]", super().get_queryset(request).filter(is_stored=True))

    @admin.display(description="File")
    def address(self, document: CheckDocument) -> str:
        return format_html('<a href="{}">Download</a>', reverse("admin:mentors_check_document", args=[document.check_of_id, document.pk]))


@admin.register(Check)
class CheckAdmin(AuditedAdmin):
    """The queue of what is to be checked: who waits the longest comes first. Say in the check what you saw, save, then pass or refuse it in
    the list. What allows work with people under 18 has to be passed by two of you. Documents go with the decision."""

    list_display = ("profile", "kind", "scope", "state", "submitted_at", "first_reviewer", "reviewer", "expires_at")
    list_filter = ("state", "kind", "scope")
    list_select_related = ("profile__user", "first_reviewer", "reviewer")
    search_fields = ("profile__user__full_name", "=profile__user__email", "=id")
    ordering = (F("submitted_at").asc(nulls_last=True),)
    _decided = ("evidence", "decision_note", "expires_at")
    readonly_fields = (
        *("profile", "mentor_name", "kind", "scope", "state", "statement", "contact", "proven_domain", "checked_name", "submitted_at"),
        *("first_reviewer", "first_reviewed_at", "reviewer", "decided_at"),
    )
    fields = (*readonly_fields, *_decided)
    inlines = (DocumentInline,)
    actions = ("pass_checks", "refuse_checks", "revoke_checks")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Check]:
        wide = (f"profile__{name}" for name in COLUMNS_OF_VECTORS)
        return cast("QuerySet[Check]", super().get_queryset(request).select_related("profile__user").defer(*wide))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        is_open = obj is not None and obj.state in (CheckState.SUBMITTED, CheckState.SECOND_REVIEW)
        return self.readonly_fields if is_open else (*self.readonly_fields, *self._decided)

    @admin.display(description="Name of the mentor")
    def mentor_name(self, check: Check) -> str:
        return check.profile.user.full_name

    def get_urls(self) -> list[Any]:
        address = path(
            "<uuid:check_id>/documents/<uuid:document_id>/", self.admin_site.admin_view(self.download), name="mentors_check_document"
        )
        return [address, *super().get_urls()]

    def download(self, request: HttpRequest, check_id: uuid.UUID, document_id: uuid.UUID) -> HttpResponse:
        """A document, for saving, never shown by the browser on this site; who took it is in the audit log."""
        document = get_object_or_404(CheckDocument, pk=document_id, check_of_id=check_id, is_stored=True)
        if not self.has_change_permission(request):
            raise PermissionDenied
        self._audit(request, "downloaded", document)
        extension = document.content_type.partition("/")[2]
        headers = {
            "Content-Disposition": f'attachment; filename="{document.pk}.{extension}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }
        return HttpResponse(documents.read_stored(document.file), content_type="application/octet-stream", headers=headers)

    @admin.action(description="Pass", permissions=("change",))
    def pass_checks(self, request: HttpRequest, rows: QuerySet[Check]) -> None:
        self._review(
            request,
            rows,
            lambda check, staff: verification.pass_check(
                staff=staff, check=check, evidence=Evidence(check.evidence), expires_at=check.expires_at, note=check.decision_note
            ),
        )

    @admin.action(description="Refuse; the note of each is told", permissions=("change",))
    def refuse_checks(self, request: HttpRequest, rows: QuerySet[Check]) -> None:
        self._review(request, rows, lambda check, staff: verification.refuse_check(staff=staff, check=check, note=check.decision_note))

    @admin.action(description="Take back what was passed", permissions=("change",))
    def revoke_checks(self, request: HttpRequest, rows: QuerySet[Check]) -> None:
        self._review(request, rows, lambda check, staff: verification.revoke_check(staff=staff, check=check, note=check.decision_note))

    def _review(self, request: HttpRequest, rows: QuerySet[Check], call: Callable[[Check, User], None]) -> None:
        for check in rows:
            try:
                call(check, cast(User, request.user))
            except DomainError as error:
                details = "; ".join(str(each.detail) for each in error.errors) or str(error.detail)
                messages.error(request, f"{check}: {details}")
            except ValueError:
                messages.error(request, f"{check}: say first, in the check itself, what you saw.")
            else:
                self.log_change(request, check, [{"changed": {"fields": ["state"]}}])


class VersionInline(LookOnlyInline):
    model = ReviewVersion
    fields = ("created_at", "is_reply", "rating", "text")
    readonly_fields = fields


class ReportInline(LookOnlyInline):
    model = ReviewReport
    fields = ("reporter", "reason", "note", "settled_at")
    readonly_fields = fields


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    """The moderation queue: what looks arranged or was reported waits under “held”, the signals say why."""

    list_display = ("about", "author", "rating", "state", "signals", "written_at", "visible_at", "decided_by")
    list_filter = ("state", "is_of_mentor")
    list_select_related = ("about", "author", "decided_by")
    search_fields = ("=about__email", "=author__email", "=reference")
    ordering = (F("written_at").desc(nulls_last=True),)
    inlines = (ReportInline, VersionInline)
    actions = ("let_stand", "take_down")
    show_full_result_count = False

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("mentors.change_review")

    @admin.action(description="Let them stand", permissions=("decide",))
    def let_stand(self, request: HttpRequest, rows: QuerySet[Review]) -> None:
        self._decide(request, rows, stays=True)

    @admin.action(description="Take them down", permissions=("decide",))
    def take_down(self, request: HttpRequest, rows: QuerySet[Review]) -> None:
        self._decide(request, rows, stays=False)

    def _decide(self, request: HttpRequest, rows: QuerySet[Review], *, stays: bool) -> None:
        for review in rows:
            try:
                reviews.decide_review(staff=cast(User, request.user), review=review, stays=stays)
            except DomainError as error:
                messages.error(request, f"{review}: {error.detail}")
            else:
                self.log_change(request, review, [{"changed": {"fields": ["state"]}}])


@admin.register(SessionRequest)
class SessionRequestAdmin(ReadOnlyAdmin):
    list_display = ("profile", "asked_at", "due_at", "outcome", "ended_at")
    list_filter = ("outcome",)
    list_select_related = ("profile__user",)
    search_fields = ("=profile__id", "=reference")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[SessionRequest]:
        wide = (f"profile__{name}" for name in COLUMNS_OF_VECTORS)
        return cast("QuerySet[SessionRequest]", super().get_queryset(request).select_related("profile__user").defer(*wide))


@admin.register(MatchServing)
class MatchServingAdmin(ReadOnlyAdmin):
    """Whom people were shown as matches. `manage.py match_report` says how evenly."""

    list_display = ("user", "created_at")
    list_select_related = ("user",)
    search_fields = ("=user__email",)
    show_full_result_count = False
