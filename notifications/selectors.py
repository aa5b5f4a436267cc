from __future__ import annotations

from accounts.models import User
from notifications.models import Preferences


def preferences_of(user: User) -> Preferences:
    """What this person chose, or the defaults, which are not stored."""
    return Preferences.objects.visible_to(user).select_related("user").first() or Preferences(user=user)
