from __future__ import annotations

import uuid
from typing import cast

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request

from accounts.models import Device, Impersonation, User
from accounts.policies import can_impersonate
from accounts.providers import tokens


def person_of(request: Request | HttpRequest) -> User:
    """The signed-in person of a request whose view, of the API or of a page, requires one."""
    return cast(User, request.user)


def session_of(request: Request) -> str:
    """The key of the session behind the request's access token."""
    return tokens.session_key_of(request.auth)  # type: ignore[arg-type]


def impersonation_in_force(*, staff: User, key: str) -> Impersonation | None:
    """The one with this id, unless it is over, somebody else's, or what this member of staff may no longer do."""
    row = Impersonation.objects.select_related("staff", "person").filter(pk=key, staff=staff.pk, ends_at__gt=timezone.now()).first()
    return row if row is not None and can_impersonate(staff, row.person) else None


def people_for_staff(*, q: str = "", role: str = "", is_active: bool | None = None) -> QuerySet[User]:
    """Everybody, narrowed down by part of the address, handle or name."""
    people = User.objects.all()
    if q:
        people = people.filter(Q(email__icontains=q) | Q(full_name__icontains=q) | Q(handle__icontains=q))
    if role:
        people = people.filter(role=role)
    return people if is_active is None else people.filter(is_active=is_active)


def person_with_token(access_token: str) -> tuple[User, str] | None:
    """The person of a valid access token, or of a page's token for sockets, and the key of the session behind it."""
    found = tokens.person_behind(access_token)
    if found is None or not tokens.is_for_us(found[1], tokens.AUDIENCE, tokens.SOCKET_AUDIENCE):
        return None
    return found[0], tokens.session_key_of(found[1])


def is_signed_in(user_id: uuid.UUID, session_key: str) -> bool:
    """Whether the device of this session is still signed in, and its person present."""
    return Device.objects.filter(user_id=user_id, session_key=session_key, user__is_active=True).exists()
