"""The one form of a person's name. Names stand in subjects of e-mails, titles of pushes and lists that strangers read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

import idna
from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from rest_framework import serializers

from core.fields import CharField
from core.plain_text import has_link, is_visible

LONGEST_NAME = 150
# A house number or a birthday, but no phone number.
_MOST_DIGITS = 4
_ZALGO = re.compile(r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4,}")
# What the database refuses: control characters, directions, invisible characters, and blanks at the ends.
NEVER_STORED = (
    r"[\u0001-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0]"
    r"|^\s|\s$"
)


def normalize_name(text: str) -> str:
    """Put a name into composed Unicode (NFC) with single spaces.

    Raises:
        ValidationError: it cannot be a name; the message says why.
    """
    composed = unicodedata.normalize("NFC", text)
    name = " ".join(part for part in re.split(r"[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+", composed) if part)
    if len(name) > LONGEST_NAME:
        raise ValidationError(f"Use at most {LONGEST_NAME} characters.", code="max_length")
    if not all(_is_allowed(name, position) for position in range(len(name))) or _ZALGO.search(name):
        raise ValidationError("Leave out marks that cannot be seen.", code="invalid_name")
    if not any(unicodedata.category(character)[0] == "L" for character in name):
        raise ValidationError("Write a name with at least one letter.", code="invalid_name")
    if has_link(name) or "@" in name or "\uff20" in name:
        raise ValidationError("A name cannot contain an address. Write a space after a full stop.", code="invalid_name")
    if sum(character.isdigit() for character in name) > _MOST_DIGITS:
        raise ValidationError(f"A name cannot contain more than {_MOST_DIGITS} digits.", code="invalid_name")
    return name


def first_valid_name(candidates: Iterable[str], *, otherwise: str) -> str:
    """The first of these that is a name, for people whose name comes from another service."""
    for candidate in candidates:
        try:
            return normalize_name(candidate[:LONGEST_NAME])
        except ValidationError:
            continue
    return otherwise


def _is_allowed(name: str, position: int) -> bool:
    """Joiners are allowed where a script needs them (RFC 5892, appendix A) and inside an emoji."""
    character = name[position]
    if character not in "\u200c\u200d":
        return is_visible(character)
    around = name[max(0, position - 1) : position] + name[position + 1 : position + 2]
    is_emoji = len(around) == 2 and unicodedata.category(around[1]) == "So"
    return is_emoji or idna.valid_contextj(name, position)


def is_storable(field: str) -> Q:
    """A database constraint: nothing in the column hides or turns what stands around it."""
    return ~Q(**{f"{field}__regex": NEVER_STORED})


class NameField(models.CharField):
    """A column for a name; forms and the admin store it in its one form."""

    def clean(self, value: Any, model_instance: models.Model | None) -> str:
        return normalize_name(super().clean(value, model_instance))


class NameSerializerField(CharField):
    """A name, in its one form."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGEST_NAME, **options)

    def to_internal_value(self, data: Any) -> str:
        try:
            return normalize_name(super().to_internal_value(data))
        except ValidationError as error:
            raise serializers.ValidationError(error.message, code=error.code) from error


class NameFormField(forms.CharField):
    """Form field for a name, in its one form."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGEST_NAME, **options)

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        return normalize_name(text) if text else ""
