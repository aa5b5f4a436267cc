from __future__ import annotations

from core.money import Money, currencies
from payments.providers.amounts import is_chargeable, most_charge
from payments.providers.minimums import least_charge
from payments.services.prices import price_error


def test_every_limit_itself_can_be_charged() -> None:
    charged = [code for code in currencies() if least_charge(code) is not None]
    assert len(charged) > 120
    for code in charged:
        least, most = least_charge(code), most_charge(code)
        assert least is not None and is_chargeable(least) and is_chargeable(most) and not price_error(least, field="price")
        assert price_error(Money(least.amount - least.step, code), field="price") or least.amount == least.step
        assert price_error(Money(most.amount + most.step, code), field="price")
        assert price_error(Money.zero(code), field="price") is None
