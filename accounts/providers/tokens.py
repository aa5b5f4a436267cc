"""Access and refresh tokens: allauth's JWT strategy, with a row per device that decides which refresh token is valid.

allauth 65.21 keeps the valid refresh tokens inside the session and rotates without a lock: of eight concurrent refreshes four succeed,
and a stolen token that was used before its owner's goes unnoticed. Here the device's row is locked first, so that one wins, and a token
that was used before ends the device (RFC 9700, section 4.14.2), unless the pair that it was exchanged for was never used: then its
answer was lost on the way, and the same pair is issued again.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
import time
import uuid
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.internal.sessionkit import get_session_user
from allauth.headless.internal.sessionkit import lookup_session, session_store
from allauth.headless.tokens.strategies.jwt import JWTTokenStrategy, internal
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import DEFAULT_DB_ALIAS, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.enums import DeviceKind
from accounts.models import Device, User
from accounts.providers.clients import address_of, device_name
from core.prepared import ModelReader, fetch_all
from core.sockets import group_of, wake

AUDIENCE = "soosh-api"
# What a page of ours gets to open a socket with. It opens nothing else, and lives just long enough.
SOCKET_AUDIENCE = "soosh-sockets"
_SOCKET_SECONDS = 60
FRESH_SECONDS = 300


@dataclasses.dataclass(frozen=True)
class TokenPair:
    access_token: str
    refresh_token: str
    expires_in: int
    user: User


@dataclasses.dataclass(frozen=True)
class ReusedToken:
    """The token was spent before. Its device, and with it every token of the family, is gone."""

    user_id: uuid.UUID
    device_name: str


@dataclasses.dataclass(frozen=True)
class RacingToken:
    """The token was spent a moment ago by another request. If that one's answer was lost, it works again in `wait` seconds."""

    wait: int


class DeviceTokenStrategy(JWTTokenStrategy):
    """What allauth calls when somebody has signed in through the API."""

    def create_access_token_payload(self, request: HttpRequest) -> dict[str, Any]:
        if not request.session.session_key:
            request.session.save()
        user: User = request.user  # type: ignore[assignment]
        device = remember_device(request, user, kind=DeviceKind.APP)
        pair = issue(device, user)
        return {"access_token": pair.access_token, "refresh_token": pair.refresh_token}


def remember_device(request: HttpRequest, user: User, *, kind: DeviceKind) -> Device:
    """The row of the device that has just signed in with `request.session`."""
    agent = request.headers.get("User-Agent", "")[:300]
    fields = {
        "user": user,
        "kind": kind,
        "user_agent": agent,
        "name": request.headers.get("X-Device-Name", "")[:100].strip() or device_name(agent),
        "ip_address": address_of(request),
        "refresh_id": str(uuid.uuid4()) if kind is DeviceKind.APP else "",
        "last_used_at": timezone.now(),
    }
    device, _ = Device.objects.update_or_create(session_key=request.session.session_key, defaults=fields)
    return device


def issue(device: Device, user: User) -> TokenPair:
    """A pair for a device whose `refresh_id` is set."""
    sid = internal.session_key_to_sid(device.session_key)
    claims = {"iss": settings.SITE_URL, "aud": AUDIENCE, "pair": device.refresh_id}
    lifetime = settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN
    access, _ = internal.create_token("access", sub=str(user.pk), sid=sid, claims=claims, expires_in=lifetime)
    return TokenPair(access, _refresh_token(device, sid), expires_in=lifetime, user=user)


def socket_token(session_key: str, user: User) -> str:
    """A token with which the browser of this session can open sockets."""
    claims = {"iss": settings.SITE_URL, "aud": SOCKET_AUDIENCE}
    sid = internal.session_key_to_sid(session_key)
    token, _ = internal.create_token("access", sub=str(user.pk), sid=sid, claims=claims, expires_in=_SOCKET_SECONDS)
    return str(token)


def _refresh_token(device: Device, sid: str) -> str:
    now = int(time.time())
    claims = {
        "iss": settings.SITE_URL,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + settings.HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN,
        "sid": sid,
        "jti": device.refresh_id,
        "token_use": "refresh",
        "sub": str(device.user_id),
    }
    config = internal._get_jwt_config()
    token: str = internal.jwt.encode(claims, config.signing_key, algorithm=config.algorithm)
    return token


def pair(access_token: str, refresh_token: str, user: User) -> TokenPair:
    """Tokens that allauth's sign-in made, as our own value."""
    return TokenPair(access_token, refresh_token, settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN, user)


def is_for_us(payload: dict[str, Any], *audiences: str) -> bool:
    """Whether a token whose signature holds was made for this API, or for one of the given uses, by this server."""
    return payload.get("aud") in (audiences or (AUDIENCE,)) and payload.get("iss") == settings.SITE_URL


_READER = ModelReader(User)
_PERSON = f"""
SELECT session.session_data, unconfirmed.id, {_READER.columns("person")}
FROM accounts_user AS person, django_session AS session
LEFT JOIN accounts_device AS unconfirmed ON unconfirmed.session_key = session.session_key
    AND unconfirmed.refresh_id = %s AND unconfirmed.spent_id <> '' AND NOT unconfirmed.is_successor_used
WHERE person.id = %s::uuid AND session.session_key = %s AND session.expire_date > now()
"""


def person_behind(access_token: str) -> tuple[User, dict[str, Any]] | None:
    """The person of a valid access token and what the token says; one query for session and person, where allauth takes two and twice the
    time. What this does not let pass at once is left to allauth, which also knows retired secret keys and ends broken sessions."""
    payload = internal.decode_token(access_token, "access")
    session_key = internal.session_key_from_sid(payload["sid"]) if payload else None
    if payload is None or not session_key:
        return None
    try:
        rows = fetch_all(_PERSON, (str(payload.get("pair", "")), uuid.UUID(payload["sub"]), session_key))
    except ValueError:
        return None
    user = _READER.instance(DEFAULT_DB_ALIAS, rows[0][2:]) if rows else None
    if user is None or not _is_session_of(user, session_store().decode(rows[0][0])):
        found: tuple[User, dict[str, Any]] | None = internal.validate_access_token(access_token)
        return found
    if rows[0][1] is not None:
        # Once per refresh: from now on the exchanged token is no lost answer.
        Device.objects.filter(pk=rows[0][1], refresh_id=payload["pair"]).update(is_successor_used=True)
    return user, payload


def _is_session_of(user: User, session: dict[str, Any]) -> bool:
    """The checks of `django.contrib.auth.get_user`."""
    return (
        user.is_active
        and session.get(SESSION_KEY) == str(user.pk)
        and session.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
        and constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
    )


def rotate(refresh_token: str, *, arrived_at: datetime.datetime) -> TokenPair | ReusedToken | RacingToken | None:
    """Spend a refresh token for a new pair. Needs an open transaction; the device's row is locked until it ends.

    An old token used again revokes the family. The one exception is a client whose answer was lost: until `REFRESH_GRACE_SECONDS`
    after it was spent, and only while neither token of its successor was ever presented, the same successor is issued again. In the
    first `REFRESH_RACE_SECONDS` it is a race, which has its winner. None: forged, expired, or of a device that was signed out.
    """
    payload = _decode_refresh(refresh_token)
    device = _locked_device(payload) if payload else None
    if payload is None or device is None:
        return None
    if payload["jti"] == device.refresh_id:
        return _renew(device)
    if payload["jti"] != device.spent_id or device.spent_at is None:
        return _end_family(device)
    race = datetime.timedelta(seconds=settings.REFRESH_RACE_SECONDS)
    if arrived_at < device.issued_at + race:
        return RacingToken(wait=max(1, math.ceil((device.issued_at + race - timezone.now()).total_seconds())))
    if device.is_successor_used or arrived_at > device.spent_at + datetime.timedelta(seconds=settings.REFRESH_GRACE_SECONDS):
        return _end_family(device)
    user = _user_of(device)
    return issue(device, user) if user else None


def _user_of(device: Device) -> User | None:
    session = lookup_session(device.session_key)
    user = get_session_user(session) if session else None
    return user if user is not None and user.pk == device.user_id else None  # type: ignore[return-value]


def _renew(device: Device) -> TokenPair | None:
    user = _user_of(device)
    if user is None:
        return None
    now = timezone.now()
    device.spent_id, device.spent_at, device.is_successor_used = device.refresh_id, now, False
    device.refresh_id, device.issued_at, device.last_used_at = str(uuid.uuid4()), now, now
    device.save()
    # The session must outlive the new refresh token.
    Session.objects.filter(pk=device.session_key).update(expire_date=now + datetime.timedelta(seconds=settings.SESSION_COOKIE_AGE))
    return issue(device, user)


def _end_family(device: Device) -> ReusedToken:
    end([device])
    return ReusedToken(user_id=device.user_id, device_name=device.name)


def device_of(token: str) -> Device | None:
    """The device of a refresh token, whether the token is still the valid one or not."""
    payload = _decode_refresh(token)
    key = internal.session_key_from_sid(payload["sid"]) if payload else None
    return Device.objects.filter(session_key=key, user_id=payload["sub"]).first() if payload and key else None


def end(devices: list[Device]) -> None:
    """Sign devices out: their sessions go, and with them every access and refresh token. Their open sockets close after the commit."""
    Session.objects.filter(pk__in=[device.session_key for device in devices]).delete()
    Device.objects.filter(pk__in=[device.pk for device in devices]).delete()
    people = {device.user_id for device in devices}
    transaction.on_commit(lambda: wake(group_of("person", person_id) for person_id in people), robust=True)


def session_key_of(access: dict[str, Any] | None) -> str:
    """The session behind the payload of a valid access token, "" without one."""
    return (internal.session_key_from_sid(access["sid"]) or "") if access else ""


def authenticated_seconds_ago(session_key: str, user: User) -> float:
    """How long ago this person last proved on this device who they are, by any method."""
    session: SessionBase | None = lookup_session(session_key) if session_key else None
    if session is None:
        return math.inf
    request = HttpRequest()
    request.session, request.user = session, AnonymousUser()
    records = get_authentication_records(request, user)
    return time.time() - max((record["at"] for record in records), default=-math.inf)


def _decode_refresh(token: str) -> dict[str, Any] | None:
    try:
        payload: dict[str, Any] | None = internal.jwt.decode(
            token,
            key=internal._get_jwt_config().verifying_key,
            algorithms=[internal._get_jwt_config().algorithm],
            audience=AUDIENCE,
            issuer=settings.SITE_URL,
            options={"require": ["exp", "iat", "jti", "sub", "sid", "token_use"]},
        )
    except internal.jwt.PyJWTError:
        return None
    is_refresh = payload is not None and payload["token_use"] == "refresh"  # noqa: S105  (a kind, not a secret)
    return payload if is_refresh and all(isinstance(payload[name], str) for name in ("jti", "sub", "sid")) else None  # type: ignore[index]


def _locked_device(payload: dict[str, Any]) -> Device | None:
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("rotate() needs an open transaction")
    key = internal.session_key_from_sid(payload["sid"])
    return Device.objects.select_for_update().filter(session_key=key, user_id=payload["sub"]).first() if key else None
