"""Every figure that is shown of a payment adds up to what was captured, to the minor unit, and equals what the ledger says."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from conftest import Api
from core.money import Money
from payments.enums import AccountKind, PaymentState, RefundReason
from payments.models import Payment
from payments.selectors import payments_of
from payments.services import paying, refunding
from payments.services.ledger import balances_of_payment
from payments.services.receipts import receipt_of
from payments.services.splitting import parts_after_returns
from payments.tests.world import World


def shown_parts(api: Api, payment: Payment) -> list[int]:
    """Captured, refunded, fee, mentor's part and tax, as the API shows them."""
    row = api.get(f"payments/{payment.pk}").json()
    tax = row["tax"]["amount"]["amount"] if row["tax"] else 0
    return [row[name]["amount"] for name in ("captured", "refunded", "platform_fee", "mentor_payout")] + [tax]


def csv_parts(api: Api) -> list[str]:
    (row,) = csv.DictReader(io.StringIO(b"".join(api.get("payments/history.csv").streaming_content).decode()))
    return [row[name] for name in ("captured", "returned", "platform_fee", "mentor_payout", "tax")]


@given(
    amount=st.integers(0, 10**8),
    currency=st.sampled_from(("EUR", "JPY", "KWD", "ISK", "UGX")),
    basis_points=st.integers(0, 10_000),
    returns=st.lists(st.integers(0, 10_000), max_size=4),
)
def test_parts_and_returns_make_up_what_was_captured(amount: int, currency: str, basis_points: int, returns: list[int]) -> None:
    price = Money(amount, currency).share(10_000 - basis_points % 3)
    price = Money(price.amount // price.step * price.step, currency)
    payment = Payment(amount=price.amount, currency=currency, state=PaymentState.CAPTURED, captured_amount=price.amount)
    payment.fee_amount = price.share(basis_points).amount
    for share in returns:
        payment.returned_amount += payment.returnable.share(share).amount
        parts = parts_after_returns(payment)
        assert parts.total + payment.returned == payment.captured
        assert min(parts.payee.amount, parts.fee.amount, parts.tax.amount) >= 0
    payment.returned_amount = payment.captured_amount
    assert not parts_after_returns(payment).total


@pytest.mark.django_db
class TestShown:
    @pytest.fixture
    def payer(self, world: World) -> Api:
        return Api().sign_in(world.payer)

    @pytest.mark.parametrize(
        ("amount", "currency", "steps"), [(5_555, "JPY", (2_777, 1_000)), (5_550, "KWD", (10, 2_770)), (4_999, "EUR", (1, 2_499))]
    )
    def test_after_each_of_several_refunds(self, world: World, payer: Api, amount: int, currency: str, steps: tuple[int, ...]) -> None:
        payment = world.paid(amount, currency)
        mentor = Api().sign_in(world.mentor)
        for step in (*steps, amount - sum(steps)):
            refunding.refund_payment(payment_id=payment.pk, money=Money(step, currency), reason=RefundReason.GOODWILL)
            # Owed, and not asked of the provider yet: the figures add up already.
            captured, *parts = shown_parts(payer, payment)
            assert (captured, sum(parts)) == (amount, amount)
            world.hear()
            assert shown_parts(payer, payment) == shown_parts(mentor, payment) == [captured, *parts]
            payment.refresh_from_db()
            accounts = balances_of_payment(payment)
            assert parts[1] == -accounts.get(AccountKind.FEE, Money.zero(currency)).amount
            assert parts[2] == -accounts.get(AccountKind.PENDING, Money.zero(currency)).amount
        assert shown_parts(payer, payment) == [amount, amount, 0, 0, 0]
        zero = str(Money.zero(currency).major)
        full = str(Money(amount, currency).major)
        assert csv_parts(payer) == csv_parts(mentor) == [full, full, zero, zero, zero]
        lines = dict(receipt_of(payments_of(world.payer).get()).lines)
        assert lines["Refunded"] == lines["Amount"] and "Of this on its way to you" not in lines

    def test_a_receipt_says_what_is_on_its_way(self, world: World) -> None:
        payment = world.paid(5_000, "EUR")
        refunding.refund_payment(payment_id=payment.pk, money=Money(1_000, "EUR"), reason=RefundReason.GOODWILL)
        lines = dict(receipt_of(payments_of(world.payer).get()).lines)
        assert (lines["Refunded"], lines["Of this on its way to you"]) == ("€10.00", "€10.00")

    def test_what_was_called_off_has_no_parts(self, world: World, payer: Api) -> None:
        payment = world.open()
        assert shown_parts(payer, payment)[2:4] == [750, 4_250]
        paying.cancel_payment(payment_id=payment.pk)
        assert shown_parts(payer, payment) == [0, 0, 0, 0, 0]
        assert csv_parts(payer) == ["0.00", "0.00", "0.00", "0.00", "0.00"]

    def test_the_desk_shows_the_same_parts(self, world: World, staff: User, client: Client) -> None:
        client.force_login(staff)
        payment = world.paid(5_555, "JPY")
        refunding.refund_payment(payment_id=payment.pk, money=Money(2_777, "JPY"), reason=RefundReason.GOODWILL)
        payment.refresh_from_db()
        parts = parts_after_returns(payment)
        page = client.get(f"/admin/payments/payment/{payment.pk}/change/").content.decode()
        assert f"mentor {parts.payee.in_locale('en')}, fee {parts.fee.in_locale('en')}" in page
