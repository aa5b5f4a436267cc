"""The books and the queues of money. Nobody edits rows: actions call services, and every amount is shown in its currency."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import DecimalField, ExpressionWrapper, F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from djstripe import models as copies

from accounts.models import User
from core.admin import DeskAdmin, LookOnlyInline
from core.money import Money
from payments.enums import RefundReason
from payments.models import (
    Dispute,
    Finding,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Movement,
    Payment,
    PayoutAccount,
    ProviderEvent,
    Reconciliation,
)
from payments.services import inbox, moving, onboarding, reconciling, refunding, syncing
from payments.services.splitting import parts_after_returns


def shown(field: str, label: str) -> Callable[[Any], str]:
    """A column with an amount as people write it, in the row's currency."""

    @admin.display(description=label, ordering=field)
    def column(row: Any) -> str:
        value = getattr(row, field)
        return "" if value is None else Money(value, row.currency).in_locale("en")

    return column


class MovementLines(LookOnlyInline):
    model = Movement
    fk_name = "payment"
    fields = ("created_at", "kind", "shown_amount", "state", "reason", "failure_code", "provider_id")
    readonly_fields = fields
    shown_amount = staticmethod(shown("amount", "amount"))


class EntryLines(LookOnlyInline):
    model = LedgerEntry
    fields = ("account", "shown_amount")
    readonly_fields = fields
    shown_amount = staticmethod(shown("amount", "debit, or credit below zero"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerEntry]:
        return cast("QuerySet[LedgerEntry]", super().get_queryset(request).select_related("account"))


class OldHoldings(admin.SimpleListFilter):
    """Payments whose mentors have waited for long, the provider's limit in mind."""

    title = "held for"
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("30", "30 days or more"), ("76", "76 days or more: the limit is 90")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if not self.value():
            return queryset
        # The payee's part of the sale, times the share that was not returned, is more than what was transferred; multiplied out, as
        # integers divide to whole units.
        payee, left = F("captured_amount") - F("fee_amount") - F("tax_amount"), F("captured_amount") - F("returned_amount")
        held = queryset.alias(
            due=ExpressionWrapper(payee * left, output_field=DecimalField(max_digits=40, decimal_places=0)),
            sent=ExpressionWrapper(
                F("transferred_amount") * F("captured_amount"), output_field=DecimalField(max_digits=40, decimal_places=0)
            ),
        )
        return held.filter(due__gt=F("sent"), captured_at__lt=timezone.now() - datetime.timedelta(days=int(str(self.value()))))


class RefundForm(forms.Form):
    amount = forms.IntegerField(min_value=1, help_text="In minor units: cents, yen, fils.")
    reason = forms.ChoiceField(choices=RefundReason.choices, initial=RefundReason.GOODWILL)
    note = forms.CharField(max_length=500, help_text="Why. For the staff.")


class NoteForm(forms.Form):
    note = forms.CharField(max_length=500, help_text="Why, or how it was resolved. For the staff.")


@admin.register(Payment)
class PaymentAdmin(DeskAdmin):
    list_display = ("created_at", "description", "payer", "payee", "shown_amount", "shown_captured", "shown_returned", "state")
    list_filter = ("state", OldHoldings, "currency", "capture_mode")
    list_select_related = ("payer", "payee")
    search_fields = ("=id", "=subject_id", "=provider_id", "=charge_id", "=payer__email", "=payee__email")
    readonly_fields = ("shown_amount", "shown_fee", "shown_tax", "shown_captured", "shown_returned", "shown_transferred", "shown_parts")
    exclude = ("amount", "fee_amount", "tax_amount", "captured_amount", "returned_amount", "transferred_amount")
    inlines = (MovementLines,)
    actions = ("ask_provider",)
    change_form_template = "payments/payment_change_form.html"
    shown_amount = staticmethod(shown("amount", "amount"))
    shown_fee = staticmethod(shown("fee_amount", "platform fee of the sale"))
    shown_tax = staticmethod(shown("tax_amount", "tax of the sale"))
    shown_captured = staticmethod(shown("captured_amount", "captured"))
    shown_returned = staticmethod(shown("returned_amount", "returned"))
    shown_transferred = staticmethod(shown("transferred_amount", "transferred"))

    @admin.display(description="after returns")
    def shown_parts(self, row: Payment) -> str:
        parts = parts_after_returns(row)
        named = (("mentor", parts.payee), ("fee", parts.fee), ("tax", parts.tax))
        return ", ".join(f"{name} {money.in_locale('en')}" for name, money in named)

    @admin.action(description="Ask the provider how they stand", permissions=("act",))
    def ask_provider(self, request: HttpRequest, rows: QuerySet[Payment]) -> None:
        self.try_each(request, rows, lambda row: syncing.look_at_payment(payment_id=row.pk), "were asked about.")

    def get_urls(self) -> list[Any]:
        refund = path("<uuid:payment_id>/refund/", self.admin_site.admin_view(self.refund), name="payments_payment_refund")
        return [refund, *super().get_urls()]

    def refund(self, request: HttpRequest, payment_id: Any) -> HttpResponse:
        """A form for paying back a part."""
        if not self.has_act_permission(request):
            raise PermissionDenied
        payment = get_object_or_404(Payment, pk=payment_id)
        form = RefundForm(request.POST or None, initial={"amount": payment.returnable.amount})
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            call = lambda row: refunding.refund_payment(  # noqa: E731  (one call, for one row)
                payment_id=row.pk,
                money=Money(given["amount"], row.currency),
                reason=RefundReason(given["reason"]),
                requested_by=cast(User, request.user),
                note=given["note"],
            )
            self.try_each(request, [payment], call, "refund is on its way.")
            return redirect(reverse("admin:payments_payment_change", args=[payment.pk]))
        context = self.admin_site.each_context(request) | {
            **{"form": form, "payment": payment, "left": payment.returnable.in_locale("en"), "title": "Pay back", "opts": self.model._meta}
        }
        return render(request, "payments/refund_form.html", context)


@admin.register(Movement)
class MovementAdmin(DeskAdmin):
    """What the provider is asked to do. What is stuck waits for somebody of the staff."""

    list_display = ("created_at", "kind", "shown_amount", "state", "failure_code", "attempts", "due_at")
    list_filter = ("state", "kind", "currency")
    search_fields = ("=id", "=payment__id", "=provider_id", "=person__email")
    readonly_fields = ("shown_amount",)
    exclude = ("amount",)
    actions = ("try_again", "give_up")
    shown_amount = staticmethod(shown("amount", "amount"))

    @admin.action(description="Try again, under a new key", permissions=("act",))
    def try_again(self, request: HttpRequest, rows: QuerySet[Movement]) -> None:
        staff = cast(User, request.user)
        self.try_each(request, rows, lambda row: moving.try_again(movement=row, staff=staff, note="tried again"), "will be tried again.")

    @admin.action(description="Give these refunds up: nothing is owed any more", permissions=("act",))
    def give_up(self, request: HttpRequest, rows: QuerySet[Movement]) -> None:
        staff = cast(User, request.user)
        self.try_each(request, rows, lambda row: refunding.withdraw_refund(movement=row, staff=staff, note="given up"), "were given up.")


@admin.register(Dispute)
class DisputeAdmin(DeskAdmin):
    """Evidence is handed in at the provider, until the day that stands here."""

    list_display = ("opened_at", "shown_amount", "shown_frozen", "reason", "state", "evidence_due_at", "provider_id")
    list_filter = ("state", "reason")
    search_fields = ("=provider_id", "=payment__id")
    readonly_fields = ("shown_amount", "shown_counted", "shown_frozen")
    exclude = ("amount", "counted_amount", "frozen_amount")
    shown_amount = staticmethod(shown("amount", "amount"))
    shown_counted = staticmethod(shown("counted_amount", "not paid back before"))
    shown_frozen = staticmethod(shown("frozen_amount", "mentor's part that waits"))


@admin.register(PayoutAccount)
class PayoutAccountAdmin(DeskAdmin):
    list_display = ("person", "provider_id", "country", "is_submitted", "can_receive", "can_pay_out", "disabled_reason")
    list_filter = ("can_receive", "can_pay_out", "country")
    list_select_related = ("person",)
    search_fields = ("=person__email", "=provider_id")
    actions = ("ask_provider",)

    @admin.action(description="Ask the provider what they may do", permissions=("act",))
    def ask_provider(self, request: HttpRequest, rows: QuerySet[PayoutAccount]) -> None:
        self.try_each(request, rows, lambda row: onboarding.look_at_account(provider_id=row.provider_id), "were asked about.")


@admin.register(LedgerAccount)
class LedgerAccountAdmin(DeskAdmin):
    list_display = ("kind", "currency", "owner")
    list_filter = ("kind", "currency")
    list_select_related = ("owner",)
    search_fields = ("=owner__email",)


@admin.register(LedgerTransaction)
class LedgerTransactionAdmin(DeskAdmin):
    list_display = ("happened_at", "kind", "payment_id", "provider_record", "note")
    list_filter = ("kind",)
    search_fields = ("=id", "=payment__id", "=provider_record", "=cause")
    inlines = (EntryLines,)


@admin.register(ProviderEvent)
class ProviderEventAdmin(DeskAdmin):
    """What the provider told us to look at. Kinds that nobody knows are kept and counted as ignored."""

    list_display = ("happened_at", "kind", "object_id", "state", "attempts", "last_error")
    list_filter = ("state", "kind")
    search_fields = ("=provider_id", "=object_id", "=intent_id")
    actions = ("replay",)

    @admin.action(description="Look into these once more", permissions=("act",))
    def replay(self, request: HttpRequest, rows: QuerySet[ProviderEvent]) -> None:
        number = inbox.replay_events(event_ids=rows.values_list("pk", flat=True))
        messages.success(request, f"{number} will be looked into once more.")


@admin.register(Reconciliation)
class ReconciliationAdmin(DeskAdmin):
    list_display = ("created_at", "since", "until", "records", "findings", "finished_at", "failure")


@admin.register(Finding)
class FindingAdmin(DeskAdmin):
    """Where the provider's books and ours differ. Put it right first; then say how."""

    list_display = ("created_at", "kind", "record", "source", "shown_booked", "shown_provider", "resolved_at", "resolved_by")
    list_filter = ("kind", ("resolved_at", admin.EmptyFieldListFilter))
    list_select_related = ("resolved_by",)
    search_fields = ("=record", "=source")
    change_form_template = "payments/finding_change_form.html"
    shown_booked = staticmethod(shown("booked_amount", "in the ledger"))
    shown_provider = staticmethod(shown("provider_amount", "at the provider"))

    def get_urls(self) -> list[Any]:
        resolve = path("<uuid:finding_id>/resolve/", self.admin_site.admin_view(self.resolve), name="payments_finding_resolve")
        return [resolve, *super().get_urls()]

    def resolve(self, request: HttpRequest, finding_id: Any) -> HttpResponse:
        """A form that asks how."""
        if not self.has_act_permission(request):
            raise PermissionDenied
        finding = get_object_or_404(Finding, pk=finding_id)
        form = NoteForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            staff, note = cast(User, request.user), form.cleaned_data["note"]
            self.try_each(request, [finding], lambda row: reconciling.resolve_finding(finding=row, staff=staff, note=note), "is resolved.")
            return redirect(reverse("admin:payments_finding_change", args=[finding.pk]))
        context = self.admin_site.each_context(request) | {"form": form, "finding": finding, "title": "Resolve", "opts": self.model._meta}
        return render(request, "payments/resolve_form.html", context)


class CopyAdmin(DeskAdmin):
    """An object as the provider has it. Amounts in it are as the provider's API writes them."""

    list_display = ("id", "created", "livemode")
    search_fields = ("=id",)
    fields = ("id", "created", "livemode", "stripe_data")
    ordering = ("-created",)


# dj-stripe's own pages write to Stripe, and show amounts in minor units as major ones.
for _model in apps.get_app_config("djstripe").get_models():
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)
for _model in (copies.BalanceTransaction, copies.Charge, copies.Dispute, copies.PaymentIntent, copies.Refund, copies.Transfer):
    admin.site.register(_model, CopyAdmin)
