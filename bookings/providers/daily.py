"""Daily (docs.daily.co/reference/rest-api): private rooms with a beginning and an end, and a token for each person and room."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
import uuid
from typing import Any

import requests
from django.conf import settings

from bookings.providers.base import Guest, RoomPlan, VideoAway

_SECONDS = 5
# In milliseconds.
_LONGEST_TIMESTAMP = 13
_TOLERANCE_SECONDS = 300
_NOT_FOUND, _BAD_REQUEST = 404, 400


class Daily:
    name = "daily"

    @property
    def reports_attendance(self) -> bool:
        """By webhook, which is refused without a secret."""
        return bool(settings.DAILY_WEBHOOK_SECRET)

    def make_room(self, plan: RoomPlan) -> str:
        """Made under its name. One that is there already, because an answer was lost or the session moved, is brought in line."""
        properties = _properties(plan)
        made = _call("POST", "rooms", {"name": plan.name, "privacy": "private", "properties": properties}, also=(_BAD_REQUEST,))
        if made is None:
            made = _call("POST", f"rooms/{plan.name}", {"privacy": "private", "properties": properties})
        if made is None or made.get("privacy") != "private" or made.get("name") != plan.name or not made.get("url"):
            raise VideoAway("the room is not as it was asked for")
        return str(made["url"])

    def has_room(self, name: str) -> bool:
        return _call("GET", f"rooms/{name}", also=(_NOT_FOUND,)) is not None

    def delete_room(self, name: str) -> None:
        _call("DELETE", f"rooms/{name}", also=(_NOT_FOUND,))

    def shut_out(self, room: str, user_id: uuid.UUID) -> None:
        """By a ban, which holds for whoever comes later, too (docs.daily.co/reference/rest-api/rooms/eject)."""
        _call("POST", f"rooms/{room}/eject", {"user_ids": [str(user_id)], "ban": True}, also=(_NOT_FOUND,))

    def token_for(self, plan: RoomPlan, guest: Guest) -> str:
        properties = {
            "room_name": plan.name,
            "user_id": str(guest.user_id),
            "user_name": guest.name,
            "is_owner": guest.is_owner,
            "nbf": int(plan.opens_at.timestamp()),
            "exp": int(plan.closes_at.timestamp()),
            "eject_at_token_exp": True,
            "start_video_off": guest.is_audio_only,
            "enable_live_captions_ui": True,
        }
        answer = _call("POST", "meeting-tokens", {"properties": properties})
        if answer is None or not isinstance(answer.get("token"), str):
            raise VideoAway("no token came")
        return str(answer["token"])

    def start_recording(self, room: str) -> None:
        """In the cloud. It is allowed for as long as it runs only, so that nobody starts one in Daily's own page."""
        _call("POST", f"rooms/{room}", {"properties": {"enable_recording": "cloud"}})
        _call("POST", f"rooms/{room}/recordings/start", {})

    def stop_recording(self, room: str) -> None:
        _call("POST", f"rooms/{room}/recordings/stop", {}, also=(_BAD_REQUEST, _NOT_FOUND))
        _call("POST", f"rooms/{room}", {"properties": {"enable_recording": False}}, also=(_NOT_FOUND,))

    def recordings_of(self, room: str) -> list[str]:
        rows = (_call("GET", f"recordings?room_name={room}") or {}).get("data")
        if not isinstance(rows, list):
            raise VideoAway("no list came")
        return [str(row["id"]) for row in rows if row.get("room_name") == room and row.get("status") == "finished"]

    def link_to(self, recording: str, *, seconds: int) -> str:
        link = (_call("GET", f"recordings/{recording}/access-link?valid_for_secs={seconds}") or {}).get("download_link")
        if not isinstance(link, str):
            raise VideoAway("no link came")
        return link

    def delete_recording(self, recording: str) -> None:
        _call("DELETE", f"recordings/{recording}", also=(_NOT_FOUND,))


def is_signed(body: bytes, *, timestamp: str, signature: str) -> bool:
    """Whether Daily sent this, in the last minutes: HMAC-SHA256 over timestamp, point and body under the secret, all in base64
    (docs.daily.co/reference/rest-api/webhooks, "HMAC")."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _LONGEST_TIMESTAMP):
        return False
    try:
        secret = base64.b64decode(settings.DAILY_WEBHOOK_SECRET, validate=True)
        sent = int(timestamp) / (1000 if len(timestamp) > 10 else 1)
        given = base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error):
        return False
    if not secret or abs(time.time() - sent) > _TOLERANCE_SECONDS:
        return False
    return hmac.compare_digest(hmac.digest(secret, timestamp.encode() + b"." + body, hashlib.sha256), given)


def _properties(plan: RoomPlan) -> dict[str, Any]:
    return {
        "nbf": int(plan.opens_at.timestamp()),
        "exp": int(plan.closes_at.timestamp()),
        "eject_at_room_exp": True,
        # Nobody knocks, and one person with two devices is let in.
        "enable_knocking": False,
        "max_participants": 2 * (plan.seats + 1),
        "enable_chat": True,
        "enable_live_captions_ui": True,
        "enable_recording": False,
    }


def _call(method: str, path: str, body: dict[str, Any] | None = None, *, also: tuple[int, ...] = ()) -> dict[str, Any] | None:
    """Ask Daily. None for one of the statuses that are `also` expected."""
    try:
        answer = requests.request(
            method,
            f"{settings.DAILY_API_BASE}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {settings.DAILY_API_KEY}"},
            timeout=_SECONDS,
            allow_redirects=False,
        )
        if answer.status_code in also:
            return None
        answer.raise_for_status()
        found = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise VideoAway(type(error).__name__) from error
    if not isinstance(found, dict):
        raise VideoAway("no object came")
    return found
