"""Asking a mentor, and what they answer: yes, no, or another time."""

from __future__ import annotations

import datetime
import uuid

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from bookings.enums import BookingState, Cause, Side
from bookings.errors import NoCounterOffer, NothingChanged
from bookings.events import BookingConfirmed, BookingEnded, BookingRequested, CounterOffered, CounterWithdrawn
from bookings.models import Booking
from bookings.services.moving import locked_booking, move, require_side, require_state
from bookings.services.placing import give_place_back, hold_until, keep_place, move_session
from bookings.services.reminding import plan_reminders
from bookings.services.rooms import plan_room
from bookings.services.series_holds import shorten_rest
from bookings.services.settling import owe
from core.events import publish
from mentors.enums import RequestOutcome
from mentors.models import MentorProfile, Schedule
from mentors.services.occupying import require_bookable
from mentors.services.requests import record_answer, record_request
from mentors.services.slots import Question
from payments.enums import CaptureMode, RefundReason
from payments.services.paying import capture_payment

ANSWER_WITHIN = datetime.timedelta(hours=24)
# Who asks shortly before the mentor's notice runs out still leaves so much time for an answer.
_LEAST_TIME = datetime.timedelta(hours=1)


def answer_due(booking: Booking) -> datetime.datetime:
    """A request is answered within 24 hours, before the mentor's notice; an hour is left in any case, but never beyond the start."""
    now, start = timezone.now(), booking.session.starts_at
    notice = Schedule.objects.filter(profile__user=booking.session.mentor_id).values_list("notice_minutes", flat=True).first() or 0
    due = min(now + ANSWER_WITHIN, start - datetime.timedelta(minutes=notice))
    return min(max(due, now + _LEAST_TIME), start)


def request(booking: Booking, *, cause: Cause) -> None:
    """Ask the mentor; the time stays held until they answer, or it is too late. Needs the lock of the booking."""
    booking.expires_at = answer_due(booking)
    hold_until(booking, booking.expires_at)
    move(booking, BookingState.REQUESTED, side=Side.LEARNER, cause=cause)
    profile = MentorProfile.objects.filter(user=booking.session.mentor_id).only("pk").first()
    if profile is not None and booking.expires_at > timezone.now():
        record_request(profile=profile, reference=booking.pk, due_at=booking.expires_at)
    publish(BookingRequested(booking.pk, booking.version))


def confirm(booking: Booking, *, side: Side, cause: Cause, actor: User | None) -> None:
    """It will take place: the time is taken, the money too. Needs the lock of the booking."""
    keep_place(booking)
    _renew_calendar_entry(booking)
    move(booking, BookingState.CONFIRMED, side=side, cause=cause, actor=actor)
    if booking.price:
        assert booking.payment is not None  # nothing with a price is confirmed without one
        # What is paid for together was taken at once.
        if booking.payment.capture_mode == CaptureMode.MANUAL:
            capture_payment(payment_id=booking.payment.pk)
    plan_reminders(booking)
    if not booking.session.is_group or not hasattr(booking.session, "room"):
        plan_room(booking.session)
    _withdraw_counters(booking)
    publish(BookingConfirmed(booking.pk, booking.version))


def _renew_calendar_entry(booking: Booking) -> None:
    """Calendars ignore an invitation that is no newer than the cancellation of the learner's former seat in the same session."""
    former = Booking.objects.filter(session=booking.session, learner=booking.learner, confirmed_at__isnull=False).exclude(pk=booking.pk)
    if booking.session.is_group and former.exists():
        booking.session.sequence += 1
        booking.session.save(update_fields=["sequence", "updated_at"])


def confirm_booking(*, booking_id: uuid.UUID, mentor: User) -> Booking:
    """The mentor says yes.

    Raises:
        MayNotAnswer: the learner did.
        IllegalBookingMove: it is not requested, or not any more.
    """
    with transaction.atomic():
        booking = locked_booking(booking_id)
        require_side(booking, mentor, Side.MENTOR)
        require_state(booking, BookingState.REQUESTED)
        record_answer(reference=booking.pk, outcome=RequestOutcome.ACCEPTED)
        confirm(booking, side=Side.MENTOR, cause=Cause.ACCEPTED, actor=mentor)
    return booking


def decline_booking(*, booking_id: uuid.UUID, mentor: User, note: str = "") -> Booking:
    """The mentor says no; nothing is charged.

    Raises:
        MayNotAnswer, IllegalBookingMove: as for a yes.
    """
    with transaction.atomic():
        booking = locked_booking(booking_id)
        require_side(booking, mentor, Side.MENTOR)
        require_state(booking, BookingState.REQUESTED)
        record_answer(reference=booking.pk, outcome=RequestOutcome.DECLINED)
        give_place_back(booking)
        move(booking, BookingState.DECLINED, side=Side.MENTOR, cause=Cause.DECLINED, actor=mentor, note=note)
        owe(booking, booking.price, reason=RefundReason.NOT_DELIVERED)
        publish(BookingEnded(booking.pk, booking.version))
        shorten_rest(booking)
    return booking


def counter_offer(*, booking_id: uuid.UUID, mentor: User, starts_at: datetime.datetime) -> Booking:
    """The mentor proposes another time, and has neither said yes nor no. The time that was asked for stays held; the other one is looked at
    now, and again when the learner takes it.

    Raises:
        MayNotAnswer, IllegalBookingMove: as for a yes.
        NothingChanged: it is that time already, or was proposed before.
        SlotUnavailable: it could not be booked; with the nearest times.
    """
    with transaction.atomic():
        booking = locked_booking(booking_id)
        require_side(booking, mentor, Side.MENTOR)
        require_state(booking, BookingState.REQUESTED)
        if starts_at in (booking.session.starts_at, booking.proposed_at):
            raise NothingChanged
        profile = MentorProfile.objects.only("pk").get(user=mentor)
        require_bookable(Question(profile.pk, booking.session.duration_minutes, booking.learner_id), starts_at)
        # An answer was given, and counts neither as a yes nor as a no.
        record_answer(reference=booking.pk, outcome=RequestOutcome.WITHDRAWN)
        booking.proposed_at = starts_at
        due = min(timezone.now() + ANSWER_WITHIN, starts_at, booking.session.starts_at)
        booking.expires_at = max(due, booking.expires_at or due)
        hold_until(booking, booking.expires_at)
        booking.save()
        publish(CounterOffered(booking.pk, booking.version))
    return booking


def accept_counter(*, booking_id: uuid.UUID, learner: User) -> Booking:
    """The learner takes the time that the mentor proposed: moved and confirmed at once.

    Raises:
        MayNotAnswer: the mentor did.
        NoCounterOffer: none is open.
        SlotUnavailable: it was taken meanwhile. The request stays.
    """
    with transaction.atomic():
        booking = locked_booking(booking_id)
        require_side(booking, learner, Side.LEARNER)
        require_state(booking, BookingState.REQUESTED)
        if booking.proposed_at is None:
            raise NoCounterOffer
        move_session(booking.session, starts_at=booking.proposed_at)
        booking.counted_from = max(booking.counted_from, booking.proposed_at)
        confirm(booking, side=Side.LEARNER, cause=Cause.COUNTER_ACCEPTED, actor=learner)
    return booking


def _withdraw_counters(booking: Booking) -> None:
    """Times that were proposed to or by these two, and that are taken now, are proposed no more. Only requests of these very people are
    touched, whose time is locked."""
    start, end = booking.session.starts_at, booking.session.ends_at
    rows = Booking.objects.select_related("session").filter(state=BookingState.REQUESTED, proposed_at__isnull=False)
    near = rows.filter(proposed_at__lt=end, proposed_at__gt=start - datetime.timedelta(days=1)).exclude(pk=booking.pk)
    mine = near.filter(session__mentor=booking.session.mentor_id) | near.filter(learner=booking.learner_id)
    for other in mine.select_for_update(of=("self",)).order_by("pk"):
        assert other.proposed_at is not None  # they were chosen by it
        if other.proposed_at + datetime.timedelta(minutes=other.session.duration_minutes) > start:
            other.proposed_at = None
            other.save()
            publish(CounterWithdrawn(other.pk, other.version))
