"""What modules of the API build their input and output from: DRF's serializers with the strict fields of `core.fields`.

`from core import serializers` stands in for `from rest_framework import serializers`, so that no lenient field is within reach.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import models
from django.utils.datastructures import MultiValueDict
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request
from rest_framework.serializers import (
    DictField,
    Field,
    FileField,
    ListField,
    Serializer,
    SerializerMethodField,
    SlugRelatedField,
    ValidationError,
)

from core.fields import (
    BooleanField,
    CharField,
    ChoiceField,
    DateField,
    DateTimeField,
    EmailField,
    FloatField,
    IntegerField,
    RegexField,
    SlugField,
    TimeField,
    URLField,
    UUIDField,
)
from core.money import validate_currency

__all__ = [
    "BooleanField",
    "CharField",
    "ChoiceField",
    "DateField",
    "DateTimeField",
    "DictField",
    "EmailField",
    "Field",
    "FileField",
    "FloatField",
    "IntegerField",
    "ListField",
    "ModelSerializer",
    "MoneySerializer",
    "NoFieldsSerializer",
    "ProblemSerializer",
    "QuerySerializer",
    "RegexField",
    "RequestSerializer",
    "Serializer",
    "SerializerMethodField",
    "SlugField",
    "SlugRelatedField",
    "TimeField",
    "URLField",
    "UUIDField",
    "ValidationError",
]

Row = TypeVar("Row", bound=models.Model)


def _is_currency(code: str) -> None:
    try:
        validate_currency(code)
    except ModelValidationError as error:
        raise ValidationError(error.message, "unknown_currency") from error


class ModelSerializer(serializers.ModelSerializer[Row]):
    # No docstring: drf-spectacular would show it for every component without one. The mapping makes input of rows as strict as any other.
    serializer_field_mapping: ClassVar[Any] = serializers.ModelSerializer.serializer_field_mapping | {
        models.BooleanField: BooleanField,
        models.CharField: CharField,
        models.DateField: DateField,
        models.DateTimeField: DateTimeField,
        models.EmailField: EmailField,
        models.FloatField: FloatField,
        models.IntegerField: IntegerField,
        models.PositiveIntegerField: IntegerField,
        models.PositiveSmallIntegerField: IntegerField,
        models.SlugField: SlugField,
        models.SmallIntegerField: IntegerField,
        models.TextField: CharField,
        models.TimeField: TimeField,
        models.URLField: URLField,
        models.UUIDField: UUIDField,
        ArrayField: ListField,
    }
    serializer_choice_field = ChoiceField

    def include_extra_kwargs(self, kwargs: Any, extra_kwargs: Any) -> Any:
        """Keep `allow_blank` on read-only choices, so that openapi.yaml says that they can be empty."""
        is_empty_possible = bool(kwargs.get("allow_blank")) and "choices" in kwargs
        included = super().include_extra_kwargs(kwargs, extra_kwargs)
        return {**included, "allow_blank": True} if is_empty_possible else included


class RequestSerializer(Serializer[Any]):
    """Input of one call. An unknown field is an error, so that a typing mistake is not silently ignored."""

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """The checked body of a request.

        Raises:
            ValidationError: naming each field and rule.
        """
        form = cls(data=request.data)
        form.is_valid(raise_exception=True)
        checked: dict[str, Any] = form.validated_data
        return checked

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, MultiValueDict):
            repeated = [name for name in data if len(data.getlist(name)) > 1 and not isinstance(self.fields.get(name), ListField)]
            if repeated:
                raise ValidationError({name: [ErrorDetail("Send this field once.", "repeated_field")] for name in repeated})
        if isinstance(data, dict):
            unknown = {name: [ErrorDetail("This field is not known here.", "unknown_field")] for name in set(data) - set(self.fields)}
            if unknown:
                raise ValidationError(unknown)
        return super().to_internal_value(data)


class QuerySerializer(Serializer[Any]):
    """The query parameters of one operation. Those that it does not have are refused by `core.operations`, for every operation alike."""

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """The checked query of a request.

        Raises:
            ValidationError: naming each parameter and rule.
        """
        form = cls(data=request.query_params)
        form.is_valid(raise_exception=True)
        checked: dict[str, Any] = form.validated_data
        return checked


class MoneySerializer(RequestSerializer):
    """An amount in the smallest unit of its currency."""

    amount = IntegerField(help_text="In the smallest unit of the currency.")
    currency = CharField(max_length=3, validators=[_is_currency], help_text="ISO 4217.")


class NoFieldsSerializer(RequestSerializer):
    """Nothing is sent."""


class ProblemFieldSerializer(Serializer[Any]):
    field = CharField()
    code = CharField()
    detail = CharField()


class ProblemSerializer(Serializer[Any]):
    """RFC 9457 problem document."""

    type = URLField()
    title = CharField()
    status = IntegerField()
    detail = CharField()
    code = CharField(help_text="Stable and machine-readable.")
    errors = ProblemFieldSerializer(many=True, required=False)  # type: ignore[assignment]
