from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from import_export import resources
from import_export.admin import ImportExportModelAdmin
from unfold.admin import TabularInline
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from catalog.models import Category, CorpusStatistics, ImportRefusal, ImportRun, Occupation, Opportunity, Skill
from catalog.querysets import INDEX_COLUMNS
from catalog.services.documents import digest, skill_keys
from catalog.services.indexing import index_opportunities
from core.admin import AuditedAdmin, ReadOnlyAdmin


class CatalogueAdmin(ImportExportModelAdmin, AuditedAdmin):
    import_form_class = ImportForm
    export_form_class = ExportForm
    show_full_result_count = False
    list_per_page = 50


def _describe_category(category: Category) -> None:
    category.content_hash = digest(category.name, category.description)


def _describe_skill(skill: Skill) -> None:
    skill.keys = skill_keys(skill.name, skill.alternative_names)
    skill.content_hash = digest(skill.name)


class CategoryResource(resources.ModelResource):
    class Meta:
        model = Category
        import_id_fields = ("source_id",)
        fields = ("source_id", "slug", "name", "description", "parent__source_id", "state")
        skip_unchanged = True

    def before_save_instance(self, instance: Category, row: Any, **kwargs: Any) -> None:
        _describe_category(instance)


class SkillResource(resources.ModelResource):
    class Meta:
        model = Skill
        import_id_fields = ("source", "source_id")
        fields = ("source", "source_id", "name", "alternative_names", "description", "state")
        skip_unchanged = True

    def before_save_instance(self, instance: Skill, row: Any, **kwargs: Any) -> None:
        _describe_skill(instance)


class OpportunityResource(resources.ModelResource):
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
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012  (the admin's own declaration style)
    exclude = ("content_hash",)

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:
        _describe_category(obj)
        super().save_model(request, obj, form, change)


@admin.register(Skill)
class SkillAdmin(CatalogueAdmin):
    resource_classes = (SkillResource,)
    list_display = ("name", "source", "state", "embedding_model")
    list_filter = ("state", "source")
    search_fields = ("name", "=source_id")
    exclude = ("content_hash",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Skill]:
        return super().get_queryset(request).defer("embedding", "twin_embedding")

    def save_model(self, request: HttpRequest, obj: Skill, form: Any, change: bool) -> None:
        _describe_skill(obj)
        super().save_model(request, obj, form, change)


@admin.register(Occupation)
class OccupationAdmin(CatalogueAdmin):
    list_display = ("title", "source", "state")
    list_filter = ("state", "source")
    search_fields = ("title", "=source_id")


@admin.register(Opportunity)
class OpportunityAdmin(CatalogueAdmin):
    resource_classes = (OpportunityResource,)
    list_display = ("title", "kind", "state", "organisation", "source", "deadline_on", "category", "updated_at")
    list_filter = ("state", "kind", "is_remote", "source", "category")
    search_fields = ("title", "organisation", "=source_id")
    list_select_related = ("category",)
    autocomplete_fields = ("category", "skills")
    raw_id_fields = ("posted_by",)
    readonly_fields = ("alternative_titles", "skill_terms", "embedding_model", "last_import", "created_at", "updated_at")
    exclude = ("content_hash",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Opportunity]:
        return super().get_queryset(request).defer(*INDEX_COLUMNS)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "url":
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

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


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "file_name", "state", "added", "changed", "unchanged", "retired", "refused", "finished_at")
    list_filter = ("kind", "state")
    search_fields = ("file_name", "=id")
    inlines = (ImportRefusalInline,)
    show_full_result_count = False


@admin.register(CorpusStatistics)
class CorpusStatisticsAdmin(ReadOnlyAdmin):
    list_display = ("documents", "average_length", "counted_at")
