"""Limits of prices that can be charged, checked before a price is saved and again before it is charged."""

from __future__ import annotations

from core.errors import FieldError
from core.money import Money
from payments.providers.amounts import is_chargeable, most_charge
from payments.providers.minimums import least_charge


def least_price(currency: str) -> int:
    """The lowest price above 0, in minor units; 0 if the currency cannot be charged."""
    least = least_charge(currency)
    return least.amount if least else 0


def price_error(money: Money, *, field: str) -> FieldError | None:
    """Why a price cannot be charged, with the field and the limit; None if it can be, or is 0."""
    if not money or is_chargeable(money):
        return None
    least, most = least_charge(money.currency), most_charge(money.currency)
    if least is None:
        return FieldError(field, "currency_not_charged", f"Payments in {money.currency} are not possible.")
    if money < least:
        return FieldError(field, "price_too_low", f"The lowest price that can be charged is {least.in_locale('en')}; 0 is free of charge.")
    if money > most:
        return FieldError(field, "price_too_high", f"The highest price that can be charged is {most.in_locale('en')}.")
    return FieldError(field, "invalid_amount", f"Prices in {money.currency} must be a multiple of {Money(money.step, money.currency)}.")
