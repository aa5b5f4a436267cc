from __future__ import annotations

from typing import cast

from rest_framework.request import Request

from accounts.models import User


def person_of(request: Request) -> User:
    """The signed-in person of a request whose view requires one."""
    return cast(User, request.user)
