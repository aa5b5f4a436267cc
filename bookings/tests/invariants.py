"""What must hold of bookings at every moment, and once all work is done. P1, P2, P3, P7 and P15 of the invariants that we agreed on."""

from __future__ import annotations

from collections import Counter, defaultdict

from django.db import connection
from django.utils import timezone

from bookings.enums import LIVE_STATES, MOVES, PLACED_STATES, BookingState, WaitlistState
from bookings.models import Booking, BookingMove, Session, WaitlistEntry
from bookings.services.limits import MOST_UNPAID_AHEAD, MOST_UNPAID_WITH_MENTOR
from bookings.services.series_holds import PAY_ANOTHER_WITHIN
from bookings.tests.ending_invariants import check_endings
from core.money import Money
from mentors.enums import OfferKind
from mentors.models import OccupiedTime, Review
from payments.enums import CaptureMode, MovementKind, PaymentState
from payments.models import Payment
from payments.tests.invariants import check_always as check_money

OVERLAPS = """
SELECT count(*) FROM mentors_occupiedtime AS one JOIN mentors_occupiedtime AS other
ON one.person_id = other.person_id AND one.id < other.id AND one.during && other.during
WHERE one.source IN ('session', 'hold') AND other.source IN ('session', 'hold')
"""


def overlaps() -> int:
    """Pairs of sessions or holds of one person that touch the same moment."""
    with connection.cursor() as cursor:
        cursor.execute(OVERLAPS)
        return int(cursor.fetchone()[0])


def check_always() -> None:
    assert overlaps() == 0, "P1: somebody is booked twice"
    bookings = list(Booking.objects.select_related("session", "payment"))
    _check_time(bookings)
    _check_history(bookings)
    _check_money(bookings)
    _check_waitlist()
    _check_holds(bookings)
    check_endings(bookings)
    _check_holds(bookings)
    # P15: reviews belong to sessions that took place, and to their two people.
    for review in Review.objects.all():
        booking = next(row for row in bookings if row.pk == review.reference)
        assert booking.state == BookingState.COMPLETED
        assert booking.final_at is not None
        assert {review.author_id, review.about_id} == {booking.learner_id, booking.session.mentor_id}
    check_money()


def _check_holds(bookings: list[Booking]) -> None:
    """Nobody has more of a mentor's time ahead than the limits say without paying, nor any of a series of which nothing is paid."""
    now = timezone.now()
    held = [row for row in bookings if row.state == BookingState.HELD and row.expires_at is not None and row.expires_at > now]
    free = [row for row in bookings if row.state in LIVE_STATES and row.state != BookingState.HELD and not row.price_amount]
    unpaid = [row for row in (*held, *free) if row.session.starts_at > now]
    for _, number in Counter(row.learner_id for row in unpaid).items():
        assert number <= MOST_UNPAID_AHEAD
    for _, number in Counter((row.learner_id, row.session.mentor_id) for row in unpaid).items():
        assert number <= MOST_UNPAID_WITH_MENTOR
    backed = set(Booking.objects.backing_series().values_list("series_id", flat=True))
    for row in held:
        assert row.series_id is None or row.series_id in backed or row.expires_at <= now + PAY_ANOTHER_WITHIN  # type: ignore[operator]  # as above


def check_settled() -> None:
    """Everything that was due is done."""
    now = timezone.now()
    bookings = list(Booking.objects.select_related("session", "payment"))
    for booking in bookings:
        assert booking.expires_at is None or booking.expires_at > now, "P7: nobody waits beyond the deadline"
    for payment, together in _by_payment(bookings):
        settled = [booking for booking in together if booking.settled_at is not None]
        if not settled or payment.is_free:
            continue
        back = sum(booking.refund_amount or 0 for booking in settled)
        kept = sum(booking.price_amount for booking in together) - back
        if payment.state == PaymentState.CAPTURED:
            assert payment.returned_amount == back, "the quote is what came back"
            assert (payment.earned_at is not None) == (bool(kept) and len(settled) == len(together))
        else:
            assert payment.state == PaymentState.CANCELLED, "P7: nothing is kept of what is over"
            for booking in settled:
                assert booking.refund_amount == booking.price_amount or booking.state == BookingState.CANCELLED_BY_PLATFORM


def _check_time(bookings: list[Booking]) -> None:
    """P1 and P2: what is booked is what is occupied, for both people, as long as it is booked, and no longer."""
    rows = defaultdict(list)
    for row in OccupiedTime.objects.filter(reference__isnull=False):
        rows[row.reference].append(row)
    sessions = {}
    # Of a group somebody may have left their seat, and taken one again.
    placed = {(row.session_id, row.learner_id) for row in bookings if row.state in PLACED_STATES}
    for booking in bookings:
        session = sessions.setdefault(booking.session_id, booking.session)
        assert session.ends_at > session.starts_at
        taken = [row for row in rows.get(booking.session_id, []) if row.person_id == booking.learner_id]
        if booking.state in (BookingState.CONFIRMED, BookingState.IN_SESSION):
            assert [row.source for row in taken] == ["session"], (booking, taken)
        elif booking.state in LIVE_STATES:
            assert len(taken) <= 1
            # A hold that is over may have been given back already.
            assert taken or booking.expires_at <= timezone.now(), booking
        elif booking.state not in (BookingState.COMPLETED, *_NO_SHOWS) and (booking.session_id, booking.learner_id) not in placed:
            assert taken == [], booking
        for row in taken:
            assert (row.session.lower, row.session.upper) == (session.starts_at, session.ends_at)
    announced = dict(Session.objects.filter(kind=OfferKind.GROUP).values_list("pk", "cancelled_at"))
    for reference, found in rows.items():
        assert sum(row.is_mentor for row in found) == 1
        assert announced.get(reference) is None, "what was called off takes nobody's time"
        # Or it is kept for those who wait.
        assert reference in sessions or reference in announced or [row.source for row in found] == ["hold"]


_NO_SHOWS = (BookingState.NO_SHOW_BY_LEARNER, BookingState.NO_SHOW_BY_MENTOR, BookingState.NO_SHOW_BY_BOTH)


def _check_waitlist() -> None:
    """What is offered is held, and not paid for yet; what was let go is over."""
    for entry in WaitlistEntry.objects.filter(booking__isnull=False).select_related("booking"):
        booking = entry.booking
        assert booking is not None
        assert (entry.state == WaitlistState.OFFERED) == (booking.state == BookingState.HELD and booking.payment_id is None)
        assert entry.state != WaitlistState.PASSED or booking.state not in LIVE_STATES


def _check_history(bookings: list[Booking]) -> None:
    """P3: one row for each move, along the graph, and the last one is where the booking stands."""
    history = defaultdict(list)
    for move in BookingMove.objects.order_by("version"):
        history[move.booking_id].append(move)
    for booking in bookings:
        moves = history[booking.pk]
        assert [move.version for move in moves] == list(range(1, booking.version + 1))
        state = ""
        for move in moves:
            assert move.from_state == state
            assert not state or move.to_state == state or move.to_state in MOVES[BookingState(state)]
            state = move.to_state
        assert state == booking.state


MOST_UNPAID = 30


def _check_holds(bookings: list[Booking]) -> None:
    """Nobody holds more of a mentor's time without paying; what the platform holds from a waitlist is not theirs."""
    offered = set(WaitlistEntry.objects.filter(state=WaitlistState.OFFERED).values_list("booking", flat=True))
    now = timezone.now()
    held = Counter(
        row.learner_id
        for row in bookings
        if row.state == BookingState.HELD and row.expires_at is not None and row.expires_at > now and row.pk not in offered
    )
    assert all(number <= MOST_UNPAID for number in held.values()), "a mentor's time is held without end"


def _by_payment(bookings: list[Booking]) -> list[tuple[Payment, list[Booking]]]:
    found: dict[Payment, list[Booking]] = defaultdict(list)
    for booking in bookings:
        if booking.payment is not None:
            found[booking.payment].append(booking)
    return list(found.items())


def _check_money(bookings: list[Booking]) -> None:
    """P7: a confirmed session with a price is paid for, or is about to be; nothing is taken before it is confirmed."""
    for payment, together in _by_payment(bookings):
        assert payment.money == Money.total([booking.price for booking in together], payment.currency)
        assert {payment.subject_id} == {
            booking.pk if payment.capture_mode == CaptureMode.MANUAL else booking.series_id for booking in together
        }
    for booking in bookings:
        payment: Payment | None = booking.payment
        is_on = booking.state in (BookingState.CONFIRMED, BookingState.IN_SESSION, BookingState.COMPLETED)
        assert payment is not None or not is_on
        if payment is None or payment.is_free:
            continue
        # What is paid for together is taken at once.
        is_together = payment.capture_mode == CaptureMode.AUTOMATIC
        assert booking.state not in (BookingState.HELD, BookingState.REQUESTED) or is_together or payment.state != PaymentState.CAPTURED
        assert booking.state != BookingState.REQUESTED or not is_together or payment.state == PaymentState.CAPTURED
        if is_on:
            is_under_way = payment.movements.filter(kind=MovementKind.CAPTURE).exclude(state="failed").exists()
            assert payment.state == PaymentState.CAPTURED or is_under_way, (booking, payment)
        if booking.refund_amount is not None:
            assert Money.zero(booking.price_currency) <= Money(booking.refund_amount, booking.price_currency) <= booking.price
