"""Serializer fields that take one form of each type: `core.strict` for text, JSON's own type in a JSON body.

The fields of Django REST framework, whose names they have, also take week dates, other scripts' digits, "yes" for true, and numbers for
text. Modules of the API import these through `core.serializers`.
"""

from __future__ import annotations

import datetime
import math
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from rest_framework import serializers
from rest_framework.utils import html

from core import strict

T = TypeVar("T")


def _read(parse: Callable[[str], T], value: Any) -> T:
    """Parse a text.

    Raises:
        ValidationError: it is not text, or `parse` refuses it.
    """
    try:
        return parse(value if isinstance(value, str) else "")
    except strict.Malformed as error:
        raise serializers.ValidationError(error.detail, error.code) from error


def _is_form(field: Any) -> bool:
    """Whether the input is a query or a form, in which every value is text."""
    return bool(html.is_html_input(getattr(field.root, "initial_data", None)))


class DateTimeField(serializers.DateTimeField):
    """An RFC 3339 instant with its offset."""

    def to_internal_value(self, value: Any) -> datetime.datetime:
        return _read(strict.parse_instant, value)


class DateField(serializers.DateField):
    """YYYY-MM-DD."""

    def to_internal_value(self, value: Any) -> datetime.date:
        return _read(strict.parse_date, value)


class TimeField(serializers.TimeField):
    """HH:MM, from 00:00 to 23:59."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format="%H:%M", **options)

    def to_internal_value(self, value: Any) -> datetime.time:
        return _read(strict.parse_wall_time, value)


class UUIDField(serializers.UUIDField):
    def to_internal_value(self, data: Any) -> uuid.UUID:
        return _read(strict.parse_uuid, data)


class IntegerField(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if _is_form(self):
            return _read(strict.parse_integer, data)
        if type(data) is not int:
            self.fail("invalid")
        return int(data)


class FloatField(serializers.FloatField):
    def to_internal_value(self, data: Any) -> float:
        if _is_form(self):
            return float(_read(strict.parse_decimal, data))
        if type(data) not in (int, float) or abs(data) > 2**53 or not math.isfinite(data):
            self.fail("invalid")
        return float(data)


class BooleanField(serializers.BooleanField):
    # DRF reads a missing checkbox of a form as false; a missing query parameter is missing.
    default_empty_html = serializers.empty

    def to_internal_value(self, data: Any) -> bool:
        if _is_form(self):
            return _read(strict.parse_boolean, data)
        if type(data) is not bool:
            self.fail("invalid")
        return bool(data)


class ChoiceField(serializers.ChoiceField):
    """In JSON a choice has the type of the value that it stands for."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) and (type(data) is not int or _is_form(self)):
            self.fail("invalid_choice", input=data)
        chosen = super().to_internal_value(data)
        if not _is_form(self) and isinstance(chosen, str) != isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return chosen


class CharField(serializers.CharField):
    """Text alone: a number is not taken for its digits."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class EmailField(CharField, serializers.EmailField):
    pass


class URLField(CharField, serializers.URLField):
    pass


class SlugField(CharField, serializers.SlugField):
    pass


class RegexField(CharField, serializers.RegexField):
    """Matches the whole text, including spaces at its ends."""

    def __init__(self, regex: Any, **options: Any) -> None:
        super().__init__(regex, trim_whitespace=False, **options)
