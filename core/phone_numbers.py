"""Phone numbers in the international form of E.164, from the many ways in which people write them."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from babel.core import get_global
from django.core.exceptions import ValidationError
from phonenumbers import PhoneNumberType, ValidationResult

LONGEST_INPUT = 50
_NOT_FOR_TEXTS = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
        PhoneNumberType.PAGER,
    }
)
# Digits of any script, with what people put between them.
_WRITTEN = re.compile(r"[+＋]?[\d\s()./\-‐‑‒–—−（）．－]+")
_LENGTHS = {ValidationResult.TOO_SHORT: "too short", ValidationResult.TOO_LONG: "too long"}


def normalize_phone(text: str, *, region: str = "") -> str:
    """The number as E.164 has it: a plus sign and 7 to 15 digits, without the 0 that is only dialled inside the country.

    Args:
        region: the country (ISO 3166) in which a number without a plus sign is meant; without one it is refused.

    Raises:
        ValidationError: no number that can receive a text message; the message says why.
    """
    # Pasted numbers carry marks of text direction and other invisible characters (Unicode category Cf).
    visible = "".join(character for character in text if unicodedata.category(character) != "Cf").strip()
    if not _WRITTEN.fullmatch(visible):
        raise _invalid("Write one number in digits, without letters or an extension, such as +4915112345678.")
    try:
        number = phonenumbers.parse(visible, region or None)
    except phonenumbers.NumberParseException as error:
        if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
            raise _invalid("Begin with + and the code of the country, such as +4915112345678.") from error
        raise _invalid("This is not a phone number. Write it like +4915112345678.") from error
    number = _without_trunk_zero(number)
    _refuse_impossible(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _without_trunk_zero(number: phonenumbers.PhoneNumber) -> phonenumbers.PhoneNumber:
    """Without a 0 that the library takes for a part of the number, as numbers of Italy have one, where only without it there is such a
    number. People of countries that have no such 0, or had one once, write it as well."""
    if not number.italian_leading_zero or phonenumbers.is_valid_number(number):
        return number
    shorter = phonenumbers.PhoneNumber(country_code=number.country_code, national_number=number.national_number)
    return shorter if phonenumbers.is_valid_number(shorter) else number


def _refuse_impossible(number: phonenumbers.PhoneNumber) -> None:
    if number.extension:
        raise _invalid("A number with an extension cannot receive text messages.")
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible != ValidationResult.IS_POSSIBLE:
        raise _invalid(f"This number is {_LENGTHS.get(possible, 'not complete')} for its country.")
    if phonenumbers.number_type(number) in _NOT_FOR_TEXTS:
        raise _invalid("This is not a mobile number, so it cannot receive text messages.")


def _invalid(message: str) -> ValidationError:
    return ValidationError(message, code="invalid_number")


def region_of_zone(time_zone: str) -> str:
    """The country that a time zone lies in (ISO 3166), "" where it is unknown, as for UTC."""
    territory: str = get_global("zone_territories").get(time_zone, "")
    return territory if territory in phonenumbers.SUPPORTED_REGIONS else ""
