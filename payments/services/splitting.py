"""Who gets what of a payment, to the minor unit.

The parts of what was captured are fixed by the terms of the sale. Of what is returned each bears its part, counted from all that was
returned so far and rounded once: so the parts of any refunds sum up to the refunds, none is ever negative, and all is given back when all
is returned. The payee's part of a return is rounded down; what is left of a unit is the platform's.
"""

from __future__ import annotations

import dataclasses

from core.money import Money
from payments.enums import PaymentState
from payments.models import Payment


@dataclasses.dataclass(frozen=True)
class Parts:
    """An amount by who has it."""

    payee: Money
    fee: Money
    tax: Money

    @property
    def total(self) -> Money:
        return self.payee + self.fee + self.tax

    def __sub__(self, other: Parts) -> Parts:
        return Parts(self.payee - other.payee, self.fee - other.fee, self.tax - other.tax)


def parts_of_sale(payment: Payment, captured: Money) -> Parts:
    """Of what is captured, which may be less than the amount."""
    fee = Money(payment.fee_amount, payment.currency).part(captured.amount, payment.amount)
    tax = Money(payment.tax_amount, payment.currency).part(captured.amount, payment.amount)
    return Parts(captured - fee - tax, fee, tax)


def parts_of_return(payment: Payment, returned: Money) -> Parts:
    """Of all that was returned so far."""
    sale = parts_of_sale(payment, payment.captured)
    if not returned:
        return Parts(*(Money.zero(payment.currency) for _ in range(3)))
    payee = sale.payee.part(returned.amount, payment.captured_amount)
    rest = returned - payee
    others = sale.fee + sale.tax
    fee = sale.fee.part(rest.amount, others.amount) if others else others
    return Parts(payee, fee, rest - fee)


def parts_of_next_return(payment: Payment, money: Money) -> Parts:
    """Of the next amount that is returned."""
    return parts_of_return(payment, payment.returned + money) - parts_of_return(payment, payment.returned)


def parts_after_returns(payment: Payment) -> Parts:
    """Split what was captured, less all returns: with `payment.returned` these parts sum to `payment.captured`, to the minor unit, and
    equal what the ledger has on the accounts. Pages, the API, files and the admin show no other figures. Before the capture these are
    the agreed parts of the price, and all are zero once the payment is called off."""
    if payment.state == PaymentState.CAPTURED:
        return parts_of_sale(payment, payment.captured) - parts_of_return(payment, payment.returned)
    is_off = payment.state == PaymentState.CANCELLED or payment.is_unwanted
    return parts_of_sale(payment, Money.zero(payment.currency) if is_off else payment.money)


def entitlement(payment: Payment) -> Money:
    """What the payee is due of a captured payment after all returns, whether it was transferred or not."""
    return parts_of_sale(payment, payment.captured).payee - parts_of_return(payment, payment.returned).payee
