"""Sessions for several: announced by their mentor, booked seat by seat."""

from __future__ import annotations

import datetime
import uuid

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.policies import can_book
from bookings.enums import AHEAD_STATES, PLACED_STATES, BookingState, Cause, Side, StrikeKind, WaitlistState
from bookings.errors import MayNotBook, NoSuchOffer, NotBookable, SeatTaken, SessionFull, SessionOff
from bookings.models import Booking, BookingTerms, Session, WaitlistEntry
from bookings.services.booking import begin_booking, hold_for, require_charged
from bookings.services.cancelling import call_off
from bookings.services.limits import require_can_book
from bookings.services.removing import require_not_removed
from bookings.services.rooms import close_room
from bookings.services.strikes import give_strike
from core.batches import each_alone
from core.errors import FieldError
from core.models import new_id
from core.money import Money
from mentors.enums import OfferKind
from mentors.models import MentorProfile, Schedule
from mentors.services.gathering import announce_group, take_seat
from mentors.services.keeping import lock_people
from mentors.services.occupying import release_claim
from mentors.services.offers import can_be_charged

# So long before the start it is looked at whether enough people have booked.
DECIDED_BEFORE = datetime.timedelta(hours=24)
_BATCH = 100


def announce_session(
    *, profile: MentorProfile, offer_id: uuid.UUID, starts_at: datetime.datetime, seats: int | None = None, fewest: int = 1
) -> Session:
    """Announce a session for several, on the terms of one of the mentor's group offers.

    Raises:
        NoSuchOffer: it is none of theirs, has fewer seats than that, or than the fewest people, or a price that nobody can be charged.
        SlotUnavailable: the mentor has something else then, or that time is over.
    """
    offer = profile.offers.filter(pk=offer_id, is_active=True, kind=OfferKind.GROUP).first()
    if offer is None or not can_be_charged(offer):
        raise NoSuchOffer(errors=(FieldError("offer_id", NoSuchOffer.code, NoSuchOffer.message),))
    number = seats or offer.group_size
    if not 2 <= number <= offer.group_size or fewest > number:
        raise NoSuchOffer(errors=(FieldError("seats" if fewest <= number else "fewest", NoSuchOffer.code, NoSuchOffer.message),))
    if starts_at <= timezone.now():
        raise SessionOff
    terms = BookingTerms.objects.filter(mentor=profile.user_id).first() or BookingTerms()
    key = new_id()
    with transaction.atomic():
        announce_group(profile=profile, starts_at=starts_at, duration_minutes=offer.duration_minutes, reference=key)
        return Session.objects.create(
            id=key,
            mentor_id=profile.user_id,
            kind=OfferKind.GROUP,
            title=offer.title,
            starts_at=starts_at,
            ends_at=starts_at + datetime.timedelta(minutes=offer.duration_minutes),
            duration_minutes=offer.duration_minutes,
            mentor_zone=Schedule.objects.values_list("time_zone", flat=True).get(profile=profile),
            seats=number,
            fewest=fewest,
            offer=offer,
            price_amount=offer.price_amount,
            price_currency=offer.price_currency,
            policy=terms.policy,
        )


def book_seat(*, learner: User, session_id: uuid.UUID, topic: str = "") -> Booking:
    """Hold a seat; what costs something is held until it is paid for, then it is confirmed at once. The lock of the session counts seats
    one by one, and the database refuses a seat that is taken or was never there.

    Raises:
        MayNotBook, NotBookable, TooManyHolds and the like: as for a session of two.
        SessionOff: it has begun, or was called off.
        PriceNotCharged: nobody can be charged with its price.
        SeatTaken: this person has one.
        SessionFull: nobody else can have one.
        RemovedFromSession: this person was called off shortly before, not by themselves.
        SlotUnavailable: the learner has something else then.
    """
    if not can_book(learner):
        raise MayNotBook
    known = Session.objects.filter(pk=session_id, kind=OfferKind.GROUP).first()
    if known is None or not MentorProfile.objects.bookable_for(learner).filter(user=known.mentor_id).exists():
        raise NotBookable
    # Most of those who come too late need to wait for nobody to be told so. Looked at again under the lock.
    _free_seat(known, learner)
    with transaction.atomic():
        lock_people((known.mentor_id, learner.pk))
        session = Session.objects.select_related("mentor").select_for_update(of=("self",)).get(pk=session_id)
        if session.cancelled_at is not None or session.starts_at <= timezone.now():
            raise SessionOff
        require_can_book(learner, mentor_id=session.mentor_id, starts=[session.starts_at], has_price=bool(session.price_amount))
        if session.kept_until is not None and session.kept_until > timezone.now():
            raise SessionFull
        booking = hold_seat(learner, session, topic=topic, until=hold_for(learner, session.starts_at))
        begin_booking(booking, learner)
    return booking


def hold_seat(learner: User, session: Session, *, topic: str, until: datetime.datetime) -> Booking:
    """Take the lowest free seat, and make the booking of it. Needs the lock of both people and of the session.

    Raises:
        SeatTaken, SessionFull, RemovedFromSession, PriceNotCharged, SlotUnavailable: as `book_seat` does.
    """
    require_not_removed(session=session, person_id=learner.pk)
    require_charged(Money(session.price_amount or 0, session.price_currency))
    seat = _free_seat(session, learner)
    take_seat(reference=session.pk, learner_id=learner.pk, held_until=until)
    return Booking.objects.create(
        session=session,
        learner=learner,
        offer_id=session.offer_id,
        seat=seat,
        state=BookingState.HELD,
        topic=topic,
        learner_zone=learner.time_zone,
        is_instant=True,
        price_amount=session.price_amount or 0,
        price_currency=session.price_currency,
        policy=session.policy,
        counted_from=session.starts_at,
        expires_at=until,
    )


def cancel_session(*, session: Session, cause: Cause = Cause.CANCELLED) -> None:
    """Call a session for several off, for everybody, who get all back.

    Raises:
        SessionOff: it has begun, or was called off before.
    """
    with transaction.atomic():
        learners = Booking.objects.filter(session=session, state__in=AHEAD_STATES).values_list("learner_id", flat=True)
        lock_people((session.mentor_id, *learners))
        row = Session.objects.select_for_update().get(pk=session.pk)
        if row.cancelled_at is not None or row.starts_at <= timezone.now():
            raise SessionOff
        row.cancelled_at = timezone.now()
        row.sequence += 1
        row.save()
        side = Side.PLATFORM if cause == Cause.TOO_FEW else Side.MENTOR
        bookings = list(Booking.objects.filter(session=row, state__in=AHEAD_STATES).order_by("pk"))
        for booking in bookings:
            call_off(booking_id=booking.pk, side=side, cause=cause)
        if cause == Cause.CANCELLED and bookings:
            give_strike(person=row.mentor, booking=bookings[0], kind=StrikeKind.CANCELLED)
        WaitlistEntry.objects.waiting().filter(session=row).update(state=WaitlistState.OVER)
        close_room(row)
        release_claim(reference=row.pk)


def call_off_small_groups() -> int:
    """Call off the sessions of the next day that too few people have booked. Returns how many."""
    now = timezone.now()
    confirmed = Count("bookings", filter=Q(bookings__state=BookingState.CONFIRMED))
    near = groups_ahead().filter(starts_at__lte=now + DECIDED_BEFORE, fewest__gt=1).annotate(confirmed=confirmed)
    small = [session for session in near.order_by("starts_at")[:_BATCH] if session.confirmed < session.fewest]
    return len(each_alone(lambda session: cancel_session(session=session, cause=Cause.TOO_FEW), small))


def groups_ahead() -> QuerySet[Session]:
    """Sessions for several that have not begun, and were not called off."""
    return Session.objects.filter(kind=OfferKind.GROUP, cancelled_at__isnull=True, starts_at__gt=timezone.now())


def seats_free(session: Session) -> int:
    """How many nobody has; for sure only under the lock of the session."""
    return session.seats - Booking.objects.filter(session=session, state__in=PLACED_STATES).count()


def _free_seat(session: Session, learner: User) -> int:
    """The lowest seat that nobody has. Needs the lock of the session."""
    taken = dict(Booking.objects.filter(session=session, state__in=PLACED_STATES).values_list("seat", "learner_id"))
    if learner.pk in taken.values():
        raise SeatTaken
    seat = next((number for number in range(1, session.seats + 1) if number not in taken), None)
    if seat is None:
        raise SessionFull
    return seat
