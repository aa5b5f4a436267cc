"""What Soosh asks of a payment provider, and gets from it. Amounts are `Money`; ids are the provider's own.

`payments.providers.stripe` is the only client. Without a key it speaks to the peer in `payments.peer`, which moves no money.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum

from core.money import Money


class IntentStatus(enum.StrEnum):
    """How far an attempt to pay is (docs.stripe.com/payments/paymentintents/lifecycle)."""

    NEEDS_PAYER = "needs_payer"
    PROCESSING = "processing"
    AUTHORISED = "authorised"
    SUCCEEDED = "succeeded"
    CANCELLED = "cancelled"


class Outcome(enum.StrEnum):
    """What became of a refund or a payout."""

    UNDER_WAY = "under_way"
    DONE = "done"
    FAILED = "failed"


@dataclasses.dataclass(frozen=True)
class Booking:
    """A change of our balance at the provider: the booked amount, and what the provider took for it. `record` is unique."""

    record: str
    amount: Money
    fee: Money

    @property
    def net(self) -> Money:
        return self.amount - self.fee


@dataclasses.dataclass(frozen=True)
class Intent:
    """An agreement to pay. `booking` is there once it was taken."""

    id: str
    status: IntentStatus
    amount: Money
    captured: Money
    charge_id: str
    client_secret: str
    failure_code: str
    payment_id: str
    booking: Booking | None


@dataclasses.dataclass(frozen=True)
class Refund:
    """Money on its way back to a payer. `movement_id` is ours, if we asked for it; `returned` is there if the bank did not take it."""

    id: str
    amount: Money
    outcome: Outcome
    failure_code: str
    movement_id: str
    created_at: datetime.datetime
    booking: Booking | None
    returned: Booking | None


@dataclasses.dataclass(frozen=True)
class ProviderDispute:
    """What a payer's bank disputes. `taken` and `given_back` are its bookings so far."""

    id: str
    amount: Money
    reason: str
    is_open: bool
    is_won: bool
    created_at: datetime.datetime
    evidence_due_at: datetime.datetime | None
    taken: Booking | None
    given_back: Booking | None


@dataclasses.dataclass(frozen=True)
class Transfer:
    """Money that went to a mentor's account, or came back from there."""

    id: str
    amount: Money
    booking: Booking


@dataclasses.dataclass(frozen=True)
class Payout:
    """Money on its way from a mentor's account to their bank."""

    id: str
    outcome: Outcome
    failure_code: str


@dataclasses.dataclass(frozen=True)
class Account:
    """A mentor's account: what it may do, and what the provider still wants to know."""

    id: str
    is_submitted: bool
    can_receive: bool
    can_pay_out: bool
    missing: tuple[str, ...]
    disabled_reason: str


@dataclasses.dataclass(frozen=True)
class Notice:
    """An event of the provider: what kind, about which object, and to which agreement to pay that belongs, if it says so."""

    id: str
    kind: str
    account: str
    object_kind: str
    object_id: str
    intent_id: str
    happened_at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class Record:
    """A line of the provider's own books."""

    record: str
    kind: str
    source: str
    net: Money
    created_at: datetime.datetime
