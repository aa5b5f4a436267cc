"""How much of mentors' time one person can take before paying for it. Everything that takes time asks here, under the lock of the learner,
so that many requests at once do not slip through: single sessions, series, seats, offers from a waitlist."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User
from bookings.enums import AHEAD_STATES, BookingState, Cause, WaitlistState
from bookings.errors import TooManyHolds, TooManyInAWeek, TooManyRequestsOpen, TooManyUnpaid, TooManyUnpaidAhead
from bookings.models import Booking, BookingMove, WaitlistEntry
from bookings.services.strikes import require_few_strikes

# A series of which nothing is paid yet is one hold, and one request.
MOST_HOLDS, MOST_REQUESTS = 3, 5
# Sessions ahead that are free of charge or not paid yet: with one mentor, with all of them, and with one mentor within seven days.
MOST_UNPAID_WITH_MENTOR, MOST_UNPAID_AHEAD, MOST_UNPAID_A_WEEK = 30, 60, 5
# Holds that may lapse, within a day and, of sessions of a series, within two months: each kept others from booking.
MOST_UNPAID = 5
_DAY, _WEEK, _REMEMBERED = datetime.timedelta(days=1), datetime.timedelta(days=7), datetime.timedelta(days=60)
# Holds that may be given back in a day, and offers from waitlists that may lapse in a week: each took time without using it.
MOST_GIVEN_BACK, MOST_NOT_TAKEN = 10, 5


def require_can_book(
    learner: User, *, mentor_id: uuid.UUID, starts: Sequence[datetime.datetime], has_price: bool, is_offer: bool = False
) -> None:
    """Check what keeps this person from taking these times, as user id of the mentor and starts. Those that are all paid for at once
    need not be named. An offer from a waitlist counts the other offers that the person has not taken.

    Raises:
        TooManyStrikes, TooManyHolds, TooManyRequestsOpen, TooManyUnpaid, TooManyUnpaidAhead, TooManyInAWeek.
    """
    require_few_strikes(learner)
    _require_few_waiting(learner, is_offer=is_offer)
    _require_few_ahead(learner, mentor_id, starts, is_offer=is_offer)
    if has_price and _let_go(learner):
        raise TooManyUnpaid
    if is_offer and _moves(learner, _WEEK).filter(cause=Cause.NOT_TAKEN).count() >= MOST_NOT_TAKEN:
        raise TooManyHolds


def _require_few_waiting(learner: User, *, is_offer: bool) -> None:
    backed = Exists(Booking.objects.backing_series().filter(series=OuterRef("series")))
    rows = _unoffered(learner, is_offer=is_offer).annotate(unit=Coalesce("series_id", "pk"))
    is_held = Q(state=BookingState.HELD, expires_at__gt=timezone.now()) & ~Q(backed)
    counts = rows.aggregate(
        held=Count("unit", distinct=True, filter=is_held),
        requested=Count("unit", distinct=True, filter=Q(state=BookingState.REQUESTED)),
    )
    if counts["held"] >= MOST_HOLDS:
        raise TooManyHolds
    if counts["requested"] >= MOST_REQUESTS:
        raise TooManyRequestsOpen


def _require_few_ahead(learner: User, mentor_id: uuid.UUID, starts: Sequence[datetime.datetime], *, is_offer: bool) -> None:
    ahead = list(_unpaid(_unoffered(learner, is_offer=is_offer)).values_list("session__mentor", "session__starts_at"))
    with_mentor = sorted([start for other_id, start in ahead if other_id == mentor_id] + list(starts))
    if len(ahead) + len(starts) > MOST_UNPAID_AHEAD or len(with_mentor) > MOST_UNPAID_WITH_MENTOR:
        raise TooManyUnpaidAhead(most_with_mentor=MOST_UNPAID_WITH_MENTOR, most=MOST_UNPAID_AHEAD)
    _require_few_in_a_week(with_mentor, starts)


def require_movable_to(booking: Booking, starts_at: datetime.datetime) -> None:
    """Check that a learner does not gather in one week what they booked over many. Needs the lock of the booking.

    Raises:
        TooManyInAWeek.
    """
    if booking.price and booking.state != BookingState.HELD:
        return
    others = _unpaid(_unoffered(booking.learner, is_offer=False)).filter(session__mentor=booking.session.mentor_id).exclude(pk=booking.pk)
    _require_few_in_a_week(sorted([*others.values_list("session__starts_at", flat=True), starts_at]), [starts_at])


def _require_few_in_a_week(ahead: Sequence[datetime.datetime], starts: Sequence[datetime.datetime]) -> None:
    """Check that no new start with a mentor is within seven days of too many others. The starts are in order."""
    pairs = zip(ahead, ahead[MOST_UNPAID_A_WEEK:], strict=False)
    if any(last - first < _WEEK and _touches(starts, first, last) for first, last in pairs):
        raise TooManyInAWeek(most=MOST_UNPAID_A_WEEK)


def _unpaid(rows: QuerySet[Booking]) -> QuerySet[Booking]:
    now = timezone.now()
    unpaid = Q(state=BookingState.HELD, expires_at__gt=now) | Q(price_amount=0) & ~Q(state=BookingState.HELD)
    return rows.filter(unpaid, session__starts_at__gt=now)


def _touches(starts: Sequence[datetime.datetime], first: datetime.datetime, last: datetime.datetime) -> bool:
    """Whether a new time lies between these two; times that are already booked do not block distant ones."""
    return any(first <= start <= last for start in starts)


def _let_go(learner: User) -> bool:
    lapsed = _moves(learner, _REMEMBERED).filter(cause=Cause.NOT_PAID)
    recent = lapsed.filter(Q(moved_at__gt=timezone.now() - _DAY) | Q(booking__series__isnull=False))
    cancelled = _moves(learner, _DAY).filter(from_state=BookingState.HELD, to_state=BookingState.CANCELLED_BY_LEARNER)
    # Leaving Soosh calls off everything at once; that is no way to keep times from others.
    given_back = cancelled.exclude(cause=Cause.LEFT).filter(booking__price_amount__gt=0)
    units = given_back.annotate(unit=Coalesce("booking__series_id", "booking_id")).aggregate(number=Count("unit", distinct=True))
    return recent.count() >= MOST_UNPAID or units["number"] >= MOST_GIVEN_BACK


def _moves(learner: User, within: datetime.timedelta) -> QuerySet[BookingMove]:
    return BookingMove.objects.filter(booking__learner=learner, moved_at__gt=timezone.now() - within).order_by()


def _unoffered(learner: User, *, is_offer: bool) -> QuerySet[Booking]:
    """The person's bookings ahead, without what the platform holds for them from a waitlist and they have not taken."""
    rows = Booking.objects.filter(learner=learner, state__in=AHEAD_STATES).order_by()
    offered = WaitlistEntry.objects.filter(booking=OuterRef("pk"), state=WaitlistState.OFFERED)
    return rows if is_offer else rows.exclude(Exists(offered))
