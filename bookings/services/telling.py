"""What each of the two is told about a booking: the other one's name, the time by their own clock, and the entry for their calendar."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from accounts.enums import GuardianshipState
from accounts.models import Guardianship, User
from bookings.models import Booking
from mentors.services.links import own_suffix
from notifications.notices import Kind
from notifications.services.notifying import CalendarEntry, notify, notify_staff


def entry_of(booking: Booking, *, is_cancelled: bool = False) -> CalendarEntry:
    """The session for a calendar: the same entry as in the person's secret feed, so that nobody sees it twice."""
    session = booking.session
    return CalendarEntry(
        uid=f"{session.pk}{own_suffix()}",
        # One learner of several who cancels changes the entry of nobody else.
        sequence=session.sequence + (session.is_group and is_cancelled),
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        is_cancelled=is_cancelled,
    )


def tell(
    booking: Booking, kind: Kind, people: Collection[User], *, calendar: CalendarEntry | None = None, key: str = "", **more: Any
) -> None:
    """Tell these of the two. The same version of a booking tells a person once of a kind."""
    for person in people:
        other = booking.learner if person.pk == booking.session.mentor_id else booking.session.mentor
        notify(
            kind=kind,
            user_ids=[person.pk],
            data=_data(booking, other) | more,
            about_id=other.pk,
            key=f"{booking.pk} {key or booking.version}",
            calendar=calendar,
        )


def tell_staff(booking: Booking, kind: Kind, *, key: str) -> None:
    """Tell the staff."""
    notify_staff(kind=kind, data=_data(booking, booking.session.mentor), key=key)


def both(booking: Booking) -> tuple[User, User]:
    return booking.learner, booking.session.mentor


def tell_guardians(booking: Booking, kind: Kind) -> None:
    """Tell whoever answers for the learner now. The notice names their ward alone."""
    links = Guardianship.objects.filter(ward=booking.learner, guardian__isnull=False, state=GuardianshipState.ACTIVE)
    people = list(links.values_list("guardian", flat=True))
    notify(
        kind=kind, user_ids=people, data=_data(booking, booking.learner), about_id=booking.learner_id, key=f"{booking.pk} {booking.version}"
    )


def booking_for_telling(booking_id: uuid.UUID) -> Booking:
    return Booking.objects.select_related("session__mentor", "learner").get(pk=booking_id)


def _data(booking: Booking, other: User) -> dict[str, Any]:
    session = booking.session
    return {
        "booking": booking.pk,
        "name": other.full_name,
        "what": session.title,
        "starts": session.starts_at,
        "minutes": session.duration_minutes,
    }
