"""Who was in the room, and what that proves. Stays are reported by the video provider, by a person's own app, or by opening the link.

Only the provider proves anything: an app and a link show that a session has begun, and no more. Events come twice, late and in any order;
what counts is the union of the stays. See docs/decisions/0022.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest, Least
from django.utils import timezone

from bookings.enums import AttendanceRecord, AttendanceSource, Side
from bookings.models import Attendance, Booking, Removal, Room, Session
from bookings.models.rooms import CLOSES_AFTER, OPENS_BEFORE
from bookings.providers.video import video_named

# Ten minutes of waiting are enough, as at ADPList and MentorCruise.
WAIT_FOR = datetime.timedelta(minutes=10)
# Together for this part of the booked time, a session took place. People come a few minutes late and end a few minutes early; whoever
# leaves after half of what was paid for has not given it.
MOST_OF_A_SESSION = Fraction(2, 3)

Span = tuple[datetime.datetime, datetime.datetime]


def has_been_in_room(booking: Booking, side: Side) -> bool:
    """Whether any source, however weak, shows this side in the room while it was open for this session."""
    return _stays_in(booking.session).filter(person=_person_of(booking, side)).exists()


def stays_of(person: str) -> QuerySet[Attendance]:
    """For a query of bookings: the stays in the session's time, from any source, of the person at this path. By the rule of
    `has_been_in_room`."""
    return Attendance.objects.filter(
        session=OuterRef("session"),
        person=OuterRef(person),
        joined_at__lt=OuterRef("session__ends_at"),
        joined_at__gte=OuterRef("session__starts_at") - OPENS_BEFORE,
    )


def record_of(booking: Booking) -> AttendanceRecord:
    """What the provider's record proves now. A stay of which only one end was reported proves nothing in favour of whoever gains by it, and
    everything in favour of whoever is said to be absent."""
    if is_met(booking):
        return AttendanceRecord.BOTH
    if not _is_reported(booking.session) or _is_kept_out(booking):
        return AttendanceRecord.UNCLEAR
    came = {side: _provider_stays(booking.session, _person_of(booking, side)).exists() for side in (Side.LEARNER, Side.MENTOR)}
    if all(came.values()):
        return AttendanceRecord.UNCLEAR
    if not any(came.values()):
        return AttendanceRecord.NOBODY if _is_over(booking) else AttendanceRecord.UNCLEAR
    side = Side.LEARNER if came[Side.LEARNER] else Side.MENTOR
    return _record_of_one(booking, side)


def is_met(booking: Booking) -> bool:
    """Whether the provider's record shows both together for most of the booked time."""
    session = booking.session
    return time_together(booking) >= MOST_OF_A_SESSION.numerator * (session.ends_at - session.starts_at) / MOST_OF_A_SESSION.denominator


def time_together(booking: Booking) -> datetime.timedelta:
    """How long both were in the room at the same time, by the provider's record, from the start until the room closed."""
    spans = {side: _closed_spans(booking, side) for side in (Side.LEARNER, Side.MENTOR)}
    total = datetime.timedelta()
    for start, end in spans[Side.LEARNER]:
        for other_start, other_end in spans[Side.MENTOR]:
            total += max(min(end, other_end) - max(start, other_start), datetime.timedelta())
    return total


def record_stay(
    *,
    session_id: uuid.UUID,
    person_id: uuid.UUID,
    source: AttendanceSource,
    key: str,
    joined_at: datetime.datetime | None = None,
    left_at: datetime.datetime | None = None,
) -> None:
    """Store one end of a stay, or both. Reported twice or out of order, the earliest arrival and the latest departure stand."""
    with transaction.atomic():
        row, is_new = Attendance.objects.get_or_create(
            session_id=session_id, person_id=person_id, source=source, key=key, defaults={"joined_at": joined_at, "left_at": left_at}
        )
        if not is_new:
            changes: dict[str, Any] = {}
            if joined_at is not None:
                changes["joined_at"] = Least(Coalesce(F("joined_at"), joined_at), joined_at)
            if left_at is not None:
                changes["left_at"] = Greatest(Coalesce(F("left_at"), left_at), left_at)
            if changes:
                Attendance.objects.filter(pk=row.pk).update(**changes)


def _record_of_one(booking: Booking, side: Side) -> AttendanceRecord:
    """Only this side came. Whoever waits while the time runs, and a mentor who is to be paid, has to have waited."""
    has_waited = _time_waited(booking, side) >= WAIT_FOR
    if side == Side.LEARNER:
        return AttendanceRecord.LEARNER_ALONE if has_waited or _is_over(booking) else AttendanceRecord.UNCLEAR
    if has_waited:
        return AttendanceRecord.MENTOR_ALONE
    return AttendanceRecord.NOBODY if _is_over(booking) else AttendanceRecord.UNCLEAR


def _time_waited(booking: Booking, side: Side) -> datetime.timedelta:
    """How long this side was in the room within the booked time. Who is there now has no end of their stay yet."""
    session, now = booking.session, timezone.now()
    spans = [(start, min(end, session.ends_at)) for start, end in _closed_spans(booking, side) if start < session.ends_at]
    if now < session.ends_at:
        open_stays = _provider_stays(session, _person_of(booking, side)).filter(joined_at__isnull=False, left_at__isnull=True)
        joined = open_stays.values_list("joined_at", flat=True)
        spans = _merged([*spans, *((max(start, session.starts_at), now) for start in joined if start is not None and start < now)])
    return sum((max(end - start, datetime.timedelta()) for start, end in spans), datetime.timedelta())


def _closed_spans(booking: Booking, side: Side) -> list[Span]:
    """The stays of which the provider reported both ends, from the start of the session until its room closed, merged."""
    session = booking.session
    last = min(session.ends_at + CLOSES_AFTER, timezone.now())
    rows = _provider_stays(session, _person_of(booking, side)).filter(joined_at__isnull=False, left_at__isnull=False)
    stays = rows.values_list("joined_at", "left_at")
    return _merged((max(joined, session.starts_at), min(left, last)) for joined, left in stays if joined is not None and left is not None)


def _merged(stays: Iterable[Span]) -> list[Span]:
    """Merge spans that touch, and drop empty ones."""
    spans: list[Span] = []
    for start, end in sorted(stays):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        elif end > start:
            spans.append((start, end))
    return spans


def _provider_stays(session: Session, person_id: uuid.UUID) -> QuerySet[Attendance]:
    """What the provider reported of this person while the room was open for the present time of the session."""
    opens_at, closes_at = session.starts_at - OPENS_BEFORE, session.ends_at + CLOSES_AFTER
    is_inside = Q(joined_at__gte=opens_at, joined_at__lt=closes_at) | Q(
        joined_at__isnull=True, left_at__gt=opens_at, left_at__lte=closes_at
    )
    return Attendance.objects.filter(is_inside, session=session, person=person_id, source=AttendanceSource.PROVIDER)


def _stays_in(session: Session) -> QuerySet[Attendance]:
    return Attendance.objects.filter(session=session, joined_at__lt=session.ends_at, joined_at__gte=session.starts_at - OPENS_BEFORE)


def _is_reported(session: Session) -> bool:
    """Whether the provider of this room reports who comes, so that an absence from its record means something."""
    room = Room.objects.filter(session=session).only("provider").first()
    return room is not None and bool(room.provider) and video_named(room.provider).reports_attendance


def _is_kept_out(booking: Booking) -> bool:
    """Whether one of the two may not come in, such as after a block: their absence says nothing about them."""
    people = (booking.learner_id, booking.session.mentor_id)
    return Removal.objects.filter(session=booking.session_id, person__in=people).exists()


def _is_over(booking: Booking) -> bool:
    return booking.session.ends_at <= timezone.now()


def _person_of(booking: Booking, side: Side) -> uuid.UUID:
    return booking.session.mentor_id if side == Side.MENTOR else booking.learner_id
