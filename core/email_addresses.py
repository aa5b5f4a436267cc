"""The one form of an e-mail address, for comparing, storing and sending."""

from __future__ import annotations

import unicodedata
from typing import Any

import idna
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.db.models.functions import Lower
from email_validator import EmailNotValidError, validate_email

from core import serializers

LONGEST_ADDRESS = 254
# Beyond the reserved names that the library knows.
_PRIVATE_DOMAINS = (".internal", ".home", ".lan")
NORMALIZED_PATTERN = r"^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]*[a-z]$"


def normalize_email(text: str) -> str:
    """Lower-case the address and encode its domain for DNS: IDNA 2008 with the non-transitional mapping of UTS 46, so that ß and
    final sigma stay apart from their look-alikes. Invisible characters are refused, joiners (CONTEXTJ) among them.

    A local part with letters outside ASCII (RFC 6531) is refused for everybody: few mail servers deliver to one, and changing the case
    of such letters can turn one mailbox into another.

    Raises:
        ValidationError: mail cannot be sent to it; the message says why.
    """
    local, at, domain = text.strip().rpartition("@")
    if local and not local.isascii():
        raise ValidationError("Addresses with letters beyond a to z before the @ are not supported yet.", code="invalid")
    if any(unicodedata.category(character) == "Cf" for character in domain):
        raise ValidationError("Type the email address again. It has a mark in it that cannot be seen.", code="invalid")
    try:
        address = validate_email(f"{local}{at}{_ascii_domain(domain)}", check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as error:
        raise ValidationError(f"{error} Enter a valid email address.", code="invalid") from error
    except UnicodeError as error:
        raise ValidationError("Enter a valid email address. There is no such domain.", code="invalid") from error
    normalized = f"{address.local_part}@{address.ascii_domain}".lower()
    if normalized.endswith(_PRIVATE_DOMAINS) or len(normalized) > LONGEST_ADDRESS:
        raise ValidationError("Enter a valid email address.", code="invalid")
    return normalized


def _ascii_domain(domain: str) -> str:
    # An ASCII domain is left to the checks that explain what is wrong with it.
    return domain if domain.isascii() else idna.encode(domain, uts46=True).decode()


def is_normalized(field: str) -> Q:
    """A database constraint: the column holds an address in its one form."""
    return Q(**{f"{field}": Lower(field)}) & Q(**{f"{field}__regex": NORMALIZED_PATTERN})


class AddressField(serializers.CharField):
    """An e-mail address, in its one form."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGEST_ADDRESS, **options)

    def to_internal_value(self, data: Any) -> str:
        try:
            return normalize_email(super().to_internal_value(data))
        except ValidationError as error:
            raise serializers.ValidationError(error.message, code=error.code) from error


class AddressFormField(forms.CharField):
    """Form field for an e-mail address, in its one form."""

    widget = forms.EmailInput

    def __init__(self, *, autocomplete: str = "off", **options: Any) -> None:
        attributes = {"autocomplete": autocomplete, "maxlength": LONGEST_ADDRESS}
        defaults: dict[str, Any] = {"label": "E-mail address", "widget": forms.EmailInput(attrs=attributes)}
        super().__init__(**(defaults | options))

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        return normalize_email(text) if text else ""
