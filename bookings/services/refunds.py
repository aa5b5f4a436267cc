"""What a learner gets back. The policy is that of the day on which the booking was made; its hours are real time, so that they are the
same length across changes of clocks, and its last moment still counts."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping

from bookings.enums import BookingState, CancellationPolicy, Side
from bookings.models import Booking
from core.money import Money

_HOUR = datetime.timedelta(hours=1)
_ALL, _HALF = 10_000, 5_000


@dataclasses.dataclass(frozen=True)
class Step:
    """Who cancels no later than so long before the start gets so many basis points of the price back."""

    before: datetime.timedelta
    share: int


STEPS: Mapping[CancellationPolicy, tuple[Step, ...]] = {
    CancellationPolicy.FLEXIBLE: (Step(24 * _HOUR, _ALL), Step(4 * _HOUR, _HALF)),
    CancellationPolicy.STANDARD: (Step(48 * _HOUR, _ALL), Step(24 * _HOUR, _HALF)),
    CancellationPolicy.STRICT: (Step(7 * 24 * _HOUR, _ALL), Step(48 * _HOUR, _HALF)),
}


@dataclasses.dataclass(frozen=True)
class Deadline:
    """Until this instant, taken in, so much comes back."""

    until: datetime.datetime
    refund: Money


@dataclasses.dataclass(frozen=True)
class Quote:
    """What a cancel at an instant would pay back, and what would not come back; the next moments at which that changes."""

    at: datetime.datetime
    side: Side
    paid: Money
    refund: Money
    deadlines: tuple[Deadline, ...]

    @property
    def kept(self) -> Money:
        return self.paid - self.refund


def deadlines_of(booking: Booking) -> tuple[Deadline, ...]:
    """Until when how much comes back to a learner who cancels, the earliest first."""
    steps = STEPS[CancellationPolicy(booking.policy)]
    found = [Deadline(booking.counted_from - step.before, booking.price.share(step.share)) for step in steps]
    if booking.free_until is not None:
        found.append(Deadline(booking.free_until, booking.price))
    return tuple(sorted(found, key=lambda deadline: deadline.until))


def refund_of(booking: Booking, *, side: Side, at: datetime.datetime) -> Money:
    """What comes back if this side cancels then: all, unless it is the learner and the session was confirmed."""
    if side != Side.LEARNER or booking.state in (BookingState.HELD, BookingState.REQUESTED):
        return booking.price
    open_ones = [deadline.refund for deadline in deadlines_of(booking) if at <= deadline.until]
    return max(open_ones, default=Money.zero(booking.price_currency))


def quote_for(booking: Booking, *, side: Side, at: datetime.datetime) -> Quote:
    """What a cancel would do. The cancel itself asks the same function."""
    upcoming = tuple(deadline for deadline in deadlines_of(booking) if deadline.until >= at) if side == Side.LEARNER else ()
    return Quote(at, side, booking.price, refund_of(booking, side=side, at=at), upcoming)
