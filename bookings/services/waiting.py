"""Waiting for what is taken. What becomes free is kept for a moment for those who wait, and held for the first of them whom it fits; who
does not take it in time makes room for the next.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from accounts.policies import can_book, is_minor
from bookings.enums import BookingState, Cause, Side, WaitlistState
from bookings.errors import (
    BadWindow,
    MayNotBook,
    NoSuchOffer,
    NotBookable,
    NothingOffered,
    SeatsFree,
    SeatTaken,
    SessionOff,
    TimesFree,
    TooManyWaits,
    WaitingAlready,
)
from bookings.events import BookingHeld, WaitlistOffered
from bookings.models import Booking, Session, WaitlistEntry
from bookings.services.booking import HOLD_FOR, ask_payer, claim_session, hold_session
from bookings.services.groups import groups_ahead, hold_seat, seats_free
from bookings.services.limits import require_can_book
from bookings.services.moving import is_offered, locked_booking, record_new_time, record_start, require_side, require_state
from bookings.services.placing import KEPT_FOR, hold_until
from core.batches import each_alone
from core.bell import ring_unless_rung
from core.errors import Conflict, FieldError
from core.events import publish
from core.wall_time import as_text
from mentors.enums import OfferKind
from mentors.errors import SlotUnavailable
from mentors.models import MentorProfile, OccupiedTime, Offer
from mentors.services.keeping import lock_people
from mentors.services.occupying import ALTERNATIVES, keep_for_waiting, release_kept
from mentors.services.offers import can_be_charged
from mentors.services.slots import MOST_DAYS, Question, slots_between
from notifications.enums import Channel, Urgency
from notifications.models import Preferences
from notifications.services.preferences import send_at

LOOK = "bookings.tasks.look_for_waiting"
MOST_WAITS = 10
# An offer stands for an eighth of the time that is left until the session: a day at most, half an hour at least, never beyond its start.
_SHARE, _LONGEST, _SHORTEST = 8, datetime.timedelta(hours=24), datetime.timedelta(minutes=30)
# Times that become free by themselves, as hours are added or the horizon moves on, are looked for this often.
LOOK_EVERY = datetime.timedelta(minutes=5)
_BATCH = 50


def wait_for_seat(*, learner: User, session_id: uuid.UUID) -> WaitlistEntry:
    """Stand in line for a seat in a session for several.

    Raises:
        MayNotBook, NotBookable: as for booking one.
        SessionOff: it has begun, or was called off.
        SeatTaken: this person has one.
        SeatsFree: there is no need to wait.
        WaitingAlready, TooManyWaits.
    """
    if not can_book(learner):
        raise MayNotBook
    known = Session.objects.filter(pk=session_id, kind=OfferKind.GROUP).first()
    if known is None or not MentorProfile.objects.bookable_for(learner).filter(user=known.mentor_id).exists():
        raise NotBookable
    with transaction.atomic():
        lock_people((known.mentor_id, learner.pk))
        session = groups_ahead().select_for_update().filter(pk=session_id).first()
        if session is None:
            raise SessionOff
        if Booking.objects.live().filter(session=session, learner=learner).exists():
            raise SeatTaken
        is_kept = session.kept_until is not None and session.kept_until > timezone.now()
        if seats_free(session) and not is_kept and not WaitlistEntry.objects.waiting().filter(session=session).exists():
            raise SeatsFree
        return _wait(
            WaitlistEntry(session=session, mentor_id=session.mentor_id, opens_at=session.starts_at, closes_at=session.ends_at), learner
        )


def wait_for_time(
    *, learner: User, mentor_id: uuid.UUID, offer_id: uuid.UUID, opens_at: datetime.datetime, closes_at: datetime.datetime
) -> WaitlistEntry:
    """Stand in line for a session with a mentor that starts at `opens_at` or later, and is over by `closes_at`.

    Raises:
        MayNotBook, NotBookable, NoSuchOffer: as for booking one.
        BadWindow: it is over, too short for the session, or longer than can be listed.
        TimesFree: there is no need to wait; with the first times that can be booked.
        WaitingAlready, TooManyWaits.
    """
    if not can_book(learner):
        raise MayNotBook
    profile = MentorProfile.objects.bookable_for(learner).filter(pk=mentor_id).only("pk", "user").first()
    if profile is None:
        raise NotBookable
    offer = Offer.objects.filter(profile=profile, pk=offer_id, is_active=True).exclude(kind=OfferKind.GROUP).first()
    if offer is None or not can_be_charged(offer):
        raise NoSuchOffer(errors=(FieldError("offer_id", NoSuchOffer.code, NoSuchOffer.message),))
    length = datetime.timedelta(minutes=offer.duration_minutes)
    if not max(opens_at, timezone.now()) + length <= closes_at <= opens_at + datetime.timedelta(days=MOST_DAYS):
        raise BadWindow(errors=(FieldError("closes_at", BadWindow.code, BadWindow.message),))
    with transaction.atomic():
        lock_people((profile.user_id, learner.pk))
        entry = WaitlistEntry(offer=offer, mentor_id=profile.user_id, opens_at=opens_at, closes_at=closes_at)
        free = _times_for(entry, profile, learner)
        if free:
            raise TimesFree(alternatives=[as_text(start) for start in free[:ALTERNATIVES]])
        return _wait(entry, learner)


def stop_waiting(*, entry: WaitlistEntry) -> None:
    """Leave the line. What was offered is a booking, and is called off as one."""
    WaitlistEntry.objects.waiting().filter(pk=entry.pk).update(state=WaitlistState.LEFT, updated_at=timezone.now())


def take_offer(*, booking_id: uuid.UUID, learner: User) -> Booking:
    """Take what was offered; what costs something is then to be paid for, in the time that everybody has. For somebody under 18 their
    guardian's yes does this.

    Raises:
        MayNotAnswer: it was offered to somebody else.
        IllegalBookingMove, NothingOffered: nothing waits to be taken, or not any more.
        TooManyHolds and the like: as for booking it.
    """
    with transaction.atomic():
        booking = locked_booking(booking_id)
        require_side(booking, learner, Side.LEARNER)
        require_state(booking, BookingState.HELD)
        if is_minor(booking.learner) or not is_offered(booking):
            raise NothingOffered
        session = booking.session
        require_can_book(learner, mentor_id=session.mentor_id, starts=[session.starts_at], has_price=bool(booking.price))
        booking.expires_at = min(timezone.now() + HOLD_FOR, booking.session.starts_at)
        hold_until(booking, booking.expires_at)
        record_new_time(booking, side=Side.LEARNER, cause=Cause.OFFER_TAKEN, actor=learner)
        ask_payer(booking, payer=learner)
    return booking


def look_next(*, session: Session) -> None:
    """Something of this session, or of its mentor's time, may be free: look for those who wait for it before all others. A worker does
    that apart from the open transaction, as each offer locks other people."""
    waiting = WaitlistEntry.objects.waiting()
    line = waiting.filter(session=session) if session.is_group else waiting.filter(mentor=session.mentor_id, session__isnull=True)
    if line.look_at(None):
        transaction.on_commit(lambda: ring_unless_rung(LOOK))


def look_for_waiting() -> int:
    """Look for those who have waited longest since the last look, and close what is over. Returns how many lines were looked at."""
    now = timezone.now()
    waiting = WaitlistEntry.objects.waiting()
    for over in (waiting.filter(closes_at__lte=now), waiting.filter(session__isnull=False, opens_at__lte=now)):
        over.update(state=WaitlistState.OVER, updated_at=now)
    due = waiting.exclude(looked_at__gt=now - LOOK_EVERY).order_by(F("looked_at").asc(nulls_first=True), "pk")
    lines = dict.fromkeys(due.values_list("session_id", "mentor_id")[:_BATCH])
    return len(each_alone(lambda line: _offer_seats(line[0]) if line[0] else _offer_times(line[1]), lines))


def _wait(entry: WaitlistEntry, learner: User) -> WaitlistEntry:
    entry.learner = learner
    if WaitlistEntry.objects.waiting().filter(learner=learner).count() >= MOST_WAITS:
        raise TooManyWaits
    try:
        with transaction.atomic():
            entry.save(force_insert=True)
    except IntegrityError as error:
        raise WaitingAlready from error
    return entry


def _offer_times(mentor_id: uuid.UUID) -> None:
    """To one after the other, in the order in which they came. Each is a transaction of its own."""
    started_at = timezone.now()
    line = WaitlistEntry.objects.waiting().filter(mentor=mentor_id, session__isnull=True).order_by("pk")
    for key in list(line.values_list("pk", flat=True)):
        _offer_time(key, mentor_id)
    # What was given back meanwhile is not for everybody yet.
    release_kept(mentor_id=mentor_id, held_until=started_at + KEPT_FOR)


def _offer_time(key: uuid.UUID, mentor_id: uuid.UUID) -> None:
    with transaction.atomic():
        entry = _next(key, mentor_id)
        if entry is None:
            return
        assert entry.offer is not None  # who waits for a time has one
        learner, offer = entry.learner, entry.offer
        profile = MentorProfile.objects.bookable_for(learner).select_related("user").filter(user=mentor_id).first()
        has_offer = WaitlistEntry.objects.filter(
            learner=learner, mentor=mentor_id, state=WaitlistState.OFFERED, session__isnull=True
        ).exists()
        if profile is None or has_offer or not offer.is_active or not can_be_charged(offer):
            _nothing_for(entry)
            return
        try:
            with transaction.atomic():
                kept = release_kept(mentor_id=mentor_id)
                free = _times_for(entry, profile, learner)
                if not free:
                    raise SlotUnavailable
                require_can_book(learner, mentor_id=mentor_id, starts=free[:1], has_price=bool(offer.price_amount), is_offer=True)
                until = _offer_until(learner, free[0])
                session_id = claim_session(learner, profile, offer, free[0], until=until)
                booking = hold_session(session_id, learner, profile, offer, free[0], topic="", until=until)
                _keep_again(kept)
        except Conflict:
            # What is kept stays kept, for the next one.
            _nothing_for(entry)
        else:
            _offer(entry, booking)


def _keep_again(kept: Sequence[OccupiedTime]) -> None:
    """For those who stand behind, all but what was taken."""
    for row in kept:
        assert row.held_until is not None  # holds have an end
        keep_for_waiting(mentor_id=row.person_id, starts_at=row.session.lower, ends_at=row.session.upper, held_until=row.held_until)


def _offer_seats(session_id: uuid.UUID) -> None:
    kept_until = Session.objects.values_list("kept_until", flat=True).get(pk=session_id)
    for key, mentor_id in list(WaitlistEntry.objects.waiting().filter(session=session_id).order_by("pk").values_list("pk", "mentor_id")):
        if _is_full(session_id, mentor_id):
            break
        _offer_seat(key, mentor_id, session_id)
    # Unless another seat was given back meanwhile.
    Session.objects.filter(pk=session_id, kept_until=kept_until).update(kept_until=None)


def _is_full(session_id: uuid.UUID, mentor_id: uuid.UUID) -> bool:
    """Whether there is nothing for the whole line. What is given back from now on is seen by the next look."""
    with transaction.atomic():
        lock_people((mentor_id,))
        if seats_free(Session.objects.get(pk=session_id)):
            return False
        WaitlistEntry.objects.waiting().filter(session=session_id).look_at(timezone.now())
    return True


def _offer_seat(key: uuid.UUID, mentor_id: uuid.UUID, session_id: uuid.UUID) -> None:
    with transaction.atomic():
        entry = _next(key, mentor_id)
        session = groups_ahead().select_for_update().filter(pk=session_id).first()
        if entry is None:
            return
        if session is None or not MentorProfile.objects.bookable_for(entry.learner).filter(user=mentor_id).exists():
            _nothing_for(entry)
            return
        try:
            with transaction.atomic():
                has_price = bool(session.price_amount)
                require_can_book(entry.learner, mentor_id=mentor_id, starts=[session.starts_at], has_price=has_price, is_offer=True)
                booking = hold_seat(entry.learner, session, topic="", until=_offer_until(entry.learner, session.starts_at))
        except Conflict:
            _nothing_for(entry)
        else:
            _offer(entry, booking)


def _next(key: uuid.UUID, mentor_id: uuid.UUID) -> WaitlistEntry | None:
    """The entry, if it still waits, with the time of both people locked."""
    rows = WaitlistEntry.objects.waiting().filter(pk=key)
    known = rows.values_list("learner_id", flat=True).first()
    if known is None:
        return None
    lock_people((mentor_id, known))
    return rows.select_related("learner", "offer").select_for_update(of=("self",)).first()


def _times_for(entry: WaitlistEntry, profile: MentorProfile, learner: User) -> list[datetime.datetime]:
    """What could be booked within the window, in order."""
    assert entry.offer is not None  # who waits for a time has one
    minutes = entry.offer.duration_minutes
    last = entry.closes_at - datetime.timedelta(minutes=minutes)
    question = Question(profile.pk, minutes, learner.pk)
    return slots_between(question, max(entry.opens_at, question.now), last + datetime.timedelta(microseconds=1))


def _offer_until(learner: User, starts_at: datetime.datetime) -> datetime.datetime:
    """The time to think begins when the person may be told: after their quiet hours."""
    now = timezone.now()
    preferences = Preferences.objects.select_related("user").filter(user=learner).first() or Preferences(user=learner)
    told_at = send_at(preferences, now=now, urgency=Urgency.URGENT, channel=Channel.PUSH)
    return min(told_at + max(_SHORTEST, min(_LONGEST, (starts_at - now) / _SHARE)), starts_at)


def _offer(entry: WaitlistEntry, booking: Booking) -> None:
    entry.state, entry.booking = WaitlistState.OFFERED, booking
    entry.save()
    record_start(booking, side=Side.PLATFORM, actor=None, cause=Cause.OFFERED)
    publish(WaitlistOffered(booking.pk, booking.version))
    if is_minor(entry.learner):
        publish(BookingHeld(booking.pk, booking.version))


def _nothing_for(entry: WaitlistEntry) -> None:
    entry.looked_at = timezone.now()
    entry.save()
