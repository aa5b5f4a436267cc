"""What is known about how a person is told things, and what they were told. See `core.privacy`."""

from __future__ import annotations

import uuid

from core.privacy import OnErasure, declare, register_step
from notifications.models import (
    Announcement,
    Choice,
    Delivery,
    Inbox,
    Notification,
    Phone,
    Preferences,
    PushDevice,
    PushTicket,
    Suppression,
)

_BASE = ("id", "created_at", "updated_at")

declare(
    Preferences,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=_BASE,
    personal=("user", "quiet_from", "quiet_until", "cadence", "digest_at", "digest_on", "urgent_breaks_through"),
)
declare(Choice, subject="user_id", on_erasure=OnErasure.DELETE, none=_BASE, personal=("user", "topic", "channel", "is_wanted"))
declare(Inbox, subject="user_id", on_erasure=OnErasure.DELETE, none=("user", "version"))
declare(
    Notification,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "user", "urgency", "key", "collapse_key", "count", "replaced_at", "version", "expires_at", "about"),
    personal=("kind", "topic", "data", "calendar", "read_at"),
)
declare(
    PushDevice,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "user", "device"),
    personal=("shows_text",),
    secret=("token",),
)
declare(
    Phone,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "user", "code_attempts", "code_expires_at"),
    personal=("number", "verified_at"),
    secret=("code_hash",),
)
declare(
    Delivery,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=(
        *_BASE,
        "notification",
        "user",
        "urgency",
        "bundled_with",
        "attempts",
        "claimed_at",
        "asked_at",
        "provider_id",
        "segments",
        "last_error",
    ),
    personal=("channel", "state", "why", "due_at", "sent_at"),
)
declare(
    PushTicket,
    subject="delivery__user_id",
    on_erasure=OnErasure.DELETE,
    none=(*_BASE, "delivery", "device", "ticket", "settled_at", "error"),
)
# A keyed hash that stands for an address that must get nothing more, whoever has it.
declare(Suppression, none=(*_BASE, "channel", "address_hash", "reason"))
declare(
    Announcement,
    subject="created_by_id",
    on_erasure=OnErasure.CLEAR,
    cleared={"created_by": None},
    none=(*_BASE, "title", "text", "languages", "state", "started_at", "finished_at", "last_id", "total", "done"),
    personal=("created_by",),
)


def _forget_about(person_id: uuid.UUID) -> None:
    Notification.objects.filter(about_id=person_id).delete()


# What others were told about a person names them.
register_step(
    "notifications: about",
    erase=_forget_about,
    count=lambda person_id: Notification.objects.filter(about_id=person_id).count(),
)
