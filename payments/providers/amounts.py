"""Amounts as Stripe's API writes them (docs.stripe.com/currencies): minor units, with three kinds of exceptions."""

from __future__ import annotations

from core.money import Money
from payments.providers.minimums import least_charge

# ISO 4217 knows no decimals of these any more, and Stripe's API still writes two, which must be zeros.
_WRITTEN_WITH_TWO = frozenset({"ISK", "UGX"})
# Charged with two decimals, paid out to banks without.
_PAID_OUT_WHOLE = frozenset({"HUF", "TWD"})
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


def most_charge(currency: str) -> Money:
    """The largest amount of one charge to a card: eight digits in Stripe's notation."""
    most = Money(_MOST // to_stripe(Money(1, currency)), currency)
    return Money(most.amount // most.step * most.step, currency)


def is_chargeable(money: Money) -> bool:
    """Whether a card can be charged with it, as far as that is known beforehand."""
    least = least_charge(money.currency)
    return least is not None and money.is_payable and least <= money <= most_charge(money.currency)
