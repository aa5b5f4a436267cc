from __future__ import annotations

import dataclasses
import uuid
from typing import ClassVar

from core.events import Event


@dataclasses.dataclass(frozen=True)
class EmailVerified(Event):
    """A person proved that the address is theirs; from now on they can sign in."""

    name: ClassVar[str] = "accounts.email-verified"
    user_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class SafetyChanged(Event):
    """Something happened to the safety of an account that its owner must hear of by mail. `security_event_id` says what."""

    name: ClassVar[str] = "accounts.safety-changed"
    user_id: uuid.UUID
    security_event_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class RefreshTokenReused(Event):
    """A refresh token was presented a second time; its whole family was revoked."""

    name: ClassVar[str] = "accounts.refresh-token-reused"
    user_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class ConsentGranted(Event):
    name: ClassVar[str] = "accounts.consent-granted"
    user_id: uuid.UUID
    purpose: str


@dataclasses.dataclass(frozen=True)
class ConsentWithdrawn(Event):
    """What was done on this consent must stop, and what was made of it must go."""

    name: ClassVar[str] = "accounts.consent-withdrawn"
    user_id: uuid.UUID
    purpose: str


@dataclasses.dataclass(frozen=True)
class PersonBlocked(Event):
    name: ClassVar[str] = "accounts.person-blocked"
    user_id: uuid.UUID
    blocked_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class PersonSuspended(Event):
    name: ClassVar[str] = "accounts.person-suspended"
    user_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class PersonReinstated(Event):
    name: ClassVar[str] = "accounts.person-reinstated"
    user_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class PersonErased(Event):
    """Nothing of this person is left but pseudonymous records."""

    name: ClassVar[str] = "accounts.person-erased"
    user_id: uuid.UUID
