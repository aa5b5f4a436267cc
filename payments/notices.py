"""What people are told about money."""

from __future__ import annotations

import datetime
import uuid

from notifications.enums import Channel
from notifications.notices import ALWAYS, DESK, Kind, Topic, declare, within

PAYMENTS = Topic(
    "payments",
    {"en": "What you pay", "de": "Was du bezahlst"},
    {"en": "Receipts and what is paid back.", "de": "Quittungen und was zurückgezahlt wird."},
)
EARNINGS = Topic(
    "earnings",
    {"en": "What you earn", "de": "Was du verdienst"},
    {"en": "Earnings, payouts and complaints of payers.", "de": "Einnahmen, Auszahlungen und Beschwerden von Zahlenden."},
)
_EMAIL = frozenset({Channel.EMAIL})
_EXAMPLE = {"what": "Session with Ada, 60 minutes", "amount": 4500, "currency": "EUR"}
_DATA = {"what": str, "amount": int, "currency": str}
# About how long a booking is held for another attempt after a declined payment.
_TIME_TO_RETRY = datetime.timedelta(minutes=30)
_KEY = uuid.UUID("0197a000-0000-7000-8000-000000000000")

PAYMENT_RECEIVED = declare(
    Kind(
        name="payments.payment-received",
        topic=PAYMENTS,
        data=_DATA | {"payment": uuid.UUID},
        path="/payments/{payment}/receipt",
        examples=_EXAMPLE | {"payment": _KEY},
        carries_calendar=False,
        useful=ALWAYS,
        fixed=_EMAIL,
    )
)
PAYMENT_DECLINED = declare(
    Kind(
        name="payments.payment-declined",
        topic=PAYMENTS,
        data=_DATA,
        path="/payments",
        examples=_EXAMPLE,
        carries_calendar=False,
        useful=within(_TIME_TO_RETRY, is_outcome=True),
    )
)
PAYMENT_REFUNDED = declare(
    Kind(
        name="payments.payment-refunded",
        topic=PAYMENTS,
        data=_DATA,
        path="/payments",
        examples=_EXAMPLE,
        carries_calendar=False,
        useful=ALWAYS,
        fixed=_EMAIL,
    )
)
PAYMENT_DISPUTED = declare(
    Kind(
        name="payments.payment-disputed",
        topic=EARNINGS,
        data=_DATA,
        path="/earnings",
        examples=_EXAMPLE,
        carries_calendar=False,
        useful=ALWAYS,
        fixed=_EMAIL,
    )
)
DISPUTE_WON = declare(
    Kind(
        name="payments.dispute-won",
        topic=EARNINGS,
        data=_DATA,
        path="/earnings",
        examples=_EXAMPLE,
        carries_calendar=False,
        useful=ALWAYS,
        fixed=_EMAIL,
    )
)
DISPUTE_LOST = declare(
    Kind(
        name="payments.dispute-lost",
        topic=EARNINGS,
        data=_DATA,
        path="/earnings",
        examples=_EXAMPLE,
        carries_calendar=False,
        useful=ALWAYS,
        fixed=_EMAIL,
    )
)
PAID_OUT = declare(
    Kind(
        name="payments.paid-out",
        topic=EARNINGS,
        data={"amount": int, "currency": str},
        path="/earnings",
        examples={"amount": 4500, "currency": "EUR"},
        carries_calendar=False,
        useful=ALWAYS,
    )
)
EARNINGS_HELD_UP = declare(
    Kind(
        name="payments.earnings-held-up",
        topic=EARNINGS,
        data={},
        path="/earnings",
        examples={},
        carries_calendar=False,
        useful=ALWAYS,
        fixed=_EMAIL,
    )
)
MONEY_STUCK = declare(
    Kind(
        name="payments.money-stuck",
        topic=DESK,
        data={"kind": str, "code": str, "amount": int, "currency": str},
        path="/admin/payments/movement/?state__exact=stuck",
        examples={"kind": "refund", "code": "charge_disputed", "amount": 4500, "currency": "EUR"},
        carries_calendar=False,
        useful=ALWAYS,
        fixed=_EMAIL,
    )
)
HOLDINGS_GROW_OLD = declare(
    Kind(
        name="payments.holdings-grow-old",
        topic=DESK,
        data={"payments": int},
        path="/admin/payments/payment/",
        examples={"payments": 3},
        carries_calendar=False,
        useful=ALWAYS,
        fixed=_EMAIL,
    )
)
DIFFERENCES_FOUND = declare(
    Kind(
        name="payments.differences-found",
        topic=DESK,
        data={"findings": int},
        path="/admin/payments/finding/",
        examples={"findings": 2},
        carries_calendar=False,
        useful=ALWAYS,
        fixed=_EMAIL,
    )
)
