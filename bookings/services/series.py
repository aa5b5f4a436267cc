"""Sessions every week: looked at together before anything is written, booked all or as chosen, and changed one, from one on, or all.

The time stays the same by the mentor's clock, because that is where their hours are; across a change of clocks the instant moves, and the
wall time does not.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.policies import can_book, is_minor
from bookings.enums import AHEAD_STATES, BookingState, Side
from bookings.errors import CannotPayTogether, MayNotBook, NoSuchSeries, NotBookable, SeriesUnavailable
from bookings.models import Booking, BookingTerms, Series
from bookings.services.booking import begin_booking, claim_session, hold_for, hold_session, offer_for
from bookings.services.cancelling import cancel_booking
from bookings.services.limits import require_can_book
from bookings.services.moving import record_start
from bookings.services.rescheduling import reschedule_booking
from core.money import Money
from core.wall_time import as_text, instant_of
from mentors.errors import SlotUnavailable
from mentors.models import MentorProfile, Offer, Schedule
from mentors.services.keeping import lock_people
from mentors.services.occupying import nearest_slots
from mentors.services.slots import Question, refusals_of
from payments.enums import CaptureMode
from payments.services.paying import PaymentPolicy, open_payment
from payments.services.prices import price_error

MOST_SESSIONS, MOST_WEEKS_BETWEEN = 26, 8
# The mentor has the money of what is paid for together after the last session; so that is not far away, and nobody pays for a year ahead.
MOST_TOGETHER, TOGETHER_WITHIN = 10, datetime.timedelta(days=90)


def occurrences(first_at: datetime.datetime, zone: ZoneInfo, *, number: int, every_weeks: int) -> list[datetime.datetime]:
    """So many starts, every so many weeks at the wall time that the clock of the zone shows at the first one. A wall time that a change of
    clocks leaves out is the moment of the change, at which nothing is offered."""
    wall = first_at.astimezone(zone).replace(tzinfo=None)
    weeks = [wall + datetime.timedelta(weeks=every_weeks * count) for count in range(number)]
    return [first_at, *(instant_of(each, zone) for each in weeks[1:])]


def book_series(
    *,
    learner: User,
    mentor_id: uuid.UUID,
    first_at: datetime.datetime,
    duration_minutes: int,
    number: int,
    every_weeks: int = 1,
    starts: Sequence[datetime.datetime] | None = None,
    offer_id: uuid.UUID | None = None,
    topic: str = "",
    is_paid_together: bool = False,
) -> Series:
    """Book them all, or none. With `starts` these very times are booked, so that what cannot be had can be replaced or left out. One is
    paid for like any booking, which keeps the others held until a week before each; or all of them at once, for less if the mentor says
    so.

    Raises:
        CannotPayTogether: too many, too far ahead, without a price, under 18, or a sum that cannot be charged at once.
        SeriesUnavailable: naming each time that cannot be had, with its reasons and the nearest ones.
        MayNotBook, NotBookable, NoSuchOffer, TooManyHolds and the like: as for one.
    """
    if not can_book(learner):
        raise MayNotBook
    profile = MentorProfile.objects.bookable_for(learner).select_related("user").filter(pk=mentor_id).first()
    if profile is None:
        raise NotBookable
    with transaction.atomic():
        lock_people((profile.user_id, learner.pk))
        offer = offer_for(profile, duration_minutes, offer_id)
        zone = ZoneInfo(Schedule.objects.values_list("time_zone", flat=True).get(profile=profile))
        wanted = list(starts) if starts else occurrences(first_at, zone, number=number, every_weeks=every_weeks)
        counted = [] if is_paid_together else wanted
        require_can_book(learner, mentor_id=profile.user_id, starts=counted, has_price=bool(offer.price_amount))
        _require_all(profile, learner, offer, wanted)
        series = Series.objects.create(mentor=profile.user, learner=learner, zone=zone.key, every_weeks=every_weeks)
        price = _price_together(profile, learner, offer, wanted) if is_paid_together else None
        bookings = []
        # All of them together, until one is paid for.
        until = hold_for(learner, min(wanted))
        for start in sorted(wanted):
            try:
                session_id = claim_session(learner, profile, offer, start, until=until)
            except SlotUnavailable as error:
                # Each by itself could be had; together they reach a limit of the mentor.
                raise SeriesUnavailable(occurrences=[_told(start, **error.data)]) from error
            bookings.append(hold_session(session_id, learner, profile, offer, start, topic=topic, until=until, series=series, price=price))
        if is_paid_together:
            _ask_payer(series, bookings)
        else:
            for booking in bookings:
                begin_booking(booking, learner)
    return series


def cancel_series(*, series: Series, user: User, first: Booking | None = None, note: str = "") -> int:
    """Call off what is ahead, all of it or from one on. Each gets back what its own quote says. Returns how many.

    Raises:
        NoSuchSeries: nothing is ahead.
    """

    def cancel(booking: Booking) -> None:
        # What was to be paid for together went with the first of them.
        if Booking.objects.filter(pk=booking.pk, state__in=AHEAD_STATES).exists():
            cancel_booking(booking_id=booking.pk, user=user, note=note)

    return _each(series, first, cancel)


def move_series(*, series: Series, user: User, first: Booking, starts_at: datetime.datetime, note: str = "") -> int:
    """Put one and all that follow to another weekday or time: each moves as far by the clock on the wall as the first one does, or none
    moves. Returns how many.

    Raises:
        NoSuchSeries: nothing is ahead.
        SeriesUnavailable: with the first time that cannot be had.
    """
    zone = ZoneInfo(series.zone)
    shift = _wall(starts_at, zone) - _wall(first.session.starts_at, zone)

    def move(booking: Booking) -> None:
        start = instant_of(_wall(booking.session.starts_at, zone) + shift, zone)
        try:
            reschedule_booking(booking_id=booking.pk, user=user, starts_at=start, note=note)
        except SlotUnavailable as error:
            raise SeriesUnavailable(occurrences=[_told(start, **error.data)]) from error

    # From the far end if they move later: none gets into the way of the next one.
    return _each(series, first, move, is_reversed=shift > datetime.timedelta())


def act_on_series(*, series: Series, act: Callable[[Booking], Any], state: BookingState) -> int:
    """Do something with all that are in a state, or with none. Returns how many.

    Raises:
        NoSuchSeries: there is none.
    """
    with transaction.atomic():
        rows = list(_ahead(series).filter(state=state))
        if not rows:
            raise NoSuchSeries
        lock_people((series.mentor_id, series.learner_id))
        for booking in rows:
            act(booking)
    return len(rows)


def _price_together(profile: MentorProfile, learner: User, offer: Offer, wanted: Sequence[datetime.datetime]) -> Money:
    """What one of these sessions costs if they are paid for together."""
    is_soon = max(wanted) + datetime.timedelta(minutes=offer.duration_minutes) <= timezone.now() + TOGETHER_WITHIN
    if is_minor(learner) or not offer.price_amount or not 2 <= len(wanted) <= MOST_TOGETHER or not is_soon:
        raise CannotPayTogether
    percent = BookingTerms.objects.filter(mentor=profile.user_id).values_list("package_percent", flat=True).first() or 0
    price = Money(offer.price_amount, offer.price_currency).part(100 - percent, 100)
    if not price or price_error(Money(price.amount * len(wanted), price.currency), field="is_paid_together"):
        raise CannotPayTogether
    return price


def _ask_payer(series: Series, bookings: Sequence[Booking]) -> None:
    """Open the payment of them all. It is taken at once, for what is reserved would lapse before the mentor has answered to each."""
    first = bookings[0]
    series.payment = open_payment(
        subject_id=series.pk,
        payer=series.learner,
        payee=series.mentor,
        money=Money.total([booking.price for booking in bookings], first.price_currency),
        policy=PaymentPolicy(capture_mode=CaptureMode.AUTOMATIC),
        # Nobody is named: it stays in the books when people go.
        description=f"{len(bookings)} sessions: {first.session.title}, {first.session.duration_minutes} minutes each",
    )
    series.save()
    for booking in bookings:
        booking.payment = series.payment
        booking.save()
        record_start(booking, side=Side.LEARNER, actor=series.learner)


def _each(series: Series, first: Booking | None, act: Callable[[Booking], None], *, is_reversed: bool = False) -> int:
    with transaction.atomic():
        lock_people((series.mentor_id, series.learner_id))
        rows = [row for row in _ahead(series) if first is None or row.session.starts_at >= first.session.starts_at]
        if not rows:
            raise NoSuchSeries
        for booking in reversed(rows) if is_reversed else rows:
            act(booking)
    return len(rows)


def _ahead(series: Series) -> QuerySet[Booking]:
    rows = Booking.objects.filter(series=series, state__in=AHEAD_STATES, session__starts_at__gt=timezone.now())
    return rows.select_related("session").order_by("session__starts_at")


def _require_all(profile: MentorProfile, learner: User, offer: Offer, wanted: Sequence[datetime.datetime]) -> None:
    """Nothing is written before all were looked at."""
    question = Question(profile.pk, offer.duration_minutes, learner.pk)
    bad = []
    for start in wanted:
        refusals = refusals_of(question, start)
        if refusals:
            bad.append(_told(start, reasons=[refusal.value for refusal in refusals], alternatives=nearest_slots(question, start)))
    if bad:
        raise SeriesUnavailable(occurrences=bad)


def _told(start: datetime.datetime, *, reasons: Sequence[str], alternatives: Sequence[Any]) -> dict[str, Any]:
    return {"start": _text(start), "reasons": list(reasons), "alternatives": [_text(each) for each in alternatives]}


def _text(instant: Any) -> str:
    return as_text(instant) if isinstance(instant, datetime.datetime) else str(instant)


def _wall(instant: datetime.datetime, zone: ZoneInfo) -> datetime.datetime:
    return instant.astimezone(zone).replace(tzinfo=None)
