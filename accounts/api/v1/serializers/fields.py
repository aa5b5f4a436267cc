from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError

from accounts.models import validate_birth_date, validate_handle
from core import serializers


def _check(validate: Callable[[Any], None], value: Any) -> None:
    try:
        validate(value)
    except DjangoValidationError as error:
        raise serializers.ValidationError(error.messages[0], code=error.code or "invalid") from error


class BirthDateField(serializers.DateField):
    def to_internal_value(self, data: Any) -> Any:
        day = super().to_internal_value(data)
        _check(validate_birth_date, day)
        return day


class HandleField(serializers.CharField):
    """Small letters, digits and underscores."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=30, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        handle: str = super().to_internal_value(data).lower()
        _check(validate_handle, handle)
        return handle


class LanguageField(serializers.RegexField):
    """A language tag such as `en` or `pt-BR` (BCP 47)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z", max_length=16, **kwargs)
