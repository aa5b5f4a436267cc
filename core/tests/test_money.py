from __future__ import annotations

import ast
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from core.money import CurrencyMismatch, Money, currencies, exponent_of, validate_currency

AMOUNTS = st.integers(-(10**12), 10**12)
CODES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "ISK", "UGX"])


@pytest.mark.parametrize(
    ("currency", "exponent", "text"),
    [("USD", 2, "12.34"), ("JPY", 0, "1234"), ("KWD", 3, "1.234"), ("ISK", 0, "1234"), ("UGX", 0, "1234"), ("HUF", 2, "12.34")],
)
def test_exponents(currency: str, exponent: int, text: str) -> None:
    assert exponent_of(currency) == exponent
    assert str(Money(1234, currency)) == f"{text} {currency}"
    assert Money(1234, currency).major == Decimal(text)


@pytest.mark.parametrize("currency", ["", "usd", "US", "XAU", "XXX", "CLF", "ABC", "DEM"])
def test_what_nobody_pays_in(currency: str) -> None:
    with pytest.raises(ValueError, match="no currency"):
        Money(1, currency)
    with pytest.raises(ValidationError):
        validate_currency(currency)


@pytest.mark.parametrize("amount", [1.0, True, "1", Decimal(1), None])
def test_only_an_int_is_an_amount(amount: object) -> None:
    with pytest.raises(TypeError):
        Money(amount, "USD")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Money(1, "USD").part(amount, 2)  # type: ignore[arg-type]


def test_two_currencies_do_not_mix() -> None:
    for call in (lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b, lambda a, b: a >= b):
        with pytest.raises(CurrencyMismatch):
            call(Money(1, "USD"), Money(1, "EUR"))


@given(AMOUNTS, AMOUNTS, CODES)
def test_sums(first: int, second: int, currency: str) -> None:
    one, other = Money(first, currency), Money(second, currency)
    assert one + other - other == one
    assert (one < other, one <= other, one > other, one >= other) == (first < second, first <= second, first > second, first >= second)
    assert Money.total([one, other, -one], currency) == other
    assert bool(one) == bool(first)


@given(st.integers(0, 10**12), st.integers(0, 10_000), CODES)
def test_a_share_and_the_rest_make_up_the_whole(amount: int, basis_points: int, currency: str) -> None:
    whole = Money(amount // 10 * 10, currency)
    share = whole.share(basis_points)
    assert share.is_payable and (whole - share).is_payable
    assert share + (whole - share) == whole
    assert share.amount * 10_000 <= whole.amount * basis_points < (share.amount + share.step) * 10_000 or basis_points == 10_000


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=8), st.integers(0, 10**9), CODES)
def test_parts_that_are_taken_one_by_one_end_at_the_whole(steps: list[int], amount: int, currency: str) -> None:
    """What is given back in parts: each is the part of all so far, less what was given before."""
    whole, total, given_back, done = Money(amount // 10 * 10, currency), sum(steps), Money.zero(currency), 0
    for step in steps:
        done += step
        part = whole.part(done, total) - given_back
        assert part.amount >= 0 and part.is_payable
        given_back += part
    assert given_back == whole


def test_how_people_write_amounts() -> None:
    assert Money(123450, "EUR").in_locale("de") == "1.234,50\xa0€"
    assert Money(1234, "JPY").in_locale("en-GB") == "JP¥1,234"
    assert Money(12340, "KWD").in_locale("en") == "KWD\xa012.340"
    assert Money(-100, "USD").in_locale("nonsense") == "-$1.00"


def test_currencies_of_the_world() -> None:
    assert {"EUR", "USD", "JPY", "KWD"} < set(currencies()) and "XAU" not in currencies() and len(currencies()) > 140


def test_no_float_is_near_money() -> None:
    """In the code of money there is no float, no true division and no rounding by anything but whole units. The peer's accidents and
    waiting times are no money."""
    root = Path(__file__).resolve().parents[2]
    no_money = {root / "payments/peer" / name for name in ("faults.py", "server.py", "__main__.py")}
    files = [root / "core/money.py", *(file for file in (root / "payments").rglob("*.py") if "tests" not in file.parts)]
    files = [file for file in files if file not in no_money]
    assert len(files) > 40
    found = []
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            is_division = isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
            is_float = isinstance(node, ast.Constant) and isinstance(node.value, float)
            is_name = isinstance(node, ast.Name) and node.id in ("float", "round")
            if is_float or is_name or (is_division and not _joins_paths(node)):
                found.append(f"{file.relative_to(root)}:{node.lineno}")
    assert found == []


def _joins_paths(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and any(
        isinstance(side, ast.Constant) and isinstance(side.value, str) for side in (node.left, node.right)
    )
