from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request

from core.money import validate_currency


def _is_currency(code: str) -> None:
    try:
        validate_currency(code)
    except ValidationError as error:
        raise serializers.ValidationError(error.message, "unknown_currency") from error


class RequestSerializer(serializers.Serializer[Any]):
    """Input of one call. A field that the call does not know is an error, so that a typing mistake is not silently ignored."""

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """The input of a request, checked.

        Raises:
            ValidationError: naming each field and rule.
        """
        form = cls(data=request.data)
        form.is_valid(raise_exception=True)
        found: dict[str, Any] = form.validated_data
        return found

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = {name: [ErrorDetail("This field is not known here.", "unknown_field")] for name in set(data) - set(self.fields)}
            if unknown:
                raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)


class MoneySerializer(RequestSerializer):
    """An amount in the smallest unit of its currency."""

    amount = serializers.IntegerField(help_text="In the smallest unit of the currency.")
    currency = serializers.CharField(max_length=3, validators=[_is_currency], help_text="ISO 4217.")


class NoFieldsSerializer(RequestSerializer):
    """Nothing is sent."""


class ProblemFieldSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457 problem document."""

    type = serializers.URLField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable and machine-readable.")
    errors = ProblemFieldSerializer(many=True, required=False)  # type: ignore[assignment]
