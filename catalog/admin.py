from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet, URLField
from django.http import HttpRequest
from import_export import resources
from import_export.admin import ImportExportModelAdmin
from unfold.admin import TabularInline
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from accounts.models import User
from catalog.enums import OrganisationState
from catalog.models import (
    Category,
    CorpusStatistics,
    ImportRefusal,
    ImportRun,
    Occupation,
    Opportunity,
    Organisation,
    OrganisationMember,
    PostingReview,
    Skill,
)
from catalog.querysets import INDEX_COLUMNS
from catalog.services import lifecycle, organisations
from catalog.services.documents import digest, skill_keys
from catalog.services.indexing import index_opportunities
from core.admin import AuditedAdmin, ReadOnlyAdmin
from core.errors import DomainError
from core.querysets import COLUMNS_OF_VECTORS
from core.spreadsheets import bare_cell, plain_cell


class CatalogueAdmin(ImportExportModelAdmin, AuditedAdmin):
    import_form_class = ImportForm
    export_form_class = ExportForm
    show_full_result_count = False
    list_per_page = 50


class HttpsByDefault(AuditedAdmin):
    """An address that is typed without its scheme is taken for a safe one."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, URLField):
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class SafeResource(resources.ModelResource):
    """Rows whose texts no spreadsheet runs: an apostrophe stands before them, and goes when the file comes back."""

    def export_field(self, field: Any, instance: Any, **kwargs: Any) -> Any:
        value = super().export_field(field, instance, **kwargs)
        return plain_cell(value) if isinstance(value, str) else value

    def before_import_row(self, row: Any, **kwargs: Any) -> None:
        for name, cell in row.items():
            if isinstance(cell, str):
                row[name] = bare_cell(cell)


def _describe_category(category: Category) -> None:
    category.content_hash = digest(category.name, category.description)


def _describe_skill(skill: Skill) -> None:
    skill.keys = skill_keys(skill.name, skill.alternative_names)
    skill.content_hash = digest(skill.name)


class CategoryResource(SafeResource):
    class Meta:
        model = Category
        import_id_fields = ("source_id",)
        fields = ("source_id", "slug", "name", "description", "parent__source_id", "state")
        skip_unchanged = True

    def before_save_instance(self, instance: Category, row: Any, **kwargs: Any) -> None:
        _describe_category(instance)


class SkillResource(SafeResource):
    class Meta:
        model = Skill
        import_id_fields = ("source", "source_id")
        fields = ("source", "source_id", "name", "alternative_names", "description", "state")
        skip_unchanged = True

    def before_save_instance(self, instance: Skill, row: Any, **kwargs: Any) -> None:
        _describe_skill(instance)


class OpportunityResource(SafeResource):
    class Meta:
        model = Opportunity
        import_id_fields = ("source", "source_id")
        fields = (
            *("source", "source_id", "kind", "state", "title", "description", "organisation", "location", "is_remote", "url"),
            *("language", "licence", "tags", "starts_on", "ends_on", "deadline_on"),
        )
        skip_unchanged = True

    def after_save_instance(self, instance: Opportunity, row: Any, **kwargs: Any) -> None:
        if not kwargs.get("dry_run"):
            index_opportunities([instance.pk])


@admin.register(Category)
class CategoryAdmin(CatalogueAdmin):
    resource_classes = (CategoryResource,)
    list_display = ("name", "parent", "state", "source_id")
    list_filter = ("state",)
    search_fields = ("name", "slug", "=source_id")
    list_select_related = ("parent",)
    autocomplete_fields = ("parent",)
    readonly_fields = ("successors",)
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012  (the admin's own declaration style)
    exclude = ("content_hash",)

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:
        _describe_category(obj)
        super().save_model(request, obj, form, change)


@admin.register(Skill)
class SkillAdmin(CatalogueAdmin):
    resource_classes = (SkillResource,)
    list_display = ("name", "source", "state", "embedding_model")
    readonly_fields = ("successors",)
    list_filter = ("state", "source")
    search_fields = ("name", "=source_id")
    exclude = ("content_hash",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Skill]:
        return super().get_queryset(request).defer(*COLUMNS_OF_VECTORS)

    def save_model(self, request: HttpRequest, obj: Skill, form: Any, change: bool) -> None:
        _describe_skill(obj)
        super().save_model(request, obj, form, change)


@admin.register(Occupation)
class OccupationAdmin(CatalogueAdmin):
    list_display = ("title", "source", "state")
    list_filter = ("state", "source")
    search_fields = ("title", "=source_id")


@admin.register(Opportunity)
class OpportunityAdmin(HttpsByDefault, CatalogueAdmin):
    resource_classes = (OpportunityResource,)
    list_display = ("title", "kind", "state", "organisation", "source", "deadline_on", "category", "updated_at")
    list_filter = ("state", "kind", "is_remote", "source", "category")
    search_fields = ("title", "organisation", "=source_id")
    list_select_related = ("category",)
    autocomplete_fields = ("category", "skills", "posting_organisation")
    raw_id_fields = ("posted_by",)
    readonly_fields = (
        *("state", "open_until", "published_at", "confirmed_at", "confirmation_asked_at", "duplicate_of"),
        *("alternative_titles", "skill_terms", "embedding_model", "last_import", "created_at", "updated_at"),
    )
    exclude = ("content_hash",)
    actions = ("approve", "send_back", "pause", "resume", "close")

    @admin.action(description="Approve: let it go live", permissions=("change",))
    def approve(self, request: HttpRequest, rows: QuerySet[Opportunity]) -> None:
        staff_id = cast(User, request.user).pk
        self._move(request, rows, lambda **row: lifecycle.decide_review(staff_id=staff_id, is_approved=True, **row))

    @admin.action(description="Send back to its poster as a draft", permissions=("change",))
    def send_back(self, request: HttpRequest, rows: QuerySet[Opportunity]) -> None:
        staff_id = cast(User, request.user).pk
        self._move(request, rows, lambda **row: lifecycle.decide_review(staff_id=staff_id, is_approved=False, **row))

    @admin.action(description="Pause", permissions=("change",))
    def pause(self, request: HttpRequest, rows: QuerySet[Opportunity]) -> None:
        self._move(request, rows, lifecycle.pause_opportunity)

    @admin.action(description="Show again", permissions=("change",))
    def resume(self, request: HttpRequest, rows: QuerySet[Opportunity]) -> None:
        self._move(request, rows, lifecycle.resume_opportunity)

    @admin.action(description="Close for good", permissions=("change",))
    def close(self, request: HttpRequest, rows: QuerySet[Opportunity]) -> None:
        self._move(request, rows, lifecycle.close_opportunity)

    def _move(self, request: HttpRequest, rows: QuerySet[Opportunity], move: Callable[..., None]) -> None:
        for opportunity in rows:
            try:
                move(opportunity_id=opportunity.pk)
                self.log_change(request, opportunity, [{"changed": {"fields": ["state"]}}])
            except DomainError as refusal:
                self.message_user(request, f"{opportunity}: {refusal.detail}", level=messages.ERROR)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Opportunity]:
        return super().get_queryset(request).defer(*INDEX_COLUMNS)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        index_opportunities([form.instance.pk])


class ImportRefusalInline(TabularInline):
    model = ImportRefusal
    fields = ("line", "reason")
    readonly_fields = fields
    extra = 0
    can_delete = False
    per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OrganisationMemberInline(TabularInline):
    model = OrganisationMember
    raw_id_fields = ("user",)
    extra = 0


@admin.register(Organisation)
class OrganisationAdmin(HttpsByDefault, AuditedAdmin):
    list_display = ("name", "state", "website", "verified_at", "created_at")
    list_filter = ("state",)
    search_fields = ("name", "=slug")
    readonly_fields = ("state", "verified_at")
    inlines = (OrganisationMemberInline,)
    actions = ("verify", "suspend")

    @admin.action(description="Verify: what it posts is live at once", permissions=("change",))
    def verify(self, request: HttpRequest, rows: QuerySet[Organisation]) -> None:
        for organisation in rows:
            organisations.decide_organisation(organisation=organisation, state=OrganisationState.VERIFIED)
            self.log_change(request, organisation, [{"changed": {"fields": ["state"]}}])

    @admin.action(description="Suspend: it may not post, and what it shows is paused", permissions=("change",))
    def suspend(self, request: HttpRequest, rows: QuerySet[Organisation]) -> None:
        for organisation in rows:
            organisations.decide_organisation(organisation=organisation, state=OrganisationState.SUSPENDED)
            self.log_change(request, organisation, [{"changed": {"fields": ["state"]}}])


@admin.register(PostingReview)
class PostingReviewAdmin(ReadOnlyAdmin):
    list_display = ("opportunity", "state", "signals", "excerpts", "created_at", "decided_at", "decided_by")
    list_filter = ("state",)
    list_select_related = ("opportunity", "decided_by")
    search_fields = ("opportunity__title", "=opportunity__id")


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at",
        "kind",
        "file_name",
        "state",
        "added",
        "changed",
        "unchanged",
        "retired",
        "missing",
        "refused",
        "finished_at",
    )
    list_filter = ("kind", "state")
    search_fields = ("file_name", "=id")
    inlines = (ImportRefusalInline,)
    show_full_result_count = False


@admin.register(CorpusStatistics)
class CorpusStatisticsAdmin(ReadOnlyAdmin):
    list_display = ("documents", "average_length", "counted_at")
