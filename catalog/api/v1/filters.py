from __future__ import annotations

import re
from typing import Any, cast

import django_filters
from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet

from catalog.enums import OpportunityKind, OpportunityState, TermState
from catalog.models import Category, Opportunity
from catalog.querysets import OpportunityQuerySet
from catalog.services.places import Point, point_of
from catalog.services.searches import narrows_searches
from catalog.services.taxonomy import present_ids
from core.errors import FieldError, InvalidInput
from core.filters import BooleanFilter, DateFilter, IntegerFilter

_RADIUS_KM = 50
_DEGREES = re.compile(r"(-?[0-9]{1,2}(?:\.[0-9]{1,10})?) *, *(-?[0-9]{1,3}(?:\.[0-9]{1,10})?)")


def read_point(near: str) -> Point:
    """The place of a `near` parameter.

    Raises:
        InvalidInput: it is no city that is known here, and no degrees.
    """
    degrees = _DEGREES.fullmatch(near.strip())
    here = Point(float(degrees[1]), float(degrees[2])) if degrees else point_of(near)
    if here is None or abs(here.latitude) > 90 or abs(here.longitude) > 180:
        raise InvalidInput(errors=(FieldError("near", "unknown_place", "Name a city, such as Oslo, or latitude and longitude."),))
    return here


class OpportunityFilter(django_filters.FilterSet):
    """The filters of the catalogue. `category` takes in what is below it."""

    kind = django_filters.MultipleChoiceFilter(choices=OpportunityKind.choices, distinct=False)
    category = django_filters.ModelChoiceFilter(
        queryset=Category.objects.exclude(state=TermState.RETIRED), to_field_name="slug", method="filter_category"
    )
    location = django_filters.CharFilter(lookup_expr="icontains", max_length=100)
    remote = BooleanFilter(field_name="is_remote")
    language = django_filters.CharFilter(max_length=16)
    near = django_filters.CharFilter(
        method="filter_near", max_length=100, label="A city, such as Oslo or Paris, Texas; or latitude,longitude."
    )
    radius_km = IntegerFilter(method="keep", min_value=1, max_value=20_000, label="How far from `near`, in kilometres; 50 if not stated.")
    deadline_before = DateFilter(field_name="deadline_on", lookup_expr="lt")
    q = django_filters.CharFilter(method="filter_words", max_length=500, label="Words that must stand in it.")

    class Meta:
        model = Opportunity
        fields: tuple[str, ...] = ()

    def filter_near(self, rows: OpportunityQuerySet, name: str, value: str) -> OpportunityQuerySet:
        here = read_point(value)
        return rows.near(here.latitude, here.longitude, kilometres=float(self.form.cleaned_data.get("radius_km") or _RADIUS_KM))

    def keep(self, rows: OpportunityQuerySet, name: str, value: int) -> OpportunityQuerySet:
        """`radius_km` says nothing by itself."""
        return rows

    def filter_category(self, rows: OpportunityQuerySet, name: str, value: Category) -> OpportunityQuerySet:
        return rows.under(present_ids(Category, [value.pk]))

    def filter_words(self, rows: OpportunityQuerySet, name: str, value: str) -> QuerySet[Opportunity, Any]:
        return rows.filter(Q(search_vector=SearchQuery(value, config="soosh", search_type="websearch")))


@narrows_searches
def narrow(rows: OpportunityQuerySet, filters: dict[str, Any]) -> OpportunityQuerySet:
    """The rows that a saved search finds."""
    found = OpportunityFilter(filters, queryset=rows)
    return cast(OpportunityQuerySet, found.qs) if found.is_valid() else rows.none()


class ManagedOpportunityFilter(django_filters.FilterSet):
    """The filters of one's own postings."""

    state = django_filters.MultipleChoiceFilter(choices=OpportunityState.choices, distinct=False)
    posting_organisation = django_filters.CharFilter(field_name="posting_organisation__slug", max_length=100)

    class Meta:
        model = Opportunity
        fields: tuple[str, ...] = ()


class SearchFilter(OpportunityFilter):
    """The same filters, where `q` is ranked instead."""

    q = None  # type: ignore[assignment]
