"""Sessions as staff see them. Nobody edits rows: actions call services."""

from __future__ import annotations

import uuid
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.html import format_html

from accounts.models import User
from bookings.enums import AppealState, Cause, Side
from bookings.models import (
    Appeal,
    AppealEvidence,
    Attendance,
    Booking,
    BookingMove,
    BookingTerms,
    RecordingConsent,
    Reminder,
    Removal,
    Room,
    Series,
    Session,
    SessionRecording,
    Statement,
    Strike,
    WaitlistEntry,
)
from bookings.services import appealing, cancelling, rooms, strikes
from bookings.services.attending import record_of
from bookings.web.ending_views import evidence_response
from core.admin import DeskAdmin, LookOnlyInline
from core.money import Money


class MoveInline(LookOnlyInline):
    model = BookingMove
    fields = ("version", "moved_at", "from_state", "to_state", "starts_at", "side", "cause", "actor", "note")
    ordering = ("version",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BookingMove]:
        return cast("QuerySet[BookingMove]", super().get_queryset(request).select_related("actor"))


class AttendanceInline(LookOnlyInline):
    model = Attendance
    fields = ("person", "source", "joined_at", "left_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attendance]:
        return cast("QuerySet[Attendance]", super().get_queryset(request).select_related("person"))


class StatementInline(LookOnlyInline):
    model = Statement
    fields = ("side", "says", "said_at", "person", "note")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Statement]:
        return cast("QuerySet[Statement]", super().get_queryset(request).select_related("person"))


class EvidenceInline(LookOnlyInline):
    model = AppealEvidence
    fields = readonly_fields = ("created_at", "content_type", "size", "address")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AppealEvidence]:
        return cast("QuerySet[AppealEvidence]", super().get_queryset(request).filter(is_stored=True))

    @admin.display(description="File")
    def address(self, row: AppealEvidence) -> str:
        return format_html('<a href="{}">Download</a>', reverse("admin:bookings_appeal_evidence", args=[row.appeal_id, row.pk]))


class RemovalInline(LookOnlyInline):
    model = Removal
    fields = readonly_fields = ("person", "created_at", "due_at")
    verbose_name_plural = "people who may not come in any more"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Removal]:
        return cast("QuerySet[Removal]", super().get_queryset(request).select_related("person"))


class ConsentInline(LookOnlyInline):
    model = RecordingConsent
    fields = ("person", "text_version", "given_at", "withdrawn_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RecordingConsent]:
        return cast("QuerySet[RecordingConsent]", super().get_queryset(request).select_related("person"))


@admin.register(Booking)
class BookingAdmin(DeskAdmin):
    list_display = ("created_at", "state", "title", "starts_at", "learner", "mentor", "shown_price", "settled_at")
    list_filter = ("state", "policy", ("settled_at", admin.EmptyFieldListFilter))
    list_select_related = ("session__mentor", "learner")
    search_fields = ("=id", "=session__id", "=payment__id", "learner__email", "session__mentor__email")
    inlines = (StatementInline, MoveInline)
    actions = ("call_off",)

    @admin.display(description="session", ordering="session__title")
    def title(self, row: Booking) -> str:
        return row.session.title

    @admin.display(description="starts", ordering="session__starts_at")
    def starts_at(self, row: Booking) -> Any:
        return row.session.starts_at

    @admin.display(description="mentor")
    def mentor(self, row: Booking) -> str:
        return str(row.session.mentor)

    @admin.display(description="price", ordering="price_amount")
    def shown_price(self, row: Booking) -> str:
        return Money(row.price_amount, row.price_currency).in_locale("en")

    @admin.action(description="Call off, and pay everything back", permissions=("act",))
    def call_off(self, request: HttpRequest, queryset: QuerySet[Booking]) -> None:
        def end(row: Booking) -> None:
            cancelling.call_off(booking_id=row.pk, side=Side.PLATFORM, cause=Cause.CANCELLED)

        self.try_each(request, queryset, end, "bookings are off.")


@admin.register(Session)
class SessionAdmin(DeskAdmin):
    """Times of mentors, who was booked for them, and who was in the room."""

    list_display = ("starts_at", "ends_at", "title", "kind", "mentor", "seats")
    list_filter = ("kind", "starts_at")
    list_select_related = ("mentor",)
    search_fields = ("=id", "title", "mentor__email")
    inlines = (AttendanceInline, ConsentInline, RemovalInline)


@admin.register(Room)
class RoomAdmin(DeskAdmin):
    """Video rooms. What could not be made is made elsewhere when somebody comes."""

    list_display = ("opens_at", "state", "provider", "attempts", "last_error", "due_at")
    list_filter = ("state", "provider")
    search_fields = ("=session__id", "=name")
    list_select_related = ("session",)
    exclude = ("url",)
    actions = ("try_again",)

    @admin.action(description="Try again now", permissions=("act",))
    def try_again(self, request: HttpRequest, queryset: QuerySet[Room]) -> None:
        self.try_each(request, queryset, lambda row: rooms.look_after_room(room_id=row.pk), "rooms were looked after.")


@admin.register(Series)
class SeriesAdmin(DeskAdmin):
    list_display = ("created_at", "mentor", "learner", "every_weeks", "zone")
    list_select_related = ("mentor", "learner")
    search_fields = ("=id", "=payment__id", "mentor__email", "learner__email")


class DecisionForm(forms.Form):
    state = forms.ChoiceField(
        label="Decision", choices=[(each.value, each.label) for each in AppealState if each != AppealState.OPEN], widget=forms.RadioSelect
    )
    note = forms.CharField(max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 4}), help_text="Shown to both.")


@admin.register(Appeal)
class AppealAdmin(DeskAdmin):
    """Somebody contests how a session went. The money waits for the decision."""

    list_display = ("created_at", "state", "side", "person", "booking", "decided_at", "decided_by")
    list_filter = ("state",)
    list_select_related = ("person", "booking", "decided_by")
    search_fields = ("=booking__id", "person__email")
    change_form_template = "bookings/appeal_change_form.html"
    inlines = (EvidenceInline,)

    def get_urls(self) -> list[Any]:
        decide = path("<uuid:appeal_id>/decide/", self.admin_site.admin_view(self.decide), name="bookings_appeal_decide")
        address = "<uuid:appeal_id>/evidence/<uuid:evidence_id>/"
        download = path(address, self.admin_site.admin_view(self.download), name="bookings_appeal_evidence")
        return [decide, download, *super().get_urls()]

    def download(self, request: HttpRequest, appeal_id: uuid.UUID, evidence_id: uuid.UUID) -> HttpResponse:
        """A file, for saving; who took it is in the audit log."""
        if not self.has_act_permission(request):
            raise PermissionDenied
        evidence = get_object_or_404(AppealEvidence, pk=evidence_id, appeal=appeal_id, is_stored=True)
        self._audit(request, "downloaded", evidence)
        return evidence_response(evidence)

    def decide(self, request: HttpRequest, appeal_id: Any) -> HttpResponse:
        """A form that asks how it was."""
        if not self.has_act_permission(request):
            raise PermissionDenied
        row = get_object_or_404(Appeal.objects.select_related("booking__session", "person"), pk=appeal_id)
        form = DecisionForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            given = {"state": AppealState(form.cleaned_data["state"]), "note": form.cleaned_data["note"]}
            staff = cast(User, request.user)
            self.try_each(request, [row], lambda each: appealing.decide_appeal(row=each, staff=staff, **given), "appeals are decided.")
            return redirect(reverse("admin:bookings_appeal_change", args=[row.pk]))
        stays = Attendance.objects.filter(session=row.booking.session_id).select_related("person").order_by("joined_at")
        accounts = Appeal.objects.filter(booking=row.booking_id).select_related("person").prefetch_related("evidence").order_by("pk")
        context = {"form": form, "appeal": row, "accounts": accounts, "stays": stays, "title": "Decide", "opts": self.model._meta}
        context["statements"] = row.booking.statements.select_related("person")
        context["record"] = record_of(row.booking).label
        return render(request, "bookings/decide_form.html", self.admin_site.each_context(request) | context)


@admin.register(Strike)
class StrikeAdmin(DeskAdmin):
    list_display = ("given_at", "person", "kind", "booking", "forgiven_at")
    list_filter = ("kind", ("forgiven_at", admin.EmptyFieldListFilter))
    list_select_related = ("person", "booking")
    search_fields = ("person__email", "=booking__id")
    actions = ("forgive",)

    @admin.action(description="Forgive", permissions=("act",))
    def forgive(self, request: HttpRequest, queryset: QuerySet[Strike]) -> None:
        self.try_each(request, queryset, lambda row: strikes.forgive(strike=row), "strikes are forgiven.")


@admin.register(WaitlistEntry)
class WaitlistAdmin(DeskAdmin):
    """Who waits for a seat or a time, in the order in which they came."""

    list_display = ("created_at", "state", "learner", "mentor", "session", "opens_at", "closes_at", "looked_at")
    list_filter = ("state",)
    list_select_related = ("learner", "mentor", "session")
    search_fields = ("learner__email", "mentor__email", "=session__id", "=booking__id")


@admin.register(SessionRecording)
class RecordingAdmin(DeskAdmin):
    """That a session was recorded, never what: staff cannot watch it."""

    list_display = ("started_at", "state", "session", "started_by", "stopped_at", "due_at")
    list_filter = ("state",)
    list_select_related = ("session", "started_by")
    search_fields = ("=session__id",)
    exclude = ("provider_id",)


@admin.register(BookingTerms)
class BookingTermsAdmin(DeskAdmin):
    list_display = ("mentor", "is_instant", "policy", "package_percent", "updated_at")
    list_filter = ("is_instant", "policy")
    list_select_related = ("mentor",)
    search_fields = ("mentor__email",)


@admin.register(Reminder)
class ReminderAdmin(DeskAdmin):
    list_display = ("due_at", "person", "minutes_before", "booking", "told_at")
    list_select_related = ("person", "booking")
    search_fields = ("=booking__id", "person__email")
