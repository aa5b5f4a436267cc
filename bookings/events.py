from __future__ import annotations

import dataclasses
import uuid
from typing import ClassVar

from core.events import Event


@dataclasses.dataclass(frozen=True)
class _BookingEvent(Event):
    """`version` is the booking's when it happened: later ones may have followed."""

    booking_id: uuid.UUID
    version: int


class BookingHeld(_BookingEvent):
    """A time is held while it is paid for or a guardian is asked."""

    name: ClassVar[str] = "bookings.booking-held"


class WaitlistOffered(_BookingEvent):
    """A time is held for somebody who waited for it."""

    name: ClassVar[str] = "bookings.waitlist-offered"


class BookingRequested(_BookingEvent):
    """A mentor is asked for a session."""

    name: ClassVar[str] = "bookings.booking-requested"


class BookingConfirmed(_BookingEvent):
    """A session will take place."""

    name: ClassVar[str] = "bookings.booking-confirmed"


class CounterOffered(_BookingEvent):
    """The mentor proposed another time."""

    name: ClassVar[str] = "bookings.counter-offered"


class CounterWithdrawn(_BookingEvent):
    """The time that the mentor proposed is taken by something else."""

    name: ClassVar[str] = "bookings.counter-withdrawn"


class PaymentDue(_BookingEvent):
    """A session of a series has to be paid for soon, or it lapses with the others."""

    name: ClassVar[str] = "bookings.payment-due"


class BookingMoved(_BookingEvent):
    """A session was put to another time."""

    name: ClassVar[str] = "bookings.booking-moved"


class BookingEnded(_BookingEvent):
    """A booking came to an end without a session: declined, expired or cancelled."""

    name: ClassVar[str] = "bookings.booking-ended"


class SessionOver(_BookingEvent):
    """A session is over, and nothing proves how it went: both are asked."""

    name: ClassVar[str] = "bookings.session-over"


class SessionHeld(_BookingEvent):
    """A session counts as held, and may still be contested."""

    name: ClassVar[str] = "bookings.session-held"


class SessionCompleted(_BookingEvent):
    """A session took place, and nobody can contest that any more."""

    name: ClassVar[str] = "bookings.session-completed"


class SessionMissed(_BookingEvent):
    """Somebody did not come to a session. It may still be contested."""

    name: ClassVar[str] = "bookings.session-missed"


@dataclasses.dataclass(frozen=True)
class StatementMade(Event):
    """One side said how a session went, and nothing proves it: the other side may contest it."""

    name: ClassVar[str] = "bookings.statement-made"
    statement_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class AppealOpened(Event):
    """Somebody objects to how a session is said to have gone."""

    name: ClassVar[str] = "bookings.appeal-opened"
    appeal_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class AppealDecided(Event):
    """Staff decided what somebody objected to."""

    name: ClassVar[str] = "bookings.appeal-decided"
    appeal_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class StrikeGiven(Event):
    """A person missed or called off a session."""

    name: ClassVar[str] = "bookings.strike-given"
    user_id: uuid.UUID
    strike_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class ReminderDue(Event):
    """A person wanted to be reminded of a session now."""

    name: ClassVar[str] = "bookings.reminder-due"
    reminder_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class RoomFailed(Event):
    """A room could not be made in time."""

    name: ClassVar[str] = "bookings.room-failed"
    session_id: uuid.UUID
