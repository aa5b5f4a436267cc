"""What a person chose about being told things, and what follows from it."""

from __future__ import annotations

import datetime
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import User
from notifications.enums import Cadence, Weekday
from notifications.models import Preferences
from notifications.services.timing import Digest, QuietHours, next_send_at


def set_preferences(*, user: User, **fields: Any) -> Preferences:
    """Choose anew: what is not given takes its default."""
    names = ("quiet_from", "quiet_until", "cadence", "digest_at", "digest_on", "urgent_breaks_through")
    chosen = Preferences(user=user, **fields)
    return Preferences.objects.update_or_create(user=user, defaults={name: getattr(chosen, name) for name in names})[0]


def send_at(preferences: Preferences, *, now: datetime.datetime, is_urgent: bool = False) -> datetime.datetime:
    """When something that comes now is sent to this person: what is urgent waits for no digest, and for the end of the quiet hours only if
    the person did not say that it may break through."""
    digest = Digest() if is_urgent else Digest(Cadence(preferences.cadence), preferences.digest_at, Weekday(preferences.digest_on))
    quiet = [] if is_urgent and preferences.urgent_breaks_through else _quiet_hours(preferences)
    return next_send_at(now, zone=ZoneInfo(preferences.user.time_zone), digest=digest, quiet=quiet)


def _quiet_hours(preferences: Preferences) -> list[QuietHours]:
    if preferences.quiet_from is None or preferences.quiet_until is None:
        return []
    return [QuietHours(preferences.quiet_from, preferences.quiet_until)]
