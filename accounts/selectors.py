from __future__ import annotations

from typing import cast

from django.db.models import Q, QuerySet
from rest_framework.request import Request

from accounts.models import User
from accounts.providers import tokens


def person_of(request: Request) -> User:
    """The signed-in person of a request whose view requires one."""
    return cast(User, request.user)


def session_of(request: Request) -> str:
    """The key of the session behind the request's access token."""
    return tokens.session_key_of(request.auth)  # type: ignore[arg-type]


def people_for_staff(*, q: str = "", role: str = "", is_active: bool | None = None) -> QuerySet[User]:
    """Everybody, narrowed down by part of the address, handle or name."""
    people = User.objects.all()
    if q:
        people = people.filter(Q(email__icontains=q) | Q(full_name__icontains=q) | Q(handle__icontains=q))
    if role:
        people = people.filter(role=role)
    return people if is_active is None else people.filter(is_active=is_active)
