"""Receipts: what was bought, from whom, what it cost, and what was paid back."""

from __future__ import annotations

import dataclasses
import datetime
import zoneinfo
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from babel.dates import format_datetime
from babel.numbers import format_decimal

from core.money import Money
from core.typesetting import render_pdf
from payments.enums import MovementState
from payments.models import Payment

_TEMPLATE = Path(__file__).resolve().parent.parent / "templates" / "payments" / "receipt.typ"
# A refund in one of these states is owed to the payer, and the provider has not paid it yet.
_ON_THEIR_WAY = (MovementState.PLANNED, MovementState.SENT, MovementState.STUCK)
_WORDS = {
    "en": {
        **{"title": "Receipt", "bought": "Bought", "from": "From", "by": "Paid by", "on": "Paid on", "amount": "Amount"},
        **{
            "tax": "Contains {tax}",
            "back": "Refunded",
            "waiting": "Of this on its way to you",
            "note": "Thank you for finding your way with Soosh.",
        },
    },
    "de": {
        **{"title": "Quittung", "bought": "Gekauft", "from": "Von", "by": "Bezahlt von", "on": "Bezahlt am", "amount": "Betrag"},
        **{
            "tax": "Enthält {tax}",
            "back": "Erstattet",
            "waiting": "Davon noch unterwegs zu dir",
            "note": "Danke, dass du mit Soosh deinen Weg suchst.",
        },
    },
}


@dataclasses.dataclass(frozen=True)
class Receipt:
    """A receipt in the words of its payer's language; `lines` are pairs of a label and a text."""

    title: str
    number: str
    language: str
    lines: Sequence[tuple[str, str]]
    note: str


def receipt_of(payment: Payment) -> Receipt:
    """The receipt of a payment whose refunds were prefetched; amounts in the currency that was charged, times with their zone."""
    payer = payment.payer
    language = next((code for code in _WORDS if payer.locale.startswith(code)), "en")
    words = _WORDS[language]
    lines = [
        (words["bought"], payment.description),
        (words["from"], payment.payee.full_name),
        (words["by"], payer.full_name),
        (words["on"], _instant(payment.captured_at, payer.time_zone, language)),
        (words["amount"], payment.captured.in_locale(language)),
        *_tax_lines(payment, language),
        *_refund_lines(payment, language),
    ]
    return Receipt(words["title"], number_of(payment), language, lines, words["note"])


def receipt_pdf(payment: Payment) -> bytes:
    """The same as a tagged PDF that a screen reader reads (PDF/UA-1)."""
    return render_pdf(_TEMPLATE, dataclasses.asdict(receipt_of(payment)))


def number_of(payment: Payment) -> str:
    """What a receipt is called: the same for ever, and no secret."""
    return f"S-{payment.pk.hex[:12]}-{payment.pk.hex[-6:]}".upper()


def _tax_lines(payment: Payment, language: str) -> list[tuple[str, str]]:
    if not payment.tax_amount:
        return []
    rate = format_decimal(Decimal(payment.tax_basis_points).scaleb(-2), locale=language)
    amount = Money(payment.tax_amount, payment.currency).part(payment.captured_amount, payment.amount)
    label = _WORDS[language]["tax"].format(tax=f"{payment.tax_name} {rate} %")
    return [(label, amount.in_locale(language))]


def _refund_lines(payment: Payment, language: str) -> list[tuple[str, str]]:
    refunds = payment.refunds  # type: ignore[attr-defined]  # set by `payments_of`
    waiting = Money(sum(row.amount - row.unowed_amount for row in refunds if row.state in _ON_THEIR_WAY), payment.currency)
    lines = (("back", payment.returned), ("waiting", waiting))
    return [(_WORDS[language][label], money.in_locale(language)) for label, money in lines if money]


def _instant(at: datetime.datetime | None, zone: str, language: str) -> str:
    return format_datetime(at, "long", tzinfo=zoneinfo.ZoneInfo(zone), locale=language) if at else ""
