"""Contesting how a session is said to have gone: the accounts of both sides, and what staff decide."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from bookings.enums import JOINABLE_STATES, AppealState, BookingState, Cause, EndingBasis, Outcome, Side
from bookings.errors import CannotAppeal, NotOverYet
from bookings.events import AppealDecided, AppealOpened
from bookings.models import Appeal, Booking, Statement
from bookings.policies import can_appeal
from bookings.services.moving import locked_booking, move, side_of
from bookings.services.outcomes import conclude
from bookings.services.placing import give_place_back
from bookings.services.settling import owe
from core.errors import Forbidden
from core.events import publish
from core.wall_time import as_text
from payments.enums import RefundReason


def appeal(*, booking_id: uuid.UUID, user: User, text: str) -> Appeal:
    """Contest what the other side said, or what the record was taken to prove; or answer somebody who contests it. Nothing is final until
    staff have decided.

    Raises:
        CannotAppeal: there is nothing to contest, the time for it is over, or this side has given its account.
    """
    with transaction.atomic():
        booking = locked_booking(booking_id)
        if not can_appeal(user, booking):
            raise CannotAppeal
        # Where two statements contradict each other, the account of the second one is there, and waits for its words.
        row, is_new = Appeal.objects.get_or_create(booking=booking, side=side_of(booking, user), defaults={"person": user, "text": text})
        if not is_new:
            row.text, row.person = text, user
            row.save()
        publish(AppealOpened(row.pk))
    return row


def open_case(booking: Booking, *, statement: Statement) -> None:
    """The two say different things: staff decide. Needs the lock of the booking."""
    row = Appeal.objects.create(booking=booking, side=statement.side, person=statement.person, text=statement.note)
    publish(AppealOpened(row.pk))


def decide_appeal(*, row: Appeal, staff: User, state: AppealState, note: str) -> None:
    """Staff decide how the session counts, for everybody who contested it. That is final.

    Raises:
        Forbidden: nobody decides about their own session, or that of their ward.
        CannotAppeal: it was decided before, or the booking came to another end.
        NotOverYet: the session still goes on.
    """
    with transaction.atomic():
        booking = locked_booking(row.booking_id)
        if Booking.objects.visible_to(staff).filter(pk=booking.pk).exists():
            raise Forbidden
        if booking.session.ends_at > timezone.now():
            raise NotOverYet(possible_at=as_text(booking.session.ends_at))
        undecided = list(Appeal.objects.select_for_update().filter(booking=booking, state=AppealState.OPEN).order_by("pk"))
        if row.pk not in {each.pk for each in undecided}:
            raise CannotAppeal
        for each in undecided:
            each.state, each.decided_by, each.decided_at, each.decision_note = state, staff, timezone.now(), note
            each.save()
        if booking.state in JOINABLE_STATES:
            _apply(booking, state, staff)
        publish(AppealDecided(row.pk))


def _apply(booking: Booking, state: AppealState, staff: User) -> None:
    if state != AppealState.NOBODYS_FAULT:
        conclude(
            booking,
            Outcome(state),
            basis=EndingBasis.STAFF,
            contest_until=None,
            is_final=True,
            side=Side.PLATFORM,
            actor=staff,
        )
        return
    give_place_back(booking)
    booking.basis = EndingBasis.STAFF
    move(booking, BookingState.CANCELLED_BY_PLATFORM, side=Side.PLATFORM, cause=Cause.APPEAL, actor=staff)
    owe(booking, booking.price, reason=RefundReason.GOODWILL)
