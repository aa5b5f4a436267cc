"""What each of the two is told about a booking: the other one's name, the time by their own clock, and the entry for their calendar."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any, Protocol

from accounts.enums import GuardianshipState
from accounts.models import Guardianship, User
from bookings.models import Booking
from core.calendar_entries import CalendarEntry
from notifications.notices import Kind
from notifications.services.notifying import may_name, notify, notify_staff


class EntryMaker(Protocol):
    """Makes the calendar part of a notice for one person, with or without naming whom they meet."""

    def __call__(self, booking: Booking, person: User, *, is_nameless: bool = False) -> CalendarEntry | None: ...


def tell(
    booking: Booking,
    kind: Kind,
    people: Collection[User],
    *,
    calendar: EntryMaker | None = None,
    key: str = "",
    names_nobody_gone: bool = False,
    **more: Any,
) -> None:
    """Tell these of the two. The same version of a booking tells a person once of a kind. What is about somebody who has left, or whom the
    person is apart from, is not told; with `names_nobody_gone` it is told without their name and words."""
    for person in people:
        other = booking.learner if person.pk == booking.session.mentor_id else booking.session.mentor
        is_nameless = names_nobody_gone and not may_name(person_id=person.pk, other_id=other.pk)
        notify(
            kind=kind,
            user_ids=[person.pk],
            data=_data(booking, other) | more | ({"name": "", "note": ""} if is_nameless else {}),
            about_id=None if is_nameless else other.pk,
            key=f"{booking.pk} {key or booking.version}",
            calendar=calendar(booking, person, is_nameless=is_nameless) if calendar else None,
        )


def tell_staff(booking: Booking, kind: Kind, *, key: str) -> None:
    """Tell the staff."""
    notify_staff(kind=kind, data=_data(booking, booking.session.mentor), key=key)


def both(booking: Booking) -> tuple[User, User]:
    return booking.learner, booking.session.mentor


def tell_guardians(booking: Booking, kind: Kind, *, calendar: EntryMaker | None = None, **more: Any) -> None:
    """Tell whoever answers for the learner now. The notice names their ward alone."""
    links = Guardianship.objects.filter(ward=booking.learner, guardian__isnull=False, state=GuardianshipState.ACTIVE)
    for link in links.select_related("guardian"):
        assert link.guardian is not None  # by the filter
        notify(
            kind=kind,
            user_ids=[link.guardian.pk],
            data=_data(booking, booking.learner) | more,
            about_id=booking.learner_id,
            key=f"{booking.pk} {booking.version}",
            calendar=calendar(booking, link.guardian) if calendar else None,
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
