"""Money: whole minor units of one ISO 4217 currency. Nothing here takes, holds or gives a float.

Rounding, once for all of Soosh: a share is rounded down to what can be paid, and whoever gets the rest gets it exactly, so that the parts
of an amount always make up the amount.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Self

import iso4217
from babel import Locale, UnknownLocaleError, numbers
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# What fits into a bigint with room for sums of many.
LARGEST_AMOUNT = 10**12
_WHOLE = 10_000
# Amounts with three decimals must end in 0 on cards (docs.stripe.com/currencies#three-decimal), so nothing smaller can be paid.
_STEPS = {3: 10}
_LETTER_BY_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


class CurrencyMismatch(ValueError):
    """Amounts of two currencies cannot be added or compared."""


@functools.cache
def exponent_of(currency: str) -> int:
    """How many decimals the major unit of a currency has (ISO 4217): 0, 2 or 3.

    Raises:
        ValueError: no money is paid in it: unknown, a metal, a unit of account.
    """
    try:
        exponent = iso4217.Currency(currency).exponent
    except ValueError:
        exponent = None
    if exponent not in (0, 2, 3):
        raise ValueError(f"{currency!r} is no currency that people pay in")
    return int(exponent)


@functools.cache
def currencies() -> tuple[str, ...]:
    """The codes of all currencies that people pay in."""
    return tuple(sorted(each.value for each in iso4217.Currency if each.exponent in (0, 2, 3)))


def validate_currency(code: str) -> None:
    """A currency that people pay in, by its ISO 4217 code in capitals."""
    try:
        exponent_of(code)
    except ValueError as error:
        raise ValidationError(_("This is not a currency of ISO 4217, such as EUR or JPY."), code="unknown_currency") from error


@dataclasses.dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents, yen, fils), possibly negative, and its ISO 4217 code.

    Raises:
        TypeError: the amount is anything but an int.
        ValueError: the currency is none that people pay in.
    """

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise TypeError(f"an amount is an int of minor units, not {type(self.amount).__name__}")
        exponent_of(self.currency)

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount <= other.amount

    def __gt__(self, other: Money) -> bool:
        return not self <= other

    def __ge__(self, other: Money) -> bool:
        return not self < other

    def __bool__(self) -> bool:
        return self.amount != 0

    def __str__(self) -> str:
        return f"{self.major} {self.currency}"

    @property
    def exponent(self) -> int:
        return exponent_of(self.currency)

    @property
    def major(self) -> Decimal:
        """The amount in major units, with as many decimals as the currency has."""
        return Decimal(self.amount).scaleb(-self.exponent)

    @property
    def step(self) -> int:
        """Amounts that are paid are multiples of so many minor units."""
        return _STEPS.get(self.exponent, 1)

    @property
    def is_payable(self) -> bool:
        return self.amount % self.step == 0

    def share(self, basis_points: int) -> Money:
        """So many hundredths of a percent, rounded down to what can be paid."""
        return self.part(basis_points, _WHOLE)

    def part(self, numerator: int, denominator: int) -> Money:
        """`numerator` of `denominator` parts, rounded down (towards less) to what can be paid; all of it if they are equal."""
        if type(numerator) is not int or type(denominator) is not int:
            raise TypeError("parts are counted in ints")
        if numerator == denominator:
            return self
        return Money(self.amount * numerator // denominator // self.step * self.step, self.currency)

    def in_locale(self, locale: str) -> str:
        """As people write it there, with all decimals of the currency: "1.234,50 €", "¥1,234"."""
        return _format(self.major, self.currency, _locale(locale))

    def as_json(self) -> dict[str, Any]:
        """As the API gives it."""
        return {"amount": self.amount, "currency": self.currency}

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(0, currency)

    @classmethod
    def total(cls, parts: Sequence[Money], currency: str) -> Money:
        """The sum of amounts of one currency, which may be none."""
        return sum(parts, start=cls.zero(currency))  # type: ignore[arg-type]  # the start makes it a sum of money

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")


def _format(amount: Decimal, currency: str, locale: Locale) -> str:
    # The pattern of the locale, with the decimals of ISO 4217: those of CLDR are how people round cash.
    digits = exponent_of(currency)
    pattern = copy.copy(locale.currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    text = str(pattern.apply(amount, locale, currency=currency, currency_digits=False))
    # Letters that stand for a currency are set apart from the number (CLDR, currency spacing).
    return _LETTER_BY_DIGIT.sub("\xa0", text)


@functools.cache
def _locale(name: str) -> Locale:
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")


def currency_name(code: str, locale: str) -> str:
    """What people call a currency there."""
    return str(numbers.get_currency_name(code, locale=_locale(locale)))
