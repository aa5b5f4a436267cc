from __future__ import annotations

from django.db.models import TextChoices


class CaptureMode(TextChoices):
    AUTOMATIC = "automatic", "taken as soon as the payer has agreed"
    MANUAL = "manual", "reserved first, taken later"


class PaymentState(TextChoices):
    OPEN = "open", "made; nothing was asked of the payer yet"
    WAITING = "waiting", "waits for the payer"
    PROCESSING = "processing", "under way at the provider"
    AUTHORISED = "authorised", "reserved with the payer's bank"
    CAPTURED = "captured", "taken"
    CANCELLED = "cancelled", "called off before anything was taken"


# A payment in one of these may still take money, or has.
LIVE_STATES = (PaymentState.OPEN, PaymentState.WAITING, PaymentState.PROCESSING, PaymentState.AUTHORISED, PaymentState.CAPTURED)
UNDECIDED_STATES = (PaymentState.WAITING, PaymentState.PROCESSING, PaymentState.AUTHORISED)


class AccountKind(TextChoices):
    """The accounts of the ledger. Debits are positive. What is owed to somebody has a negative balance here and a positive one on pages."""

    PROVIDER = "provider", "our balance at the provider"
    DISPUTE = "dispute", "taken from it while a dispute is open"
    CUSTOMER = "customer", "owed to a payer: refunds under way"
    PENDING = "mentor_pending", "owed to a mentor, not released yet"
    AVAILABLE = "mentor_available", "owed to a mentor now; the other way round, what the mentor owes"
    FROZEN = "mentor_frozen", "a mentor's part of what is disputed"
    FEE = "fee", "earned by the platform"
    TAX = "tax", "tax that was collected"
    PLATFORM = "platform", "borne by the platform: what the provider takes, and losses"


# Accounts that stand for a person.
OWNED_ACCOUNTS = (AccountKind.CUSTOMER, AccountKind.PENDING, AccountKind.AVAILABLE, AccountKind.FROZEN)


class LedgerKind(TextChoices):
    """What a transaction of the ledger tells."""

    CAPTURED = "captured", "a payment was taken"
    REFUND_PLANNED = "refund_planned", "money is owed back to the payer"
    REFUND_PAID = "refund_paid", "the provider paid it back"
    REFUND_CAME_BACK = "refund_came_back", "the payer's bank did not take it"
    REFUND_WITHDRAWN = "refund_withdrawn", "it is owed no more"
    RELEASED = "released", "the mentor's part may go out"
    TRANSFERRED = "transferred", "it went to the mentor's account at the provider"
    REVERSED = "reversed", "a part of it was taken back from there"
    DISPUTE_OPENED = "dispute_opened", "the payer's bank took it back for the time being"
    DISPUTE_FROZEN = "dispute_frozen", "the mentor's part of that waits"
    DISPUTE_WON = "dispute_won", "the bank gave it back"
    DISPUTE_LOST = "dispute_lost", "the bank kept it"
    DISPUTE_THAWED = "dispute_thawed", "the mentor's part waits no more"


class MovementKind(TextChoices):
    """What the provider is asked to do."""

    CAPTURE = "capture", "take what is reserved"
    CANCEL = "cancel", "call off what is reserved or asked"
    REFUND = "refund", "pay back"
    TRANSFER = "transfer", "send a mentor's part to their account"
    REVERSAL = "reversal", "take a transfer back"
    PAYOUT = "payout", "send a mentor's account to their bank"


class MovementState(TextChoices):
    PLANNED = "planned", "the provider will be asked"
    SENT = "sent", "the provider works on it"
    DONE = "done", "done"
    FAILED = "failed", "it cannot be done"
    STUCK = "stuck", "a person has to look at it"


class RefundReason(TextChoices):
    REQUESTED = "requested", "the payer took back what they bought"
    NOT_DELIVERED = "not_delivered", "it did not take place"
    DUPLICATE = "duplicate", "it was paid twice"
    FRAUD = "fraud", "somebody else paid with this card"
    GOODWILL = "goodwill", "goodwill"
    LATE_CAPTURE = "late_capture", "it was paid after it was called off"
    AT_PROVIDER = "at_provider", "made in the provider's own dashboard"


class DisputeState(TextChoices):
    OPEN = "open", "the bank has not decided"
    WON = "won", "decided for us"
    LOST = "lost", "decided for the payer"


class EventState(TextChoices):
    WAITING = "waiting", "to be looked into"
    DONE = "done", "taken into account"
    IGNORED = "ignored", "nothing that concerns us"
    DEAD = "dead", "tried often, a person has to look at it"


class FindingKind(TextChoices):
    MISSING_HERE = "missing_here", "the provider booked it, the ledger did not"
    MISSING_THERE = "missing_there", "the ledger booked it, the provider did not"
    WRONG_AMOUNT = "wrong_amount", "both booked it, with different amounts"
    DOUBLED = "doubled", "it was booked twice for one cause"
