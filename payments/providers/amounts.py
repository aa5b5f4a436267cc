"""Amounts as Stripe's API writes them (docs.stripe.com/currencies): minor units, with three kinds of exceptions."""

from __future__ import annotations

from core.money import Money

# ISO 4217 knows no decimals of these any more, and Stripe's API still writes two, which must be zeros.
_WRITTEN_WITH_TWO = frozenset({"ISK", "UGX"})
# Charged with two decimals, paid out to banks without.
_PAID_OUT_WHOLE = frozenset({"HUF", "TWD"})
# The least that can be charged, in minor units (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts). Of others Stripe decides by
# the day's rate, and tells.
_LEAST = {
    **{"USD": 50, "AED": 200, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50, "GBP": 30},
    **{"HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50, "PLN": 200, "RON": 200},
    **{"SEK": 300, "SGD": 50, "THB": 1000},
}
_MOST = 99_999_999


def to_stripe(money: Money) -> int:
    """An amount as a parameter of Stripe's API."""
    return money.amount * 100 if money.currency in _WRITTEN_WITH_TWO else money.amount


def from_stripe(amount: int, currency: str) -> Money:
    """An amount of Stripe's API. Fractions of what has no decimals are impossible there; should one come, it is an error and not rounded.

    Raises:
        ValueError: a fraction of a unit that cannot be divided.
    """
    code = currency.upper()
    if code not in _WRITTEN_WITH_TWO:
        return Money(amount, code)
    if amount % 100:
        raise ValueError(f"{amount} {code} has a fraction")
    return Money(amount // 100, code)


def payout_step(currency: str) -> int:
    """Payouts are multiples of so many minor units."""
    return 100 if currency in _PAID_OUT_WHOLE else 1


def is_chargeable(money: Money) -> bool:
    """Whether a card can be charged with it, as far as that is known beforehand."""
    return money.is_payable and _LEAST.get(money.currency, 1) <= money.amount and to_stripe(money) <= _MOST
