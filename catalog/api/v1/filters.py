from __future__ import annotations

from typing import Any

import django_filters
from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet

from catalog.enums import OpportunityKind, OpportunityState, TermState
from catalog.models import Category, Opportunity
from catalog.querysets import OpportunityQuerySet
from catalog.services.taxonomy import present_ids


class OpportunityFilter(django_filters.FilterSet):
    """The filters of the catalogue. `category` takes in what is below it."""

    kind = django_filters.MultipleChoiceFilter(choices=OpportunityKind.choices)
    category = django_filters.ModelChoiceFilter(
        queryset=Category.objects.exclude(state=TermState.RETIRED), to_field_name="slug", method="filter_category"
    )
    location = django_filters.CharFilter(lookup_expr="icontains", max_length=100)
    remote = django_filters.BooleanFilter(field_name="is_remote")
    language = django_filters.CharFilter(max_length=16)
    deadline_before = django_filters.DateFilter(field_name="deadline_on", lookup_expr="lt")
    q = django_filters.CharFilter(method="filter_words", max_length=500, label="Words that must stand in it.")

    class Meta:
        model = Opportunity
        fields: tuple[str, ...] = ()

    def filter_category(self, rows: OpportunityQuerySet, name: str, value: Category) -> OpportunityQuerySet:
        return rows.under(present_ids(Category, [value.pk]))

    def filter_words(self, rows: OpportunityQuerySet, name: str, value: str) -> QuerySet[Opportunity, Any]:
        return rows.filter(Q(search_vector=SearchQuery(value, config="soosh", search_type="websearch")))


class ManagedOpportunityFilter(django_filters.FilterSet):
    """The filters of one's own postings."""

    state = django_filters.MultipleChoiceFilter(choices=OpportunityState.choices)
    posting_organisation = django_filters.CharFilter(field_name="posting_organisation__slug", max_length=100)

    class Meta:
        model = Opportunity
        fields: tuple[str, ...] = ()


class SearchFilter(OpportunityFilter):
    """The same filters, where `q` is ranked instead."""

    q = None  # type: ignore[assignment]
