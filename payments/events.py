from __future__ import annotations

import dataclasses
import datetime
import uuid
from typing import ClassVar

from core.events import Event


@dataclasses.dataclass(frozen=True)
class _PaymentEvent(Event):
    """`subject_id` is what was bought, as whoever opened the payment named it."""

    payment_id: uuid.UUID
    subject_id: uuid.UUID


class PaymentAuthorised(_PaymentEvent):
    """The payer's bank has reserved the amount."""

    name: ClassVar[str] = "payments.payment-authorised"


class PaymentSucceeded(_PaymentEvent):
    """The amount was taken; of a payment over nothing, there was nothing to take."""

    name: ClassVar[str] = "payments.payment-succeeded"


class PaymentFailed(_PaymentEvent):
    """An attempt to pay was declined. The payer may try again."""

    name: ClassVar[str] = "payments.payment-failed"


class PaymentCancelled(_PaymentEvent):
    """Nothing will be taken any more."""

    name: ClassVar[str] = "payments.payment-cancelled"


@dataclasses.dataclass(frozen=True)
class PaymentRefunded(_PaymentEvent):
    """The provider paid a part, or all, back. `amount` is that part in minor units."""

    name: ClassVar[str] = "payments.payment-refunded"
    movement_id: uuid.UUID
    amount: int


@dataclasses.dataclass(frozen=True)
class PaymentDisputedByPayer(_PaymentEvent):
    """The payer's bank has taken the money back for the time being."""

    name: ClassVar[str] = "payments.payment-disputed"
    dispute_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class DisputeDecided(_PaymentEvent):
    """The payer's bank has decided. `state` is won (for us) or lost."""

    name: ClassVar[str] = "payments.dispute-decided"
    dispute_id: uuid.UUID
    state: str


@dataclasses.dataclass(frozen=True)
class EarningsTransferred(Event):
    """A mentor's part of a payment went to their account at the provider."""

    name: ClassVar[str] = "payments.earnings-transferred"
    user_id: uuid.UUID
    movement_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class PaidOut(Event):
    """Earnings are on their way to a mentor's bank."""

    name: ClassVar[str] = "payments.paid-out"
    user_id: uuid.UUID
    movement_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class EarningsHeldUp(Event):
    """Earnings cannot go out, because the mentor's account at the provider is not ready."""

    name: ClassVar[str] = "payments.earnings-held-up"
    user_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class MovementStuck(Event):
    """Staff have to look at something that the provider did not do."""

    name: ClassVar[str] = "payments.movement-stuck"
    movement_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class HoldingsGrowOld(Event):
    """Parts of so many payments, taken before an instant, still wait for their mentors, and the provider sets a limit to that."""

    name: ClassVar[str] = "payments.holdings-grow-old"
    payments: int
    taken_before: datetime.datetime


@dataclasses.dataclass(frozen=True)
class DifferencesFound(Event):
    """A comparison of the provider's books with the ledger found something new."""

    name: ClassVar[str] = "payments.differences-found"
    reconciliation_id: uuid.UUID
    findings: int


@dataclasses.dataclass(frozen=True)
class ProviderObjectChanged(Event):
    """An object of the platform at the provider changed, and was taken into account."""

    name: ClassVar[str] = "payments.provider-object-changed"
    kind: str
    key: str
