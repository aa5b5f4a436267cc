"""The one form of a password, for storing and comparing: the profile OpaqueString of RFC 8265.

Unicode NFC, other spaces become U+0020, nothing is trimmed, case and width stay. Control characters and the empty text are refused.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from precis_i18n import get_profile

from core import serializers

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 128
# What may be sent: composing characters makes a text shorter, so the length is checked afterwards, in code points.
LONGEST_INPUT = 512
_PROFILE = get_profile("OpaqueString")


def normalize_password(text: str) -> str:
    """Put a password into its one form.

    Raises:
        ValidationError: the text cannot be a password.
    """
    if len(text) > LONGEST_INPUT:
        raise ValidationError(f"Use at most {LONGEST_PASSWORD} characters.", code="max_length")
    try:
        password: str = _PROFILE.enforce(text)
    except UnicodeEncodeError as error:
        raise ValidationError("Leave out marks that cannot be seen.", code="invalid_password") from error
    if len(password) > LONGEST_PASSWORD:
        raise ValidationError(f"Use at most {LONGEST_PASSWORD} characters.", code="max_length")
    return password


def is_password(text: str) -> bool:
    """Whether the text could be stored as a password today."""
    try:
        normalize_password(text)
    except ValidationError:
        return False
    return True


class PasswordFormValidator:
    """For AUTH_PASSWORD_VALIDATORS: refuses what `normalize_password` does, on every path that sets a password."""

    def validate(self, password: str, user: Any = None) -> None:
        normalize_password(password)

    def get_help_text(self) -> str:
        return f"Use {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters of any script; spaces count."


class PasswordField(serializers.CharField):
    """The present password, as it was typed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGEST_INPUT, trim_whitespace=False, write_only=True, **options)


class NewPasswordField(serializers.CharField):
    """A new password. Rules that need the person (common, like the address, digits only) are checked later, by Django's validators."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD, trim_whitespace=False, write_only=True, **options)

    def to_internal_value(self, data: Any) -> str:
        try:
            return normalize_password(super().to_internal_value(data))
        except ValidationError as error:
            raise serializers.ValidationError(error.message, code=error.code) from error


class PasswordFormField(forms.CharField):
    """The present password, as it was typed."""

    def __init__(self, *, autocomplete: str = "current-password", **options: Any) -> None:
        defaults: dict[str, Any] = {"label": "Password", "max_length": LONGEST_INPUT}
        widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
        super().__init__(strip=False, widget=widget, **(defaults | options))


class NewPasswordFormField(PasswordFormField):
    def __init__(self, **options: Any) -> None:
        defaults: dict[str, Any] = {"min_length": SHORTEST_PASSWORD, "max_length": LONGEST_PASSWORD}
        super().__init__(autocomplete="new-password", **(defaults | options))

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        return normalize_password(text) if text else ""
