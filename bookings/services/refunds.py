"""What a learner gets back. The policy is that of the day on which the booking was made; its hours are real time, so that they are the
same length across changes of clocks, and its last moment still counts.

After a reschedule the deadlines count from the latest of the session's times. What a learner had lost already when they moved it stays
lost (`refund_cap`), so that nobody moves a session into the far future in order to cancel it for a full refund."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping

from bookings.enums import BookingState, CancellationPolicy, Side
from bookings.models import Booking
from bookings.models.bookings import WHOLE_SHARE
from core.money import Money

_HOUR = datetime.timedelta(hours=1)
# How long a learner may cancel for a full refund after the mentor moved the session.
FREE_FOR = 24 * _HOUR
_ALL, _HALF = WHOLE_SHARE, WHOLE_SHARE // 2


@dataclasses.dataclass(frozen=True)
class Step:
    """Refund tier: cancel at least `before` the start, get `share` basis points back."""

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
    """Until when how much comes back to a learner who cancels, the earliest first. One that a later one makes meaningless is left out."""
    shares = [(booking.counted_from - step.before, _capped(booking, step.share)) for step in STEPS[CancellationPolicy(booking.policy)]]
    if booking.free_until is not None:
        shares.append((booking.free_until, _ALL))
    useful = [(until, share) for until, share in shares if share and not any(share <= other for at, other in shares if at > until)]
    return tuple(Deadline(until, booking.price.share(share)) for until, share in sorted(useful))


def refund_share(booking: Booking, *, at: datetime.datetime) -> int:
    """The basis points that come back to the learner of a confirmed booking who cancels at an instant."""
    if booking.free_until is not None and at <= booking.free_until:
        return _ALL
    steps = STEPS[CancellationPolicy(booking.policy)]
    return max((_capped(booking, step.share) for step in steps if at <= booking.counted_from - step.before), default=0)


def refund_of(booking: Booking, *, side: Side, at: datetime.datetime) -> Money:
    """What comes back if this side cancels then: all, unless it is the learner and the session was confirmed."""
    if side != Side.LEARNER or booking.state in (BookingState.HELD, BookingState.REQUESTED):
        return booking.price
    return booking.price.share(refund_share(booking, at=at))


def apply_move(booking: Booking, side: Side, *, at: datetime.datetime) -> None:
    """Adjust the terms of a booking whose session has just got another time, moved by this side."""
    start = booking.session.starts_at
    if booking.state != BookingState.CONFIRMED:
        # Before the mentor has agreed there is no earlier agreement to keep.
        booking.counted_from = start
        return
    if side == Side.LEARNER:
        booking.refund_cap = min(booking.refund_cap, refund_share(booking, at=at))
    else:
        free_until = min(at + FREE_FOR, start)
        booking.free_until = max(booking.free_until, free_until) if booking.free_until else free_until
    booking.counted_from = max(booking.counted_from, start)


def policy_text(booking: Booking) -> str:
    """What was agreed about cancelling, and what moving the session has changed about that."""
    sentences = [CancellationPolicy(booking.policy).label]
    if booking.counted_from > booking.session.starts_at:
        sentences.append("The session was moved, so the hours count from the later time.")
    if booking.refund_cap == 0:
        sentences.append(
            "It was moved by the learner when nothing would have come back any more, so a cancellation by the learner refunds nothing."
        )
    elif booking.refund_cap < _ALL:
        sentences.append("It was moved by the learner when only half would have come back, so at most half comes back.")
    return ". ".join(sentence.rstrip(".") for sentence in sentences) + ("." if len(sentences) > 1 else "")


def _capped(booking: Booking, share: int) -> int:
    """What was lost when the learner moved the session is not regained by the move."""
    return min(share, booking.refund_cap)


def quote_for(booking: Booking, *, side: Side, at: datetime.datetime) -> Quote:
    """What a cancel would do. The cancel itself asks the same function."""
    upcoming = tuple(deadline for deadline in deadlines_of(booking) if deadline.until >= at) if side == Side.LEARNER else ()
    return Quote(at, side, booking.price, refund_of(booking, side=side, at=at), upcoming)
