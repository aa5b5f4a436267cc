from __future__ import annotations

import dataclasses
import datetime
import statistics
import uuid

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User
from bookings.enums import AHEAD_STATES, LIVE_STATES, NO_SHOWS, PLACED_STATES, BookingState, Side, WaitlistState
from bookings.models import AppealEvidence, Booking, BookingMove, BookingTerms, Series, Session, WaitlistEntry
from bookings.services.groups import groups_ahead
from core.querysets import COLUMNS_OF_VECTORS
from mentors.enums import OfferKind
from mentors.models import MentorProfile

# So far back a mentor's figures go. A share of fewer says more about chance than about the mentor.
FIGURE_DAYS = 90
FEWEST_FOR_A_SHARE = 5
_WIDE = tuple(f"session__mentor__mentor_profile__{name}" for name in COLUMNS_OF_VECTORS)


def bookings_of(user: User) -> QuerySet[Booking]:
    """What this person, or somebody in their care, booked, and what was booked with them, newest first."""
    rows = Booking.objects.visible_to(user).prefetch_related("statements", "appeals")
    return rows.select_related("session__mentor__mentor_profile", "learner").defer(*_WIDE)


def booking_with_history(user: User) -> QuerySet[Booking]:
    """The same, with all that happened."""
    history = Prefetch("history", BookingMove.objects.select_related("actor").order_by("version"))
    return bookings_of(user).prefetch_related(history, Prefetch("appeals__evidence", AppealEvidence.objects.filter(is_stored=True)))


def narrowed(rows: QuerySet[Booking], *, state: str = "", side: str = "", when: str = "", user: User) -> QuerySet[Booking]:
    """By state, by the side on which this person is, and by whether it is ahead or past."""
    if state:
        rows = rows.filter(state=state)
    if side == Side.MENTOR:
        rows = rows.filter(session__mentor=user)
    elif side == Side.LEARNER:
        rows = rows.exclude(session__mentor=user)
    if when == "ahead":
        rows = rows.filter(state__in=(*AHEAD_STATES, BookingState.IN_SESSION), session__ends_at__gt=timezone.now())
    elif when == "past":
        rows = rows.filter(session__ends_at__lte=timezone.now())
    return rows


def group_sessions_for(user: User, *, mentor_id: uuid.UUID | None = None) -> QuerySet[Session]:
    """Sessions for several that are ahead: of mentors whom this person can book, of those in which they have a seat, and their own. Each
    with how many seats are taken."""
    can_book = MentorProfile.objects.bookable_for(user).values("user_id")
    own_seats = Booking.objects.filter(learner=user, state__in=LIVE_STATES).values("session_id")
    rows = groups_ahead().filter(Q(mentor__in=can_book) | Q(mentor=user) | Q(pk__in=own_seats))
    if mentor_id is not None:
        rows = rows.filter(mentor__mentor_profile=mentor_id)
    return _with_seats_taken(rows)


def group_sessions_known_to(user: User) -> QuerySet[Session]:
    """The same, and sessions for several that have begun, are over or were called off, for their mentors and for those who see a booking of
    them."""
    seen = Booking.objects.visible_to(user).values("session_id")
    of_theirs = Session.objects.filter(Q(mentor=user) | Q(pk__in=seen), kind=OfferKind.GROUP)
    return _with_seats_taken(Session.objects.filter(Q(pk__in=group_sessions_for(user).values("pk")) | Q(pk__in=of_theirs.values("pk"))))


def _with_seats_taken(rows: QuerySet[Session]) -> QuerySet[Session]:
    wide = (f"mentor__mentor_profile__{name}" for name in COLUMNS_OF_VECTORS)
    taken = Count("bookings", filter=Q(bookings__state__in=PLACED_STATES))
    return rows.select_related("mentor__mentor_profile").defer(*wide).annotate(taken=taken).order_by("-pk")


def waitlist_of(user: User) -> QuerySet[WaitlistEntry]:
    """What this person waits for, or was offered and can still take, the latest first; with how many are `ahead` of them."""
    same = Q(session=OuterRef("session")) | Q(session__isnull=True, opens_at__lt=OuterRef("closes_at"), closes_at__gt=OuterRef("opens_at"))
    before = WaitlistEntry.objects.waiting().filter(same, mentor=OuterRef("mentor"), pk__lt=OuterRef("pk")).exclude(learner=user)
    count = before.order_by().values("mentor").annotate(number=Count("pk")).values("number")
    rows = WaitlistEntry.objects.filter(learner=user, state__in=(WaitlistState.WAITING, WaitlistState.OFFERED))
    wide = (f"mentor__mentor_profile__{name}" for name in COLUMNS_OF_VECTORS)
    rows = rows.select_related("mentor__mentor_profile", "session", "offer", "booking").defer(*wide)
    return rows.annotate(ahead=Coalesce(Subquery(count), 0)).order_by("-pk")


def series_of(user: User) -> QuerySet[Series]:
    """Series of which this person sees at least one booking."""
    return Series.objects.filter(pk__in=Booking.objects.visible_to(user).filter(series__isnull=False).values("series_id"))


def terms_of(mentor_id: uuid.UUID) -> BookingTerms:
    """How a mentor takes bookings; who never said gets the usual terms."""
    return BookingTerms.objects.filter(mentor=mentor_id).first() or BookingTerms(mentor_id=mentor_id)


def sessions_between(user: User, start: datetime.datetime, end: datetime.datetime) -> QuerySet[Booking]:
    """What this person gives or takes between two instants and has not ended otherwise, by time."""
    rows = bookings_of(user).filter(Q(learner=user) | Q(session__mentor=user), state__in=PLACED_STATES)
    return rows.filter(session__starts_at__lt=end, session__ends_at__gt=start).order_by("session__starts_at", "pk")


def requests_to_answer(user: User) -> QuerySet[Booking]:
    """What waits for the answer of this mentor, what ends first ahead."""
    return bookings_of(user).filter(session__mentor=user, state=BookingState.REQUESTED).order_by("expires_at", "pk")


def moves_since(user: User, since: datetime.datetime) -> QuerySet[BookingMove, uuid.UUID]:
    """The ids of what happened since an instant to sessions that this person gives or takes. Ids begin with the time at which they were
    made, so that only the newest rows are looked at."""
    oldest = uuid.UUID(int=int(since.timestamp() * 1000) << 80)
    rows = BookingMove.objects.filter(Q(booking__learner=user) | Q(booking__session__mentor=user), pk__gte=oldest)
    return rows.order_by().values_list("pk", flat=True)


@dataclasses.dataclass(frozen=True)
class Step:
    """So many of a sample got so far; the first step has no sample."""

    name: str
    number: int
    sample: int | None
    meaning: str


@dataclasses.dataclass(frozen=True)
class MentorFigures:
    """The steps of what was booked with a mentor, and in how many minutes half of so many answers came (None for too few)."""

    steps: tuple[Step, ...]
    answered: int
    median_minutes: int | None


def figures_of_mentor(mentor: User) -> MentorFigures:
    """From being asked to people who come back. Three queries."""
    since = timezone.now() - datetime.timedelta(days=FIGURE_DAYS)
    moves = BookingMove.objects.filter(booking=OuterRef("pk"))
    asked = Booking.objects.filter(session__mentor=mentor).filter(
        Exists(moves.filter(to_state__in=(BookingState.REQUESTED, BookingState.CONFIRMED), moved_at__gte=since))
    )
    is_over = Q(state__in=(BookingState.COMPLETED, *NO_SHOWS))
    told = asked.annotate(is_accepted=Exists(moves.filter(to_state=BookingState.CONFIRMED))).aggregate(
        asked=Count("pk"),
        accepted=Count("pk", filter=Q(is_accepted=True)),
        over=Count("pk", filter=is_over),
        attended=Count("pk", filter=Q(state=BookingState.COMPLETED)),
    )
    attended = asked.filter(state=BookingState.COMPLETED)
    again = Booking.objects.filter(session__mentor=mentor, learner=OuterRef("learner"), state__in=PLACED_STATES, pk__gt=OuterRef("pk"))
    back = attended.annotate(is_back=Exists(again)).aggregate(
        people=Count("learner", distinct=True), back=Count("learner", distinct=True, filter=Q(is_back=True))
    )
    minutes = _minutes_to_answers(mentor, since)
    steps = (
        Step("Asked", told["asked"], None, "People booked a time with you and paid, or it cost nothing."),
        Step("Taken", told["accepted"], told["asked"], "You said yes, or it needed no answer."),
        Step("Held", told["attended"], told["over"], "Of the sessions whose time has come: both of you were there."),
        Step("Came back", back["back"], back["people"], "Of the people you met: they booked you once more."),
    )
    return MentorFigures(steps, len(minutes), round(statistics.median(minutes)) if len(minutes) >= FEWEST_FOR_A_SHARE else None)


def _minutes_to_answers(mentor: User, since: datetime.datetime) -> list[float]:
    """From the request to the mentor's yes or no, of each that was answered."""
    asked = BookingMove.objects.filter(booking=OuterRef("booking"), to_state=BookingState.REQUESTED).order_by("version")
    answers = BookingMove.objects.filter(
        booking__session__mentor=mentor,
        moved_at__gte=since,
        side=Side.MENTOR,
        from_state=BookingState.REQUESTED,
        to_state__in=(BookingState.CONFIRMED, BookingState.DECLINED),
    )
    times = answers.annotate(asked_at=Subquery(asked.values("moved_at")[:1])).values_list("asked_at", "moved_at")
    return [(moved_at - asked_at).total_seconds() / 60 for asked_at, moved_at in times]
