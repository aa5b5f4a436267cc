from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from accounts.policies import can_have_public_profile
from mentors.models import MentorProfile


def can_mentor(user: User | AnonymousUser) -> bool:
    """Adults: a mentor is found by everybody."""
    return isinstance(user, User) and can_have_public_profile(user)


def can_see_why(user: User | AnonymousUser, profile: MentorProfile) -> bool:
    """Whether somebody is told what keeps a mentor busy, and not only that something does: the mentor."""
    return user.is_authenticated and profile.user_id == user.pk
