"""Filters of lists with strict values. Use these instead of django-filter's own for their types."""

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
