"""What is known about how a person wants to be told things. See `core.privacy`."""

from __future__ import annotations

from core.privacy import declare
from notifications.models import Preferences

declare(
    Preferences,
    subject="user_id",
    none=("id", "created_at", "updated_at"),
    personal=("user", "quiet_from", "quiet_until", "cadence", "digest_at", "digest_on", "urgent_breaks_through"),
)
