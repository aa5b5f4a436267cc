"""How a session went: it took place, or somebody did not come. What nobody says is read from who was in the room."""

from __future__ import annotations

import datetime
import uuid

from django.db import transaction
from django.db.models import Exists, Q
from django.utils import timezone

from accounts.models import User
from bookings.enums import AttendanceSource, BookingState, Cause, Side, StrikeKind
from bookings.errors import NoShowTooEarly, NotOverYet, TheyWereThere, YouWereNotThere
from bookings.events import SessionCompleted, SessionMissed
from bookings.models import Booking
from bookings.services.attending import Presence, presence_of, stays_of
from bookings.services.moving import locked_booking, move, require_state, side_of
from bookings.services.reminding import drop_reminders
from bookings.services.settling import owe
from bookings.services.strikes import give_strike
from core.batches import each_alone
from core.events import publish
from core.money import Money
from mentors.models import MentorProfile
from mentors.services.reviews import grant_reviews
from payments.enums import RefundReason

# Ten minutes of waiting are enough; ADPList and MentorCruise say the same.
WAIT_FOR = datetime.timedelta(minutes=10)
# Until then each may say how it was; the money waits for who objects.
SAY_UNTIL = APPEAL_FOR = datetime.timedelta(hours=24)
# Both were there, as the records say: no need to wait for a day.
_TIDY_AFTER = datetime.timedelta(minutes=15)
_HELD = (BookingState.CONFIRMED, BookingState.IN_SESSION)
_BATCH = 200
_MISSED = {Side.LEARNER: BookingState.NO_SHOW_BY_LEARNER, Side.MENTOR: BookingState.NO_SHOW_BY_MENTOR}


def complete_booking(*, booking_id: uuid.UUID, user: User) -> Booking:
    """It took place. A learner says so once it is over; a mentor once both were in the room, or else it counts as held a day later.

    Raises:
        IllegalBookingMove: it is not confirmed, or how it went was said before.
        NotOverYet: it is still going on, or, of a mentor, there is no record of the learner in the room.
    """
    with transaction.atomic():
        booking = locked_booking(booking_id)
        require_state(booking, *_HELD)
        side = side_of(booking, user)
        presence = presence_of(booking)
        is_over = booking.session.ends_at <= timezone.now()
        if not ((is_over and side == Side.LEARNER) or (presence.both and _has_begun(booking))):
            raise NotOverYet
        complete(booking, side=side, cause=Cause.ENDED, actor=user)
    return booking


def complete(booking: Booking, *, side: Side, cause: Cause, actor: User | None = None, note: str = "") -> None:
    """It took place: it is paid for, and both may review it. Needs the lock of the booking."""
    drop_reminders(booking)
    move(booking, BookingState.COMPLETED, side=side, cause=cause, actor=actor, note=note)
    owe(booking, Money.zero(booking.price_currency), reason=RefundReason.REQUESTED)
    profile = MentorProfile.objects.filter(user=booking.session.mentor_id).first()
    if profile is not None:
        grant_reviews(reference=booking.pk, profile=profile, learner_id=booking.learner_id, ended_at=booking.session.ends_at)
    publish(SessionCompleted(booking.pk, booking.version))


def report_no_show(*, booking_id: uuid.UUID, user: User, note: str = "") -> Booking:
    """Who came says that the other one did not, ten minutes after the start at the earliest and a day after the end at the latest. The
    money waits for a day, in which the other one may object.

    Raises:
        IllegalBookingMove: it is not confirmed, or how it went was said before.
        NoShowTooEarly, YouWereNotThere: as they say.
        TheyWereThere: the video provider saw them. Cut lines and wrong rooms are for staff to judge.
    """
    with transaction.atomic():
        booking = locked_booking(booking_id)
        require_state(booking, *_HELD)
        if timezone.now() < booking.session.starts_at + WAIT_FOR:
            raise NoShowTooEarly
        side = side_of(booking, user)
        presence = presence_of(booking)
        other = Side.LEARNER if side == Side.MENTOR else Side.MENTOR
        if not presence.sources_of(side):
            raise YouWereNotThere
        if AttendanceSource.PROVIDER in presence.sources_of(other):
            raise TheyWereThere
        _miss(booking, (other,), side=side, actor=user, note=note)
    return booking


def end_sessions() -> int:
    """Say of sessions that are over how they went, as far as the records tell. Returns how many were looked at."""
    now = timezone.now()
    over = Booking.objects.over(now - _TIDY_AFTER).filter(
        Q(session__ends_at__lte=now - SAY_UNTIL) | Q(Exists(stays_of("learner")), Exists(stays_of("session__mentor")))
    )
    due = list(over.order_by("session__ends_at", "pk").values_list("pk", flat=True)[:_BATCH])
    return sum(each_alone(_end_by_records, due))


def begin_sessions() -> int:
    """Say of sessions that started, and in whose room somebody is, that they are going on. Returns how many."""
    now = timezone.now()
    ready = Booking.objects.filter(state=BookingState.CONFIRMED, session__starts_at__lte=now, session__ends_at__gt=now)
    somebody = Q(Exists(stays_of("learner"))) | Q(Exists(stays_of("session__mentor")))
    due = list(ready.filter(somebody).order_by("pk").values_list("pk", flat=True)[:_BATCH])
    return sum(each_alone(_begin_one, due))


def begin(booking: Booking) -> bool:
    """Somebody is in the room, and the time has come. Needs the lock of the booking. Whether it has begun with that."""
    session = booking.session
    if booking.state == BookingState.CONFIRMED and session.starts_at <= timezone.now() < session.ends_at:
        presence = presence_of(booking)
        if presence.mentor or presence.learner:
            side = Side.MENTOR if presence.mentor else Side.LEARNER
            move(booking, BookingState.IN_SESSION, side=side, cause=Cause.JOINED)
            return True
    return False


def _begin_one(booking_id: uuid.UUID) -> bool:
    with transaction.atomic():
        return begin(locked_booking(booking_id))


def _end_by_records(booking_id: uuid.UUID) -> bool:
    with transaction.atomic():
        booking = locked_booking(booking_id)
        if booking.state not in _HELD:
            return False
        presence = presence_of(booking)
        if presence.both:
            complete(booking, side=Side.PLATFORM, cause=Cause.ENDED)
        elif booking.session.ends_at + SAY_UNTIL <= timezone.now():
            _miss(booking, _who_missed(presence), side=Side.PLATFORM)
        else:
            return False
    return True


def _who_missed(presence: Presence) -> tuple[Side, ...]:
    missed = [side for side in (Side.LEARNER, Side.MENTOR) if not presence.sources_of(side)]
    return tuple(missed)


def _miss(booking: Booking, missed: tuple[Side, ...], *, side: Side, actor: User | None = None, note: str = "") -> None:
    """A mentor who did not come is paid nothing; a learner who did not come gets nothing back."""
    drop_reminders(booking)
    to = _MISSED[missed[0]] if len(missed) == 1 else BookingState.NO_SHOW_BY_BOTH
    move(booking, to, side=side, cause=Cause.NOT_THERE, actor=actor, note=note)
    refund = booking.price if Side.MENTOR in missed else Money.zero(booking.price_currency)
    owe(booking, refund, reason=RefundReason.NOT_DELIVERED, settle_at=timezone.now() + APPEAL_FOR)
    for each in missed:
        person = booking.session.mentor if each == Side.MENTOR else booking.learner
        give_strike(person=person, booking=booking, kind=StrikeKind.NO_SHOW)
    publish(SessionMissed(booking.pk, booking.version))


def _has_begun(booking: Booking) -> bool:
    return booking.session.starts_at <= timezone.now()
