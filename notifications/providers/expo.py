"""Expo's push service, by its own SDK. https://docs.expo.dev/push-notifications/sending-notifications/"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import requests
from django.conf import settings
from exponent_server_sdk import PushClient, PushMessage, PushServerError, PushTicket

from notifications.providers.base import Outcome, Push, Receipt, Result, described

# Their limits for one request.
MOST_PUSHES = PushClient.DEFAULT_MAX_MESSAGE_COUNT
MOST_RECEIPTS = PushClient.DEFAULT_MAX_RECEIPT_COUNT
_DEAD = "DeviceNotRegistered"
_AGAIN = "MessageRateExceeded"


class _Message(PushMessage):
    """With the fields that the SDK does not know yet: what takes the place of an earlier push on iOS and on Android."""

    tag = ""

    def get_payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = super().get_payload()
        return payload | {"collapseId": self.tag, "tag": self.tag}


@functools.cache
def _client(host: str, token: str) -> PushClient:
    session = requests.Session()
    session.headers.update({"accept": "application/json", "accept-encoding": "gzip, deflate", "content-type": "application/json"})
    if token:
        session.headers["authorization"] = f"Bearer {token}"
    return PushClient(host=host, session=session, timeout=settings.NOTICE_TIMEOUT_SECONDS)


def _our_client() -> PushClient:
    return _client(settings.EXPO_URL, settings.EXPO_ACCESS_TOKEN)


def _message(push: Push) -> _Message:
    message = _Message(
        to=push.token,
        title=push.title,
        body=push.body,
        data=dict(push.data),
        badge=push.badge,
        sound="default" if push.is_urgent else None,
        priority="high" if push.is_urgent else "normal",
        channel_id="urgent" if push.is_urgent else "default",
    )
    message.tag = push.tag
    return message


def send_pushes(pushes: Sequence[Push]) -> list[Outcome]:
    """Send at most `MOST_PUSHES`; one outcome each, in their order."""
    try:
        tickets = _our_client().publish_multiple([_message(push) for push in pushes])
    except Exception as error:
        return [_failed(error)] * len(pushes)
    return [_outcome(ticket) for ticket in tickets]


def _outcome(ticket: PushTicket) -> Outcome:
    if ticket.is_success():
        return Outcome(Result.ACCEPTED, ticket.id)
    error = (ticket.details or {}).get("error") or "error without a name"
    return Outcome(Result.BUSY if error == _AGAIN else Result.REFUSED, error=error, is_dead=error == _DEAD)


def receipts(tickets: Sequence[str]) -> list[Receipt]:
    """What became of these, as far as Expo knows by now.

    Raises:
        OSError, PushServerError: it does not answer.
    """
    asked = [PushTicket(push_message=None, status="ok", message="", details=None, id=ticket) for ticket in tickets]
    found = _our_client().check_receipts_multiple(asked)
    return [Receipt(receipt.id, "" if receipt.is_success() else _error_of(receipt)) for receipt in found]


def _error_of(receipt: Any) -> str:
    return str((receipt.details or {}).get("error") or "error without a name")[:60]


def _failed(error: Exception) -> Outcome:
    text = described(error)
    response = getattr(error, "response", None)
    if isinstance(error, (PushServerError, requests.HTTPError)) and response is not None and response.status_code >= 400:
        is_busy = response.status_code == 429 or response.status_code >= 500
        return Outcome(Result.BUSY if is_busy else Result.REFUSED, error=text)
    if isinstance(error, requests.ConnectTimeout) or "NewConnectionError" in str(error):
        return Outcome(Result.AWAY, error=text)
    return Outcome(Result.UNKNOWN, error=text)
