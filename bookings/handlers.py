"""Money that moved, people who left or parted, and telling both sides what became of a session."""

from __future__ import annotations

from accounts.events import PersonBlocked, PersonSuspended
from accounts.models import User
from bookings.enums import NO_SHOWS, BookingState, Cause, ReminderKind, Side
from bookings.events import (
    AppealDecided,
    AppealOpened,
    BookingConfirmed,
    BookingEnded,
    BookingHeld,
    BookingMoved,
    BookingRequested,
    CounterOffered,
    CounterWithdrawn,
    PaymentDue,
    ReminderDue,
    RoomFailed,
    SessionHeld,
    SessionMissed,
    SessionOver,
    StatementMade,
    StrikeGiven,
    WaitlistOffered,
)
from bookings.models import Appeal, Booking, BookingMove, Reminder, Statement, Strike
from bookings.notices import (
    APPEAL_ANSWER,
    APPEAL_DECIDED,
    APPEAL_OPEN,
    APPROVAL_NEEDED,
    BOOKING_CANCELLED,
    BOOKING_CONFIRMED,
    BOOKING_DECLINED,
    BOOKING_MOVED,
    BOOKING_REQUESTED,
    COUNTER_OFFERED,
    COUNTER_WITHDRAWN,
    REQUEST_EXPIRED,
    REQUEST_MISSED,
    ROOM_FAILED,
    SESSION_HELD,
    SESSION_MISSED,
    SESSION_OVER,
    SESSION_SOON,
    STATEMENT_MADE,
    STRIKES_WARNED,
    WAITLIST_OFFERED,
    WAITLIST_PASSED,
    WARD_SESSION,
    WARD_SESSION_CANCELLED,
    WARD_SESSION_OVER,
)
from bookings.services import leaving, paying, waiting
from bookings.services.approving import needs_approval
from bookings.services.calendars import cancellation_for, entry_for
from bookings.services.strikes import WARNED_AT, stopped_until, strikes_of
from bookings.services.telling import (
    booking_for_telling,
    both,
    learner_side,
    payers_of,
    remind_of_payment,
    tell,
    tell_guardians,
    tell_of_missed_payment,
    tell_staff,
)
from core.events import subscribe
from mentors.events import MentorDecided
from mentors.services.profiles import bar_until
from mentors.services.requests import is_unanswered
from payments.events import DisputeDecided, PaymentAuthorised, PaymentCancelled, PaymentRefunded, PaymentSucceeded


@subscribe(PaymentAuthorised)
def go_on_when_reserved(event: PaymentAuthorised) -> None:
    """The price is reserved."""
    paying.take_reserved(payment_id=event.payment_id)


@subscribe(PaymentCancelled)
def call_off_what_lost_its_payment(event: PaymentCancelled) -> None:
    """Nothing will be taken."""
    paying.lose_payment(payment_id=event.payment_id)


@subscribe(PaymentSucceeded)
def divide_what_was_taken(event: PaymentSucceeded) -> None:
    """The price was taken."""
    paying.take_reserved(payment_id=event.payment_id)
    paying.hear_of_payment(payment_id=event.payment_id)


@subscribe(PaymentRefunded)
def go_on_after_refund(event: PaymentRefunded) -> None:
    """A part was paid back."""
    paying.hear_of_payment(payment_id=event.payment_id)


@subscribe(DisputeDecided)
def go_on_after_dispute(event: DisputeDecided) -> None:
    """The payer's bank has decided."""
    paying.hear_of_payment(payment_id=event.payment_id)


@subscribe(PersonBlocked)
def call_off_what_two_apart_had(event: PersonBlocked) -> None:
    """Two people do not meet any more."""
    leaving.part(blocker_id=event.user_id, blocked_id=event.blocked_id)


@subscribe(PersonSuspended)
def call_off_what_the_suspended_had(event: PersonSuspended) -> None:
    """Staff have suspended somebody."""
    leaving.leave(person_id=event.user_id)


@subscribe(BookingHeld)
def ask_guardians(event: BookingHeld) -> None:
    """Somebody under 18 would like to book."""
    booking = booking_for_telling(event.booking_id)
    if needs_approval(booking) and booking.expires_at is not None:
        tell_guardians(booking, APPROVAL_NEEDED, until=booking.expires_at)


@subscribe(WaitlistOffered)
def tell_who_waited(event: WaitlistOffered) -> None:
    """A time is held for somebody who waited."""
    booking = booking_for_telling(event.booking_id)
    if booking.state == BookingState.HELD and booking.expires_at is not None:
        tell(booking, WAITLIST_OFFERED, [booking.learner], until=booking.expires_at)


@subscribe(BookingEnded)
def offer_what_was_given_back(event: BookingEnded) -> None:
    """A time, or a seat, is free again."""
    waiting.look_next(session=booking_for_telling(event.booking_id).session)


@subscribe(BookingMoved)
def offer_what_was_left(event: BookingMoved) -> None:
    """A session is at another time, and its former one is free."""
    waiting.look_next(session=booking_for_telling(event.booking_id).session)


@subscribe(BookingRequested)
def ask_mentor(event: BookingRequested) -> None:
    """A mentor is to answer."""
    booking = booking_for_telling(event.booking_id)
    if booking.state == BookingState.REQUESTED and booking.expires_at is not None:
        tell(booking, BOOKING_REQUESTED, [booking.session.mentor], until=booking.expires_at)


@subscribe(BookingConfirmed)
def tell_both_that_it_is_on(event: BookingConfirmed) -> None:
    """It will take place."""
    booking = booking_for_telling(event.booking_id)
    if booking.is_live:
        tell(booking, BOOKING_CONFIRMED, both(booking), calendar=entry_for)
        tell_guardians(booking, WARD_SESSION, calendar=entry_for)


@subscribe(BookingMoved)
def tell_both_of_new_time(event: BookingMoved) -> None:
    """It has another time. Who asked for it gets the entry for the calendar, too."""
    booking = booking_for_telling(event.booking_id)
    if booking.state == BookingState.CONFIRMED:
        tell(booking, BOOKING_MOVED, both(booking), calendar=entry_for, note=_last_note(booking))
        tell_guardians(booking, WARD_SESSION, calendar=entry_for)
    elif booking.state == BookingState.REQUESTED and booking.expires_at is not None:
        # For the mentor it is a new question, to be answered by another time.
        tell(booking, BOOKING_REQUESTED, [booking.session.mentor], until=booking.expires_at)


@subscribe(CounterOffered)
def tell_learner_of_proposal(event: CounterOffered) -> None:
    """The mentor proposed another time."""
    booking = booking_for_telling(event.booking_id)
    if booking.proposed_at is not None and booking.expires_at is not None:
        key = booking.proposed_at.isoformat()
        tell(booking, COUNTER_OFFERED, learner_side(booking), proposed=booking.proposed_at, until=booking.expires_at, key=key)


@subscribe(CounterWithdrawn)
def tell_learner_that_proposal_is_gone(event: CounterWithdrawn) -> None:
    """The time that was proposed is taken."""
    booking = booking_for_telling(event.booking_id)
    if booking.state == BookingState.REQUESTED and booking.proposed_at is None:
        tell(booking, COUNTER_WITHDRAWN, [booking.learner])


@subscribe(BookingEnded)
def tell_that_it_is_off(event: BookingEnded) -> None:
    """It does not take place."""
    booking = booking_for_telling(event.booking_id)
    last = booking.history.order_by("version").last()
    assert last is not None  # it has at least one row
    if booking.state == BookingState.DECLINED:
        tell(booking, BOOKING_DECLINED, [booking.learner], note=last.note)
    elif booking.state == BookingState.EXPIRED:
        _tell_that_it_expired(booking, last.cause)
    elif last.from_state != BookingState.HELD:
        _tell_that_it_was_cancelled(booking, last)
    elif last.side != Side.LEARNER:
        # The mentor never knew of it, or called it off.
        tell(booking, BOOKING_CANCELLED, payers_of(booking), note=last.note, names_nobody_gone=True)


def _tell_that_it_expired(booking: Booking, cause: str) -> None:
    if cause == Cause.NOT_TAKEN:
        tell(booking, WAITLIST_PASSED, [booking.learner])
    elif cause == Cause.NOT_ANSWERED:
        tell(booking, REQUEST_EXPIRED, [booking.learner])
        if is_unanswered(reference=booking.pk):
            tell(booking, REQUEST_MISSED, [booking.session.mentor])
    elif cause == Cause.NOT_PAID:
        tell_of_missed_payment(booking)


def _tell_that_it_was_cancelled(booking: Booking, last: BookingMove) -> None:
    """What stands in somebody's calendar is taken out of it, whoever cancelled it and whoever has left since."""
    is_in_calendars = booking.confirmed_at is not None
    people = both(booking) if is_in_calendars else [person for person in both(booking) if person.pk != last.actor_id]
    calendar = cancellation_for if is_in_calendars else None
    tell(booking, BOOKING_CANCELLED, people, calendar=calendar, note=last.note, names_nobody_gone=True)
    if is_in_calendars:
        tell_guardians(booking, WARD_SESSION_CANCELLED, calendar=cancellation_for)


@subscribe(PaymentDue)
def ask_for_payment(event: PaymentDue) -> None:
    """A session of a series is held only shortly, unless it is paid for."""
    booking = booking_for_telling(event.booking_id)
    remind_of_payment(booking, key=f"pay by {booking.expires_at}")


@subscribe(ReminderDue)
def remind(event: ReminderDue) -> None:
    """Somebody is to be reminded now."""
    rows = Reminder.objects.select_related("booking__session__mentor", "booking__learner", "booking__payment__payer", "person")
    reminder = rows.filter(pk=event.reminder_id).first()
    if reminder is not None and reminder.kind == ReminderKind.PAYMENT:
        remind_of_payment(reminder.booking, key=f"pay {reminder.minutes_before} {reminder.due_at.isoformat()}")
    elif reminder is not None and reminder.booking.state == BookingState.CONFIRMED:
        key = f"{reminder.minutes_before} {reminder.booking.session.starts_at.isoformat()}"
        tell(reminder.booking, SESSION_SOON, [reminder.person], in_minutes=reminder.minutes_before, key=key)


@subscribe(SessionOver)
def ask_how_it_went(event: SessionOver) -> None:
    """Nothing proves how it went: whoever has not said so is asked."""
    booking = booking_for_telling(event.booking_id)
    if booking.contest_until is not None and booking.final_at is None:
        tell(booking, SESSION_OVER, _silent(booking), names_nobody_gone=True, until=booking.contest_until)
        tell_guardians(booking, WARD_SESSION_OVER, until=booking.contest_until)


@subscribe(StatementMade)
def tell_other_side_of_statement(event: StatementMade) -> None:
    """One side said how it went, in its own favour as a rule. The other side may contest it."""
    statement = Statement.objects.filter(pk=event.statement_id).first()
    if statement is None:
        return
    booking = booking_for_telling(statement.booking_id)
    if booking.contest_until is not None and booking.final_at is None:
        key, until = f"{statement.pk} {statement.says}", booking.contest_until
        tell(
            booking,
            STATEMENT_MADE,
            _silent(booking),
            names_nobody_gone=True,
            key=key,
            until=until,
            says=statement.says,
            note=statement.note,
        )
        if statement.side == Side.MENTOR:
            tell_guardians(booking, WARD_SESSION_OVER, until=booking.contest_until)


@subscribe(SessionHeld)
def tell_both_that_it_counts(event: SessionHeld) -> None:
    """It counts as held. Whoever has not said so may contest it."""
    booking = booking_for_telling(event.booking_id)
    if booking.contest_until is not None and booking.final_at is None:
        tell(booking, SESSION_HELD, _silent(booking), names_nobody_gone=True, until=booking.contest_until)
        tell_guardians(booking, WARD_SESSION_OVER, until=booking.contest_until)


@subscribe(SessionMissed)
def tell_both_who_was_missing(event: SessionMissed) -> None:
    """Somebody did not come, as it seems."""
    booking = booking_for_telling(event.booking_id)
    if booking.contest_until is None or booking.final_at is not None or booking.state not in NO_SHOWS:
        return
    for person in both(booking):
        own = BookingState.NO_SHOW_BY_LEARNER if person == booking.learner else BookingState.NO_SHOW_BY_MENTOR
        who = "both" if booking.state == BookingState.NO_SHOW_BY_BOTH else "you" if booking.state == own else "other"
        tell(booking, SESSION_MISSED, [person], names_nobody_gone=True, until=booking.contest_until, who=who)
    tell_guardians(booking, WARD_SESSION_OVER, until=booking.contest_until)


@subscribe(AppealOpened)
def tell_staff_and_other_side_of_appeal(event: AppealOpened) -> None:
    """Somebody contests how it went. The other side may give its account, too."""
    appeal = Appeal.objects.get(pk=event.appeal_id)
    booking = booking_for_telling(appeal.booking_id)
    tell_staff(booking, APPEAL_OPEN, key=str(appeal.pk))
    others = learner_side(booking) if appeal.side == Side.MENTOR else [booking.session.mentor]
    if not booking.appeals.exclude(pk=appeal.pk).exists():
        tell(booking, APPEAL_ANSWER, others, names_nobody_gone=True, key=str(appeal.pk))


@subscribe(AppealDecided)
def tell_both_what_was_decided(event: AppealDecided) -> None:
    """Staff decided."""
    appeal = Appeal.objects.get(pk=event.appeal_id)
    booking = booking_for_telling(appeal.booking_id)
    people = [*learner_side(booking), booking.session.mentor]
    tell(booking, APPEAL_DECIDED, people, names_nobody_gone=True, note=appeal.decision_note, decision=appeal.state, key=str(appeal.pk))


@subscribe(MentorDecided)
def bar_who_has_strikes(event: MentorDecided) -> None:
    """Whoever becomes a mentor brings the strikes that they got as a learner."""
    person = User.objects.get(pk=event.user_id)
    bar_until(user_id=person.pk, until=stopped_until(person))


@subscribe(StrikeGiven)
def warn_of_strikes(event: StrikeGiven) -> None:
    """Somebody missed or called off sessions."""
    strike = Strike.objects.select_related("person").filter(pk=event.strike_id).first()
    if strike is not None and (number := strikes_of(strike.person)) >= WARNED_AT:
        tell(booking_for_telling(strike.booking_id), STRIKES_WARNED, [strike.person], number=number, key=str(strike.pk))


@subscribe(RoomFailed)
def tell_staff_of_missing_room(event: RoomFailed) -> None:
    """The provider of video is away."""
    booking = Booking.objects.filter(session=event.session_id).select_related("session__mentor", "learner").first()
    if booking is not None:
        tell_staff(booking, ROOM_FAILED, key=f"{event.session_id} {booking.session.starts_at.isoformat()}")


def _silent(booking: Booking) -> list[User]:
    """The side of the two that has not said how it went; both, if neither has."""
    said = set(Statement.objects.filter(booking=booking).values_list("side", flat=True))
    sides = ((Side.LEARNER, booking.learner), (Side.MENTOR, booking.session.mentor))
    return [person for side, person in sides if side not in said]


def _last_note(booking: Booking) -> str:
    last = booking.history.order_by("version").last()
    return last.note if last is not None else ""
