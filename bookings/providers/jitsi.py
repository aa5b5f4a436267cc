"""Jitsi: a room is there when somebody comes. With the secret of an own server, tokens say who may come in, when, and who leads."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

import jwt
from django.conf import settings

from bookings.providers.base import Guest, RoomPlan


class Jitsi:
    name = "jitsi"
    reports_attendance = False

    def make_room(self, plan: RoomPlan) -> str:
        """Its address; nothing is to be made."""
        return f"{settings.JITSI_URL}/{plan.name}"

    def has_room(self, name: str) -> bool:
        """Every room is."""
        return True

    def delete_room(self, name: str) -> None:
        """It is gone when the last one left."""

    def shut_out(self, room: str, user_id: uuid.UUID) -> None:
        """There is no call for it: whoever leads takes people out by hand, and a token ends with the session."""

    def token_for(self, plan: RoomPlan, guest: Guest) -> str:
        """As prosody's token plugin reads it (jitsi.github.io/handbook, "Token authentication"). Empty without a secret: the random name
        is all that keeps others out then."""
        if not settings.JITSI_APP_SECRET:
            return ""
        claims = {
            "aud": "jitsi",
            "iss": settings.JITSI_APP_ID,
            "sub": urlsplit(settings.JITSI_URL).hostname,
            "room": plan.name,
            "nbf": int(plan.opens_at.timestamp()),
            "exp": int(plan.closes_at.timestamp()),
            "moderator": guest.is_owner,
            "context": {"user": {"id": str(guest.user_id), "name": guest.name, "moderator": guest.is_owner}},
        }
        return jwt.encode(claims, settings.JITSI_APP_SECRET, algorithm="HS256")
