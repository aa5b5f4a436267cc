"""Form fields that take one form of each type, as `core.strict` has it: for pages, and for the filters of lists.

Django's own also take American dates, other scripts' digits, and numbers with spaces or exponents. Modules of pages import these in place
of `django.forms`.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from django import forms
from django.forms import (
    BooleanField,
    CharField,
    CheckboxSelectMultiple,
    ChoiceField,
    DateInput,
    DateTimeInput,
    EmailField,
    EmailInput,
    FileField,
    Form,
    HiddenInput,
    MultipleChoiceField,
    PasswordInput,
    RadioSelect,
    Select,
    Textarea,
    TextInput,
    TypedChoiceField,
    ValidationError,
    formset_factory,
)

from core import strict

T = TypeVar("T")

__all__ = [
    "BooleanField",
    "CharField",
    "CheckboxSelectMultiple",
    "ChoiceField",
    "DateField",
    "DateInput",
    "DateTimeInput",
    "DecimalField",
    "EmailField",
    "EmailInput",
    "FileField",
    "Form",
    "HiddenInput",
    "IntegerField",
    "LocalTimeField",
    "MultipleChoiceField",
    "PasswordInput",
    "RadioSelect",
    "Select",
    "TextInput",
    "Textarea",
    "TrueOrFalseField",
    "TypedChoiceField",
    "UUIDField",
    "ValidationError",
    "formset_factory",
]


def _read(parse: Callable[[str], T], value: Any) -> T | None:
    """Parse what was sent; None where nothing was.

    Raises:
        ValidationError: it is not of the form that `parse` takes.
    """
    if value in (None, ""):
        return None
    try:
        return parse(str(value))
    except strict.Malformed as error:
        raise ValidationError(error.detail, error.code) from error


class IntegerField(forms.IntegerField):
    def to_python(self, value: Any) -> int | None:
        return _read(strict.parse_integer, value)


class DecimalField(forms.DecimalField):
    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]  # the stubs inherit from the integer
        return _read(strict.parse_decimal, value)


class DateField(forms.DateField):
    def to_python(self, value: Any) -> datetime.date | None:
        return value if isinstance(value, datetime.date) else _read(strict.parse_date, value)


class LocalTimeField(forms.DateTimeField):
    """What `<input type="datetime-local">` sends: a wall time, made aware in the current zone."""

    widget = DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def to_python(self, value: Any) -> datetime.datetime | None:
        wall = _read(strict.parse_local_time, value)
        return forms.utils.from_current_timezone(wall) if wall else None


class UUIDField(forms.UUIDField):
    def to_python(self, value: Any) -> uuid.UUID | None:  # type: ignore[override]  # the stubs inherit from text
        return _read(strict.parse_uuid, value)


class TrueOrFalseField(forms.NullBooleanField):
    """A query parameter: `true`, `false`, or nothing."""

    widget = TextInput

    def to_python(self, value: Any) -> bool | None:  # type: ignore[override]  # the stubs inherit from the box
        return _read(strict.parse_boolean, value)
