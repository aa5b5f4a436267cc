"""Filters of lists whose values have one form. Filters of rows by these types are made of them, not of django-filter's own."""

from __future__ import annotations

import django_filters

from core import forms


class IntegerFilter(django_filters.NumberFilter):
    field_class = forms.IntegerField


class DateFilter(django_filters.DateFilter):
    field_class = forms.DateField


class BooleanFilter(django_filters.BooleanFilter):
    """Takes `true` and `false`."""

    field_class = forms.TrueOrFalseField
