from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from accounts.models import User


def can_manage_catalogue(user: User | AnonymousUser) -> bool:
    """Staff post, change and close opportunities."""
    return bool(user.is_authenticated and user.is_staff)
