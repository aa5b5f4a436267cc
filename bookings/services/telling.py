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
from notifications.services.notifying import CalendarEntry, may_name, notify, notify_staff


def entry_of(booking: Booking, *, is_cancelled: bool = False) -> CalendarEntry:
    """The session for a calendar: the same entry as in the person's secret feed, so that nobody sees it twice."""
    session = booking.session
    return CalendarEntry(
        uid=f"{session.pk}{own_suffix()}",
        sequence=session.sequence,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        is_cancelled=is_cancelled,
    )


def cancellation_for(booking: Booking, person: User) -> CalendarEntry | None:
    """What takes the session out of this person's calendar; None where it stays there: the mentor of a group meets the others, and a
    learner who took another seat in it comes after all."""
    session = booking.session
    takes_place = session.is_group and session.cancelled_at is None
    if takes_place and (person.pk == session.mentor_id or Booking.objects.live().filter(session=session, learner=person).exists()):
        return None
    return entry_of(booking, is_cancelled=True)


def tell(
    booking: Booking,
    kind: Kind,
    people: Collection[User],
    *,
    calendar: CalendarEntry | None = None,
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
            calendar=calendar,
        )


def tell_staff(booking: Booking, kind: Kind, *, key: str) -> None:
    """Tell the staff."""
    notify_staff(kind=kind, data=_data(booking, booking.session.mentor), key=key)


def both(booking: Booking) -> tuple[User, User]:
    return booking.learner, booking.session.mentor


def tell_guardians(booking: Booking, kind: Kind, *, calendar: CalendarEntry | None = None, **more: Any) -> None:
    """Tell whoever answers for the learner now. The notice names their ward alone."""
    links = Guardianship.objects.filter(ward=booking.learner, guardian__isnull=False, state=GuardianshipState.ACTIVE)
    people = list(links.values_list("guardian", flat=True))
    notify(
        kind=kind,
        user_ids=people,
        data=_data(booking, booking.learner) | more,
        about_id=booking.learner_id,
        key=f"{booking.pk} {booking.version}",
        calendar=calendar,
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
