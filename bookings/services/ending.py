"""How a session went: statements of both sides, and the endings of sessions without any."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from bookings.enums import CONCLUDED_STATES, AppealState, BookingState, Cause, Outcome, Side
from bookings.errors import AlreadySaid, IllegalBookingMove, NoShowTooEarly, NotOverYet, TheyWereThere, YouWereNotThere
from bookings.events import SessionOver, StatementMade
from bookings.models import Appeal, Booking, Statement
from bookings.models.rooms import CLOSES_AFTER
from bookings.services.appealing import open_case
from bookings.services.attending import WAIT_FOR, has_been_in_room, is_met, stays_of
from bookings.services.moving import locked_booking, move, require_state, side_of
from bookings.services.outcomes import finalise, update_outcome
from bookings.services.verdicts import CONTEST_FOR
from core.batches import each_alone
from core.events import publish
from core.wall_time import as_text

# By then the room is closed, and the provider has reported who left it.
ASK_AFTER = CLOSES_AFTER + datetime.timedelta(minutes=5)
_UNDECIDED = (BookingState.CONFIRMED, BookingState.IN_SESSION)
_BATCH = 200


def complete_booking(*, booking_id: uuid.UUID, user: User) -> Booking:
    """Say that the session took place. A mentor can do so once it is over, once the record shows both for most of it, or once the learner
    has said so; a learner from its start on.

    Raises:
        IllegalBookingMove: it is not confirmed, or how it went is settled, contested or past contesting.
        AlreadySaid: this side has said how it went.
        NotOverYet: with the instant at which a mentor can say so.
    """
    with transaction.atomic():
        booking = locked_booking(booking_id)
        side = side_of(booking, user)
        if booking.state != BookingState.COMPLETED or booking.final_at is not None:
            require_state(booking, *_UNDECIDED)
        _require_may_complete(booking, side)
        _say(booking, user, side, Outcome.HELD)
    return booking


def report_no_show(*, booking_id: uuid.UUID, user: User, note: str = "", is_own: bool = False) -> Booking:
    """Say that the other side did not come, ten minutes after the start at the earliest; or, with `is_own`, that one's own side did not.

    Raises:
        IllegalBookingMove: it is not confirmed, or how it went is settled, contested or past contesting.
        AlreadySaid: this side has said how it went.
        NoShowTooEarly, YouWereNotThere: as they say.
        TheyWereThere: the provider's record shows both for most of the session.
    """
    with transaction.atomic():
        booking = locked_booking(booking_id)
        require_state(booking, *_UNDECIDED)
        side = side_of(booking, user)
        if timezone.now() < booking.session.starts_at + WAIT_FOR:
            raise NoShowTooEarly
        if not is_own and not has_been_in_room(booking, side):
            raise YouWereNotThere
        if not is_own and is_met(booking):
            raise TheyWereThere
        is_of_mentor = (side == Side.MENTOR) == is_own
        _say(booking, user, side, Outcome.MENTOR_ABSENT if is_of_mentor else Outcome.LEARNER_ABSENT, note)
    return booking


def end_sessions() -> int:
    """Decide about sessions that are over, as far as record and statements tell; ask both about the others. Returns how many moved on."""
    now = timezone.now()
    over = Booking.objects.over(now - ASK_AFTER).filter(asked_at__isnull=True)
    due = Booking.objects.filter(state__in=_UNDECIDED, contest_until__lte=now, session__ends_at__lte=now)
    return _for_each(over, _ask_or_conclude) + _for_each(due, _conclude_by_silence)


def finalise_endings() -> int:
    """Make the endings final that nobody has contested in time. Returns how many."""
    due = Booking.objects.filter(state__in=CONCLUDED_STATES, final_at__isnull=True, contest_until__lte=timezone.now())
    return _for_each(due, _finalise_one)


def begin_sessions() -> int:
    """Mark sessions as going on that started and in whose room somebody is. Returns how many."""
    now = timezone.now()
    ready = Booking.objects.filter(state=BookingState.CONFIRMED, session__starts_at__lte=now, session__ends_at__gt=now)
    due = list(ready.filter(_SOMEBODY_CAME).order_by("pk").values_list("pk", flat=True)[:_BATCH])
    return sum(each_alone(_begin_one, due))


def begin(booking: Booking) -> bool:
    """Mark a session as going on if its time has come and somebody is in the room, from whatever source. Needs the lock of the booking."""
    session = booking.session
    if booking.state != BookingState.CONFIRMED or not session.starts_at <= timezone.now() < session.ends_at:
        return False
    side = next((side for side in (Side.MENTOR, Side.LEARNER) if has_been_in_room(booking, side)), None)
    if side is None:
        return False
    move(booking, BookingState.IN_SESSION, side=side, cause=Cause.JOINED)
    return True


_SOMEBODY_CAME = Q(Exists(stays_of("learner"))) | Q(Exists(stays_of("session__mentor")))
_OPEN_APPEALS = Appeal.objects.filter(booking=OuterRef("pk"), state=AppealState.OPEN)
# Only a claim that the other side was absent can be changed, and only to the speaker's own disadvantage.
_CLAIM, _HELD, _ADMISSION = range(3)


def _say(booking: Booking, user: User, side: Side, says: Outcome, note: str = "") -> None:
    """Store a statement, and apply what follows from it."""
    now = timezone.now()
    is_late = booking.contest_until is not None and booking.contest_until <= now
    if is_late or is_contested(booking):
        raise IllegalBookingMove(state=booking.state)
    begin(booking)
    before = Statement.objects.filter(booking=booking, side=side).first()
    if before is not None and _rank(side, says) <= _rank(side, Outcome(before.says)):
        raise AlreadySaid(says=before.says)
    words = {"says": says, "person": user, "said_at": now, "note": note}
    statement, _ = Statement.objects.update_or_create(booking=booking, side=side, defaults=words)
    verdict = update_outcome(booking, statement=statement)
    if verdict.is_disputed:
        open_case(booking, statement=statement)
    elif verdict.outcome is None:
        publish(StatementMade(statement.pk))


def _rank(side: Side, says: Outcome) -> int:
    if says == Outcome.HELD:
        return _HELD
    return _ADMISSION if (says == Outcome.MENTOR_ABSENT) == (side == Side.MENTOR) else _CLAIM


def _require_may_complete(booking: Booking, side: Side) -> None:
    session, now = booking.session, timezone.now()
    learner_agrees = Statement.objects.filter(booking=booking, side=Side.LEARNER, says=Outcome.HELD).exists()
    is_time = session.ends_at <= now or (session.starts_at <= now and (side == Side.LEARNER or learner_agrees or is_met(booking)))
    if not is_time:
        raise NotOverYet(possible_at=as_text(session.ends_at))


def _for_each(rows: QuerySet[Booking], act: Callable[[uuid.UUID], bool]) -> int:
    """Apply a function to a batch of bookings, the earliest session first, without those that wait for staff."""
    keys = rows.exclude(Exists(_OPEN_APPEALS)).order_by("session__ends_at", "pk").values_list("pk", flat=True)[:_BATCH]
    return sum(each_alone(act, list(keys)))


def _begin_one(booking_id: uuid.UUID) -> bool:
    with transaction.atomic():
        return begin(locked_booking(booking_id))


def _ask_or_conclude(booking_id: uuid.UUID) -> bool:
    """What the record or a statement tells is applied; otherwise both have a day to say how it went."""
    with transaction.atomic():
        booking = locked_booking(booking_id)
        if booking.state not in _UNDECIDED or booking.asked_at is not None or is_contested(booking):
            return False
        booking.asked_at = timezone.now()
        booking.contest_until = booking.contest_until or booking.asked_at + CONTEST_FOR
        booking.save()
        # If one side has made a statement, the other one was notified then.
        if update_outcome(booking).outcome is None and not Statement.objects.filter(booking=booking).exists():
            publish(SessionOver(booking.pk, booking.version))
    return True


def _conclude_by_silence(booking_id: uuid.UUID) -> bool:
    with transaction.atomic():
        booking = locked_booking(booking_id)
        is_due = booking.contest_until is not None and booking.contest_until <= timezone.now()
        if booking.state not in _UNDECIDED or not is_due or is_contested(booking):
            return False
        return update_outcome(booking).outcome is not None


def _finalise_one(booking_id: uuid.UUID) -> bool:
    with transaction.atomic():
        booking = locked_booking(booking_id)
        is_due = booking.contest_until is not None and booking.contest_until <= timezone.now()
        if booking.state not in CONCLUDED_STATES or booking.final_at is not None or not is_due or is_contested(booking):
            return False
        finalise(booking)
    return True


def is_contested(booking: Booking) -> bool:
    """Whether the booking waits for a decision of staff."""
    return Appeal.objects.filter(booking=booking, state=AppealState.OPEN).exists()
