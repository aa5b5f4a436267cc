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
class RefreshTokenReused(Event):
    """A refresh token was presented a second time; its whole family was revoked."""

    name: ClassVar[str] = "accounts.refresh-token-reused"
    user_id: uuid.UUID
