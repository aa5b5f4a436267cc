"""Making a booking: hold the time, have it paid for, ask the mentor."""

from __future__ import annotations

import datetime
import uuid

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.policies import can_book, is_minor
from bookings.enums import BookingState, Cause, Side, WaitlistState
from bookings.errors import MayNotBook, NoSuchOffer, NotBookable, OfferNotNamed, PriceNotCharged
from bookings.events import BookingHeld
from bookings.models import Booking, BookingTerms, Series, Session, WaitlistEntry
from bookings.services.limits import require_can_book
from bookings.services.moving import record_start
from bookings.services.requesting import confirm, request
from bookings.services.series_holds import hold_rest
from core.errors import FieldError
from core.events import publish
from core.models import new_id
from core.money import Money
from mentors.enums import OfferKind
from mentors.models import MentorProfile, Offer, Schedule
from mentors.services.occupying import claim_time
from mentors.services.offers import can_be_charged
from payments.enums import CaptureMode
from payments.services.paying import PaymentPolicy, open_payment
from payments.services.prices import price_error

# So long a time is held while it is paid for; so long a guardian has.
HOLD_FOR = datetime.timedelta(minutes=15)
APPROVAL_FOR = datetime.timedelta(hours=24)


def book_session(
    *,
    learner: User,
    mentor_id: uuid.UUID,
    starts_at: datetime.datetime,
    duration_minutes: int,
    offer_id: uuid.UUID | None = None,
    topic: str = "",
) -> Booking:
    """Hold a time with a mentor for this person. What costs something is held until it is paid for; what does not goes to the mentor at
    once. Someone under 18 has the time held until a guardian agrees.

    Raises:
        MayNotBook: under 18, without a guardian.
        NotBookable: the mentor is unknown, does not take bookings, or not from this person.
        NoSuchOffer: none of this length.
        TooManyHolds and the like: as `require_can_book` does.
        PriceNotCharged: nobody can be charged with its price.
        SlotUnavailable: with the rules against it, and the nearest times.
    """
    if not can_book(learner):
        raise MayNotBook
    profile = MentorProfile.objects.bookable_for(learner).select_related("user").filter(pk=mentor_id).first()
    if profile is None:
        raise NotBookable
    offer = offer_for(profile, duration_minutes, offer_id)
    until = hold_for(learner, starts_at)
    with transaction.atomic():
        # First of all: this locks both people, or, where somebody was quicker, nobody, so that whoever is too late keeps nobody waiting.
        session_id = claim_session(learner, profile, offer, starts_at, until=until)
        require_can_book(learner, mentor_id=profile.user_id, starts=[starts_at], has_price=bool(offer.price_amount))
        booking = hold_session(session_id, learner, profile, offer, starts_at, topic=topic, until=until)
        begin_booking(booking, learner)
    return booking


def ask_payer(booking: Booking, *, payer: User) -> None:
    """Open the payment; over nothing, go on at once. Needs the lock of the booking.

    Raises:
        PriceNotCharged: nobody can be charged with its price.
    """
    require_charged(booking.price)
    WaitlistEntry.objects.filter(booking=booking, state=WaitlistState.OFFERED).update(state=WaitlistState.TAKEN)
    booking.payment = open_payment(
        subject_id=booking.pk,
        payer=payer,
        payee=booking.session.mentor,
        money=booking.price,
        policy=PaymentPolicy(capture_mode=CaptureMode.MANUAL),
        # Nobody is named: it stays in the books when people go.
        description=f"{booking.session.title}, {booking.session.duration_minutes} minutes",
    )
    booking.save()
    if booking.price:
        publish(BookingHeld(booking.pk, booking.version))
    else:
        go_on(booking)


def require_charged(price: Money) -> None:
    """Raises:
    PriceNotCharged: nobody can be charged with this price.
    """
    if price_error(price, field="price"):
        raise PriceNotCharged


def go_on(booking: Booking) -> None:
    """It is paid for, or costs nothing: the mentor is asked, or, if they want that, has it at once; and nobody waits for what they have.
    Needs the lock of the booking."""
    waits = WaitlistEntry.objects.filter(learner=booking.learner_id, state=WaitlistState.WAITING)
    if booking.session.is_group:
        waits.filter(session=booking.session_id).update(state=WaitlistState.LEFT)
    else:
        waits.filter(mentor=booking.session.mentor_id, session__isnull=True).update(state=WaitlistState.LEFT)
    if booking.is_instant:
        confirm(booking, side=Side.LEARNER, cause=Cause.PAID, actor=None)
    else:
        request(booking, cause=Cause.PAID)
    hold_rest(booking)


def hold_for(learner: User, starts_at: datetime.datetime) -> datetime.datetime:
    """Until when a time is held while it is paid for, or a guardian is asked."""
    now = timezone.now()
    return min(now + (APPROVAL_FOR if is_minor(learner) else HOLD_FOR), max(starts_at, now))


def begin_booking(booking: Booking, learner: User) -> None:
    """The next step of a booking that was just made. Needs the lock of the booking."""
    record_start(booking, side=Side.LEARNER, actor=learner)
    if is_minor(learner):
        publish(BookingHeld(booking.pk, booking.version))
    else:
        ask_payer(booking, payer=learner)


def offer_for(profile: MentorProfile, minutes: int, offer_id: uuid.UUID | None) -> Offer:
    """The named one, or else the cheapest of this length; among those whose price can be charged. Prices in several currencies cannot be
    compared, so that one has to be named, unless one is free of charge."""
    offers = profile.offers.filter(is_active=True, duration_minutes=minutes).exclude(kind=OfferKind.GROUP).order_by("price_amount", "pk")
    chosen = offers if offer_id is None else offers.filter(pk=offer_id)
    chargeable = [row for row in chosen if can_be_charged(row)]
    offer = chargeable[0] if chargeable else None
    if offer is not None and offer.price_amount and len({row.price_currency for row in chargeable}) > 1:
        raise OfferNotNamed(errors=(FieldError("offer_id", OfferNotNamed.code, OfferNotNamed.message),))
    if offer is None:
        field = "duration_minutes" if offer_id is None else "offer_id"
        raise NoSuchOffer(errors=(FieldError(field, NoSuchOffer.code, NoSuchOffer.message),))
    return offer


def claim_session(
    learner: User, profile: MentorProfile, offer: Offer, starts_at: datetime.datetime, *, until: datetime.datetime
) -> uuid.UUID:
    """Take the time, which locks both people, for the session of the id that is returned.

    Raises:
        SlotUnavailable: with the rules against it, and the nearest times.
    """
    key = new_id()
    claim_time(
        profile=profile,
        learner_id=learner.pk,
        starts_at=starts_at,
        duration_minutes=offer.duration_minutes,
        reference=key,
        held_until=until,
    )
    return key


def hold_session(
    session_id: uuid.UUID,
    learner: User,
    profile: MentorProfile,
    offer: Offer,
    starts_at: datetime.datetime,
    *,
    topic: str,
    until: datetime.datetime,
    series: Series | None = None,
    price: Money | None = None,
) -> Booking:
    """Make the session whose time was claimed under this id, and the booking of it, at the price of the offer or at another one."""
    terms = BookingTerms.objects.filter(mentor=profile.user_id).first() or BookingTerms()
    session = Session.objects.create(
        id=session_id,
        mentor=profile.user,
        kind=offer.kind,
        title=offer.title,
        starts_at=starts_at,
        ends_at=starts_at + datetime.timedelta(minutes=offer.duration_minutes),
        duration_minutes=offer.duration_minutes,
        mentor_zone=Schedule.objects.values_list("time_zone", flat=True).get(profile=profile),
    )
    return Booking.objects.create(
        session=session,
        learner=learner,
        offer=offer,
        series=series,
        state=BookingState.HELD,
        topic=topic,
        learner_zone=learner.time_zone,
        is_instant=terms.is_instant,
        price_amount=offer.price_amount if price is None else price.amount,
        price_currency=offer.price_currency,
        policy=terms.policy,
        counted_from=starts_at,
        expires_at=until,
    )
