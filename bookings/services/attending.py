"""Who was in the room: stays from one instant to another, told by the provider, the app, or by taking the link. Events come twice, late and
in any order; what counts is the union of the stays."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from typing import Any, cast

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet
from django.db.models.functions import Coalesce, Greatest, Least

from bookings.enums import AttendanceSource, Side
from bookings.models import Attendance, Booking, Session

# Rooms open so long before the start, and stay open so long after the end.
OPENS_BEFORE = datetime.timedelta(minutes=10)
CLOSES_AFTER = datetime.timedelta(minutes=30)


@dataclasses.dataclass(frozen=True)
class Presence:
    """By which sources each of the two was in the room."""

    learner: frozenset[AttendanceSource]
    mentor: frozenset[AttendanceSource]

    @property
    def both(self) -> bool:
        return bool(self.learner and self.mentor)

    def sources_of(self, side: Side) -> frozenset[AttendanceSource]:
        return self.mentor if side == Side.MENTOR else self.learner


def presence_of(booking: Booking) -> Presence:
    """Stays that lie in the time of the session, as it is now."""
    session = booking.session
    rows = Attendance.objects.filter(session=session, joined_at__lt=session.ends_at, joined_at__gte=session.starts_at - OPENS_BEFORE)
    found: dict[uuid.UUID, set[AttendanceSource]] = {}
    for person, source in rows.order_by().values_list("person", "source").distinct():
        found.setdefault(person, set()).add(AttendanceSource(source))
    sources = {person: frozenset(each) for person, each in found.items()}
    return Presence(sources.get(booking.learner_id, frozenset()), sources.get(session.mentor_id, frozenset()))


def stays_of(person: str) -> QuerySet[Attendance]:
    """For a query of bookings: the stays in the time of the session of whoever stands at this path from the booking. By the rule of
    `presence_of`."""
    return Attendance.objects.filter(
        session=OuterRef("session"),
        person=OuterRef(person),
        joined_at__lt=OuterRef("session__ends_at"),
        joined_at__gte=OuterRef("session__starts_at") - OPENS_BEFORE,
    )


def time_together(booking: Booking) -> datetime.timedelta:
    """How long both were in the room at the same time. A stay without an end counts up to the end of the session."""
    session = booking.session
    stays = {person: _merged(session, person) for person in (booking.learner_id, session.mentor_id)}
    total = datetime.timedelta()
    for start, end in stays[booking.learner_id]:
        for other_start, other_end in stays[session.mentor_id]:
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
    """One end of a stay, or both. Told twice or in another order, the earliest arrival and the latest leaving stand."""
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


def _merged(session: Session, person_id: uuid.UUID) -> list[tuple[datetime.datetime, datetime.datetime]]:
    """The stays of a person as spans that do not touch."""
    rows = Attendance.objects.filter(session=session, person=person_id, joined_at__isnull=False).exclude(source=AttendanceSource.LINK)
    spans: list[tuple[datetime.datetime, datetime.datetime]] = []
    for joined, left in rows.order_by("joined_at").values_list("joined_at", "left_at"):
        start, end = cast(datetime.datetime, joined), left or session.ends_at
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        elif end > start:
            spans.append((start, end))
    return spans
