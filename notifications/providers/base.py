"""What every channel's provider takes and answers."""

from __future__ import annotations

import dataclasses
import enum
import uuid
from collections.abc import Mapping
from typing import Any

from core.error_texts import describe


class Result(enum.Enum):
    ACCEPTED = "accepted"  # handed over
    REFUSED = "refused"  # never again like this
    BUSY = "busy"  # not now: the provider answered that it did nothing
    AWAY = "away"  # the provider could not be reached, so nothing was sent
    UNKNOWN = "unknown"  # the answer was lost: it may have been sent


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one message. `is_dead` says that its address takes nothing any more."""

    result: Result
    provider_id: str = ""
    error: str = ""
    is_dead: bool = False


@dataclasses.dataclass(frozen=True)
class Invite:
    """A calendar part: RFC 5545 text with its method, REQUEST or CANCEL."""

    text: str
    method: str


@dataclasses.dataclass(frozen=True)
class Letter:
    """An e-mail. `key` is the same for every attempt; `headers` are added to the message's own."""

    key: uuid.UUID
    to: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    invite: Invite | None = None


@dataclasses.dataclass(frozen=True)
class Push:
    """A push to one phone. On the phone a later one with the same `tag` takes the place of an earlier one."""

    token: str
    title: str
    body: str
    tag: str
    data: Mapping[str, Any]
    badge: int
    is_urgent: bool


@dataclasses.dataclass(frozen=True)
class Receipt:
    """What Expo says later about a ticket: `error` is "" for a push that arrived."""

    ticket: str
    error: str = ""


@dataclasses.dataclass(frozen=True)
class TextMessage:
    key: uuid.UUID
    to: str
    text: str


def described(error: BaseException) -> str:
    """An error as staff may read it: without addresses, and without the message that anymail adds."""
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
    return (f"{type(error).__name__}: answered {status}" if status else describe(error))[:300]
