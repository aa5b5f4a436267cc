from __future__ import annotations

import dataclasses
import uuid
from typing import ClassVar

from core.events import Event


@dataclasses.dataclass(frozen=True)
class CalendarWentStale(Event):
    """An outside calendar of this person could not be read for so long that what it says may be wrong."""

    name: ClassVar[str] = "mentors.calendar-went-stale"
    user_id: uuid.UUID
    calendar_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class CalendarMisread(Event):
    """Something new in an outside calendar of this person was not understood."""

    name: ClassVar[str] = "mentors.calendar-misread"
    user_id: uuid.UUID
    calendar_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class MentorDecided(Event):
    """Staff decided about a mentor. `state` is the new one."""

    name: ClassVar[str] = "mentors.mentor-decided"
    user_id: uuid.UUID
    profile_id: uuid.UUID
    state: str


@dataclasses.dataclass(frozen=True)
class CheckDecided(Event):
    """Staff decided about a check of a mentor. `state` is the new one: passed, refused or revoked."""

    name: ClassVar[str] = "mentors.check-decided"
    user_id: uuid.UUID
    check_id: uuid.UUID
    state: str


@dataclasses.dataclass(frozen=True)
class CheckExpires(Event):
    """A check of a mentor is over in a month or less."""

    name: ClassVar[str] = "mentors.check-expires"
    user_id: uuid.UUID
    check_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class ReviewGranted(Event):
    """After a session two people may say what they think of it."""

    name: ClassVar[str] = "mentors.review-granted"
    user_id: uuid.UUID
    review_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class ReviewShown(Event):
    """What somebody wrote about this person can be seen."""

    name: ClassVar[str] = "mentors.review-shown"
    user_id: uuid.UUID
    review_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class OfferSwitchedOff(Event):
    """An offer was switched off because its price cannot be charged."""

    name: ClassVar[str] = "mentors.offer-switched-off"
    user_id: uuid.UUID
    offer_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class MentorAutoPaused(Event):
    """A mentor left requests unanswered, and takes no bookings until they say so."""

    name: ClassVar[str] = "mentors.mentor-auto-paused"
    user_id: uuid.UUID
    profile_id: uuid.UUID
