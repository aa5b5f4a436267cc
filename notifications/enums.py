from __future__ import annotations

from django.db.models import IntegerChoices, TextChoices


class Cadence(TextChoices):
    AT_ONCE = "at_once", "each at once"
    HOURLY = "hourly", "together, every hour"
    DAILY = "daily", "together, every day"
    WEEKLY = "weekly", "together, every week"


class Channel(TextChoices):
    """The ways to a person beside the inbox, where everything stands."""

    PUSH = "push", "push"
    EMAIL = "email", "e-mail"
    SMS = "sms", "SMS"


class Urgency(IntegerChoices):
    """What goes out first, and what may wait."""

    BULK = 0, "to many at once"
    NORMAL = 1, "normal"
    URGENT = 2, "about to happen"
    BINDING = 3, "safety of the account, or the law asks for it"


class DeliveryState(TextChoices):
    QUEUED = "queued", "waiting for a worker"
    HELD = "held", "waiting for the end of quiet hours or for a digest"
    SENT = "sent", "handed over"
    DELIVERED = "delivered", "arrived"
    BOUNCED = "bounced", "came back"
    SUPPRESSED = "suppressed", "not sent, for a reason"
    FAILED = "failed", "given up"


class Why(TextChoices):
    """Why a delivery was suppressed, came back or was given up."""

    PERSON_GONE = "person_gone", "the person is suspended or erased"
    OTHER_GONE = "other_gone", "whom it is about is blocked, suspended or erased"
    READ = "read", "it was read in the inbox first"
    REPLACED = "replaced", "a newer one took its place"
    TURNED_OFF = "turned_off", "the person turned this topic off on this channel"
    TOO_LATE = "too_late", "what it tells is over"
    NO_ADDRESS = "no_address", "there is no address left on this channel"
    UNWANTED = "unwanted", "the address bounced, complained or said STOP"
    OVER_BUDGET = "over_budget", "the budget for SMS is spent"
    UNKNOWN_KIND = "unknown_kind", "no app declares this kind any more"
    REFUSED = "refused", "the provider refused it"
    GAVE_UP = "gave_up", "too many attempts failed"
    UNCONFIRMED = "unconfirmed", "it may have been sent; nothing confirms it"


class Complaint(TextChoices):
    """Why an address gets nothing more."""

    BOUNCED = "bounced", "no such mailbox"
    COMPLAINED = "complained", "marked as spam"
    STOPPED = "stopped", "answered STOP"


class AnnouncementState(TextChoices):
    DRAFT = "draft", "draft"
    RUNNING = "running", "being told"
    DONE = "done", "everybody was told"
    STOPPED = "stopped", "stopped"
