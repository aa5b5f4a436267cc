from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from typing import Any, cast

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_POST
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminEmailInputWidget

from accounts.enums import Role
from accounts.errors import ChildNeedsGuardianProfile, ManagedProfile
from accounts.middleware import SESSION_KEY
from accounts.models import (
    Block,
    ConsentDecision,
    DataExport,
    Device,
    Erasure,
    Guardianship,
    Impersonation,
    InvitationRefusal,
    LinkedProvider,
    SecurityEvent,
    User,
)
from accounts.models.people import WARD_DOMAIN
from accounts.policies import can_be_born_on, can_have_role, can_impersonate, can_manage_person
from accounts.services import devices, erasing, impersonating, staff
from accounts.services.address_proof import prove_address
from accounts.web.forms import StaffSignInForm
from core.admin import AuditedAdmin, ReadOnlyAdmin
from core.email_addresses import AddressFormField
from core.errors import DomainError, Forbidden

admin.site.login_form = StaffSignInForm
admin.site.login_template = "accounts/staff_sign_in.html"
admin.site.unregister(Group)
for _model in (EmailAddress, Authenticator):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


def _actor(request: HttpRequest) -> User:
    """Who of staff it is. The admin lets nobody else in."""
    return cast(User, request.user)


class PersonCreationForm(UserCreationForm):
    email = AddressFormField(widget=UnfoldAdminEmailInputWidget)


class PersonChangeForm(UserChangeForm):
    """The rules about birth dates and children's profiles hold for staff too."""

    def clean_birth_date(self) -> datetime.date | None:
        birth_date: datetime.date | None = self.cleaned_data["birth_date"]
        if birth_date != self.initial.get("birth_date") and not can_be_born_on(self.instance, birth_date):
            raise forms.ValidationError(str(ChildNeedsGuardianProfile.message), code=ChildNeedsGuardianProfile.code)
        return birth_date

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        role, is_superuser = (cleaned.get(name, getattr(self.instance, name)) for name in ("role", "is_superuser"))
        if not can_have_role(self.instance, role, is_superuser=is_superuser):
            raise forms.ValidationError(str(ManagedProfile.message), code=ManagedProfile.code)
        return cleaned


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=300, help_text="For the audit log. The person can ask for it: it is in the copy of their data.")


@admin.register(User)
class UserAdmin(DjangoUserAdmin, AuditedAdmin):  # type: ignore[type-arg]
    form = PersonChangeForm
    add_form = PersonCreationForm
    change_form_template = "accounts/user_change_form.html"
    change_password_form = AdminPasswordChangeForm
    ordering = ("-id",)
    list_display = ("email", "full_name", "handle", "role", "is_active", "suspended_at", "created_at", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("email", "full_name", "handle", "=id")
    readonly_fields = ("is_active", "suspended_at", "suspension_reason", "erased_at", "created_at", "updated_at", "last_login")
    show_full_result_count = False
    actions = ("suspend", "reinstate", "sign_out", "erase")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("full_name", "handle", "bio", "languages", "birth_date", "time_zone", "locale")}),
        ("Rights", {"fields": ("role", "is_superuser", "groups", "user_permissions")}),
        ("State", {"fields": ("is_active", "suspended_at", "suspension_reason", "erased_at")}),
        ("Times", {"fields": ("created_at", "updated_at", "last_login")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "full_name", "password1", "password2")}),)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # People are erased, which other apps take part in; a deleted row would leave their data behind.
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """One's own row too, for the password; other staff only as the rule for managing people says."""
        is_theirs = obj is None or obj.pk == request.user.pk or can_manage_person(_actor(request), obj)
        return is_theirs and super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # An address changes when its owner proves the new one.
        address = ("email",) if obj else ()
        rights = () if _actor(request).is_superuser else ("role", "is_superuser", "groups", "user_permissions")
        return (*self.readonly_fields, *address, *rights)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if obj.role != Role.STAFF:
            obj.is_superuser = False
        super().save_model(request, obj, form, change)
        if not change:
            # Staff who give somebody a password answer for the address too.
            prove_address(user=obj, is_same_person=True)

    def get_urls(self) -> list[Any]:
        start, end = (self.admin_site.admin_view(view) for view in (self.impersonate, require_POST(self.end_impersonation)))
        return [
            path("<uuid:person_id>/impersonate/", start, name="accounts_user_impersonate"),
            path("impersonation/end/", end, name="accounts_impersonation_end"),
            *super().get_urls(),
        ]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        person = self.get_object(request, object_id)
        may_look = person is not None and can_impersonate(_actor(request), person)
        return super().change_view(request, object_id, form_url, {"can_impersonate": may_look, **(extra_context or {})})

    def impersonate(self, request: HttpRequest, person_id: uuid.UUID) -> HttpResponse:
        """A form that asks why; then the pages as this person sees them."""
        person = get_object_or_404(User, pk=person_id)
        if not can_impersonate(_actor(request), person):
            raise PermissionDenied
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            row = impersonating.start_impersonation(staff=_actor(request), person=person, reason=form.cleaned_data["reason"])
            request.session[SESSION_KEY] = str(row.pk)
            return redirect("dashboard")
        context = {"form": form, "person": person, "title": f"See Soosh as {person} does", "opts": self.model._meta}
        return render(request, "accounts/impersonate_form.html", self.admin_site.each_context(request) | context)

    def end_impersonation(self, request: HttpRequest) -> HttpResponse:
        """Back to what staff see themselves, where they began."""
        row = Impersonation.objects.filter(pk=request.session.pop(SESSION_KEY, None), staff=_actor(request)).first()
        if row is None:
            return redirect("admin:index")
        impersonating.end_impersonation(impersonation=row)
        messages.success(request, "You see Soosh as yourself again.")
        return redirect("admin:accounts_user_change", row.person_id)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        if User.objects.filter(pk=id, email__endswith=f"@{WARD_DOMAIN}").exists():
            raise PermissionDenied
        response = super().user_change_password(request, id, form_url)
        if request.method == "POST" and response.status_code == 302:
            devices.end_all_devices(user=User.objects.get(pk=id))
        return response

    @admin.action(description="Suspend (reason: by staff)", permissions=("change",))
    def suspend(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, lambda person: staff.suspend_person(actor=_actor(request), person=person, reason="by staff"))

    @admin.action(description="Reinstate", permissions=("change",))
    def reinstate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, lambda person: staff.reinstate_person(actor=_actor(request), person=person))

    @admin.action(description="Sign out everywhere", permissions=("change",))
    def sign_out(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, lambda person: self._sign_out(request, person))

    def _sign_out(self, request: HttpRequest, person: User) -> None:
        if not self.has_change_permission(request, person):
            raise Forbidden
        self._audit(request, "signed out", person)
        devices.end_all_devices(user=person)

    @admin.action(description="Erase (with time to undo)", permissions=("change",))
    def erase(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, lambda person: erasing.request_erasure(user=person, actor=_actor(request)))

    def _each(self, request: HttpRequest, queryset: QuerySet[User], act: Callable[[User], object]) -> None:
        done = 0
        for person in queryset:
            try:
                act(person)
                done += 1
            except DomainError as error:
                messages.error(request, f"{person}: {error.detail}")
        messages.success(request, f"Done for {done}.")


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    list_display = ("email", "user", "verified", "primary")
    list_filter = ("verified", "primary")
    search_fields = ("email",)
    list_select_related = ("user",)
    show_full_result_count = False


@admin.register(Group)
class GroupAdmin(AuditedAdmin):
    search_fields = ("name",)
    filter_horizontal = ("permissions",)


class PersonalAdmin(ReadOnlyAdmin):
    """Rows about one person each: staff look, which is logged, and the services change."""

    list_select_related = ("user",)
    show_full_result_count = False


@admin.register(Device)
class DeviceAdmin(PersonalAdmin):
    list_display = ("user", "kind", "name", "ip_address", "last_used_at", "created_at")
    list_filter = ("kind",)
    search_fields = ("=id", "user__email")
    fields = ("user", "kind", "name", "user_agent", "ip_address", "last_used_at", "created_at")
    actions = ("sign_out",)

    def has_sign_out_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.delete_device")

    @admin.action(description="Sign out", permissions=("sign_out",))
    def sign_out(self, request: HttpRequest, queryset: QuerySet[Device]) -> None:
        for device in queryset.select_related("user"):
            self._audit(request, "signed out", device)
            devices.end_device(user=device.user, device_id=device.pk, request=request)


@admin.register(Impersonation)
class ImpersonationAdmin(ReadOnlyAdmin):
    """Who of staff looked at the pages as somebody else, and why."""

    list_display = ("created_at", "staff", "person", "reason", "ends_at")
    search_fields = ("=id", "staff__email", "person__email")
    list_select_related = ("staff", "person")
    show_full_result_count = False


@admin.register(LinkedProvider)
class LinkedProviderAdmin(PersonalAdmin):
    list_display = ("user", "provider", "email", "last_used_at", "created_at")
    list_filter = ("provider",)
    search_fields = ("=id", "user__email", "email")


@admin.register(SecurityEvent)
class SecurityEventAdmin(PersonalAdmin):
    list_display = ("created_at", "user", "kind", "device_name", "ip_address", "detail")
    list_filter = ("kind",)
    search_fields = ("=id", "user__email", "=ip_address")


@admin.register(ConsentDecision)
class ConsentDecisionAdmin(PersonalAdmin):
    list_display = ("created_at", "user", "purpose", "is_granted", "text_version", "source")
    list_filter = ("purpose", "is_granted", "source")
    search_fields = ("=id", "user__email")


@admin.register(Block)
class BlockAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "blocker", "blocked")
    search_fields = ("=id", "blocker__email", "blocked__email")
    list_select_related = ("blocker", "blocked")
    show_full_result_count = False


@admin.register(Guardianship)
class GuardianshipAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "ward", "guardian", "guardian_email", "state", "accepted_at")
    list_filter = ("state",)
    search_fields = ("=id", "ward__email", "guardian__email", "guardian_email")
    list_select_related = ("ward", "guardian")
    show_full_result_count = False


@admin.register(InvitationRefusal)
class InvitationRefusalAdmin(AuditedAdmin):
    """Mailboxes that want no invitations. Staff may take one out, when its owner asks for that."""

    list_display = ("created_at", "address_digest")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(DataExport)
class DataExportAdmin(PersonalAdmin):
    list_display = ("created_at", "user", "state", "parts_done", "parts_total", "size_bytes", "expires_at")
    list_filter = ("state",)
    search_fields = ("=id", "user__email")


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "person_id", "state", "due_at", "done_at", "remains")
    list_filter = ("state",)
    search_fields = ("=id", "=person_id")
    show_full_result_count = False
