"""Access and refresh tokens: allauth's JWT strategy, with one winner under concurrency and revocation of the family on reuse.

allauth 65.21 rotates without a lock: of eight concurrent refreshes four succeed. Here the session row is locked first.
"""

from __future__ import annotations

import dataclasses

from allauth.headless.tokens.strategies.jwt import JWTTokenStrategy, internal
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction

from accounts.models import User


@dataclasses.dataclass(frozen=True)
class TokenPair:
    access_token: str
    refresh_token: str
    expires_in: int
    user: User


@dataclasses.dataclass(frozen=True)
class ReusedToken:
    """The token was spent before. Its session, and with it every token of the family, is gone."""

    user_id: str


def rotate(refresh_token: str) -> TokenPair | ReusedToken | None:
    """Spend a refresh token. Needs an open transaction, whose commit makes the rotation final.

    Returns None for anything that is not a live refresh token.
    """
    payload = internal.decode_token(refresh_token, "refresh")
    session_key = internal.session_key_from_sid(payload["sid"]) if payload else None
    if payload is None or not session_key or not _lock_session(session_key):
        return None
    session = internal.get_token_session(payload)
    if session is None:
        return None
    if payload["jti"] not in internal.get_refresh_token_state(session):
        session.delete()
        return ReusedToken(user_id=payload["sub"])
    user = internal.validate_token_user(payload, session)
    tokens = JWTTokenStrategy().refresh_token(refresh_token)
    if user is None or tokens is None:
        return None
    return TokenPair(*tokens, expires_in=settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN, user=user)


def revoke(refresh_token: str) -> None:
    """End the session of a refresh token. An unknown, spent or forged token is not an error: the session is over either way."""
    payload = internal.decode_token(refresh_token, "refresh")
    session = internal.get_token_session(payload) if payload else None
    if session is not None:
        session.delete()


def _lock_session(session_key: str) -> bool:
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("rotate() needs an open transaction")
    return Session.objects.select_for_update().filter(pk=session_key).first() is not None
