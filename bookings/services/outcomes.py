"""Apply how a session went to its booking: provisional, contestable, then final.

Money, strikes and reviews follow from an ending that is final, and from nothing earlier. The rules are those of `verdicts`.
"""

from __future__ import annotations

import datetime

from django.utils import timezone

from accounts.models import User
from bookings.enums import (
    CONCLUDED_STATES,
    STATE_OF_OUTCOME,
    AttendanceSource,
    BookingState,
    Cause,
    EndingBasis,
    Outcome,
    Side,
    StrikeKind,
)
from bookings.events import SessionCompleted, SessionHeld, SessionMissed
from bookings.models import Attendance, Booking, Statement
from bookings.services.attending import record_of
from bookings.services.moving import move
from bookings.services.reminding import drop_reminders
from bookings.services.settling import owe
from bookings.services.strikes import give_strike
from bookings.services.verdicts import Facts, Said, Verdict, verdict_on
from core.events import publish
from core.money import Money
from mentors.models import MentorProfile
from mentors.services.reviews import grant_reviews
from payments.enums import RefundReason

_PAID_BACK = (Outcome.MENTOR_ABSENT, Outcome.NOBODY_CAME)
_ABSENT_SIDE = {BookingState.NO_SHOW_BY_LEARNER: Side.LEARNER, BookingState.NO_SHOW_BY_MENTOR: Side.MENTOR}
_OUTCOME_OF_STATE = {state: outcome for outcome, state in STATE_OF_OUTCOME.items()}


def update_outcome(booking: Booking, *, statement: Statement | None = None) -> Verdict:
    """Apply what is proven and said so far, on the word of whoever made the statement, or by the platform. A disputed booking stays as it
    is. Needs the lock of the booking."""
    verdict = verdict_on(facts_of(booking))
    if verdict.outcome is not None and verdict.basis is not None:
        conclude(
            booking,
            verdict.outcome,
            basis=verdict.basis,
            contest_until=verdict.contest_until,
            is_final=verdict.is_final,
            side=Side.PLATFORM if statement is None else Side(statement.side),
            actor=statement.person if statement else None,
            note=statement.note if statement else "",
        )
    elif verdict.contest_until is not None and verdict.contest_until != booking.contest_until:
        booking.contest_until = verdict.contest_until
        booking.save()
    return verdict


def conclude(
    booking: Booking,
    outcome: Outcome,
    *,
    basis: EndingBasis,
    contest_until: datetime.datetime | None,
    is_final: bool,
    side: Side,
    actor: User | None = None,
    note: str = "",
) -> None:
    """Record a provisional ending. An ending that stays the same keeps its basis. Needs the lock of the booking."""
    state, is_new = STATE_OF_OUTCOME[outcome], booking.state != STATE_OF_OUTCOME[outcome]
    if not (is_new or is_final):
        return
    booking.basis, booking.contest_until = basis, contest_until or booking.contest_until
    booking.refund_amount = booking.price_amount if outcome in _PAID_BACK else 0
    booking.refund_reason = RefundReason.NOT_DELIVERED if outcome in _PAID_BACK else RefundReason.REQUESTED
    booking.final_at = timezone.now() if is_final else None
    if is_new:
        drop_reminders(booking)
        cause = Cause.APPEAL if basis == EndingBasis.STAFF else Cause.ENDED if outcome == Outcome.HELD else Cause.NOT_THERE
        move(booking, state, side=side, cause=cause, actor=actor, note=note)
    else:
        booking.save()
    if is_final:
        _follow_up(booking, outcome)
    else:
        publish((SessionHeld if outcome == Outcome.HELD else SessionMissed)(booking.pk, booking.version))


def finalise(booking: Booking) -> None:
    """Make an ending final that nobody contested in time. Needs the lock of the booking."""
    booking.final_at = timezone.now()
    booking.save()
    _follow_up(booking, _OUTCOME_OF_STATE[BookingState(booking.state)])


def reopen_on_arrival(booking: Booking) -> bool:
    """Resume a session because the provider reports that the absent person arrived in time. Statements about it stay. Needs the lock of the
    booking."""
    side, session = _ABSENT_SIDE.get(BookingState(booking.state)), booking.session
    if side is None or booking.final_at is not None or session.ends_at <= timezone.now():
        return False
    person_id = session.mentor_id if side == Side.MENTOR else booking.learner_id
    stays = Attendance.objects.filter(session=session, person=person_id, source=AttendanceSource.PROVIDER)
    if not stays.filter(joined_at__lt=session.ends_at).exists():
        return False
    booking.refund_amount, booking.refund_reason, booking.basis, booking.ended_at = None, "", "", None
    move(booking, BookingState.IN_SESSION, side=side, cause=Cause.ARRIVED)
    return True


def facts_of(booking: Booking) -> Facts:
    said = {row.side: Said(Outcome(row.says), row.said_at) for row in Statement.objects.filter(booking=booking)}
    return Facts(
        ends_at=booking.session.ends_at,
        now=timezone.now(),
        record=record_of(booking),
        learner=said.get(Side.LEARNER),
        mentor=said.get(Side.MENTOR),
        asked_at=booking.asked_at,
    )


def _follow_up(booking: Booking, outcome: Outcome) -> None:
    """Apply the consequences of a final ending: money, and reviews for both or a strike for the absent person. No strike if nobody came:
    that is only the absence of a record."""
    assert booking.state in CONCLUDED_STATES
    owe(booking, Money(booking.refund_amount or 0, booking.price_currency), reason=RefundReason(booking.refund_reason))
    if outcome == Outcome.HELD:
        profile = MentorProfile.objects.filter(user=booking.session.mentor_id).first()
        if profile is not None:
            # Staff may decide weeks later, so the time for reviews starts with the decision.
            ended_at = booking.session.ends_at if booking.basis != EndingBasis.STAFF else timezone.now()
            grant_reviews(reference=booking.pk, profile=profile, learner_id=booking.learner_id, ended_at=ended_at)
        publish(SessionCompleted(booking.pk, booking.version))
    elif (side := _ABSENT_SIDE.get(BookingState(booking.state))) is not None:
        person = booking.session.mentor if side == Side.MENTOR else booking.learner
        give_strike(person=person, booking=booking, kind=StrikeKind.NO_SHOW)
