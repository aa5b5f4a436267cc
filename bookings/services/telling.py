"""What each of the two is told about a booking: the other one's name, the time by their own clock, and the entry for their calendar."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection
from typing import Any, Protocol

from django.utils import timezone

from accounts.enums import GuardianshipState
from accounts.models import Guardianship, User
from bookings.enums import BookingState, Cause
from bookings.models import Booking
from bookings.notices import APPROVAL_NEEDED, PAYMENT_DUE, PAYMENT_MISSED
from core.calendar_entries import CalendarEntry
from notifications.notices import Kind
from notifications.services.notifying import may_name, notify, notify_staff

# Sessions that lapse together do so in one transaction.
_AT_ONCE = datetime.timedelta(minutes=1)


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
    """Notify these of the two people, once per kind and version of the booking.

    Skips notices about a person who has left or is blocked; with `names_nobody_gone` they are sent without that person's name and words.
    """
    for person in people:
        other = booking.learner if person.pk == booking.session.mentor_id else booking.session.mentor
        is_nameless = names_nobody_gone and not may_name(person_id=person.pk, other_id=other.pk)
        notify(
            kind=kind,
            user_ids=[person.pk],
            data=_data(booking, other) | more | ({name: "" for name in ("name", "note") if name in kind.data} if is_nameless else {}),
            about_id=None if is_nameless else other.pk,
            key=f"{booking.pk} {key or booking.version}",
            calendar=calendar(booking, person, is_nameless=is_nameless) if calendar else None,
        )


def tell_staff(booking: Booking, kind: Kind, *, key: str) -> None:
    """Tell the staff."""
    notify_staff(kind=kind, data=_data(booking, booking.session.mentor), key=key)


def both(booking: Booking) -> tuple[User, User]:
    return booking.learner, booking.session.mentor


def learner_side(booking: Booking) -> list[User]:
    """The learner, and whoever answers for them now."""
    return [booking.learner, *User.objects.filter(pk__in=guardians_of(booking.learner))]


def tell_guardians(booking: Booking, kind: Kind, *, calendar: EntryMaker | None = None, key: str = "", **more: Any) -> None:
    """Tell whoever answers for the learner now. The notice names their ward alone."""
    links = Guardianship.objects.filter(ward=booking.learner, guardian__isnull=False, state=GuardianshipState.ACTIVE)
    for link in links.select_related("guardian"):
        assert link.guardian is not None  # by the filter
        notify(
            kind=kind,
            user_ids=[link.guardian.pk],
            data=_data(booking, booking.learner) | more,
            about_id=booking.learner_id,
            key=f"{booking.pk} {key or booking.version}",
            calendar=calendar(booking, link.guardian) if calendar else None,
        )


def guardians_of(learner: User) -> list[uuid.UUID]:
    """Who answers for this person now."""
    links = Guardianship.objects.filter(ward=learner, guardian__isnull=False, state=GuardianshipState.ACTIVE)
    return list(links.values_list("guardian", flat=True))


def remind_of_payment(booking: Booking, *, key: str = "") -> None:
    """Ask whoever pays for an unpaid session to do so in time, or the guardians who have to agree first."""
    if booking.state != BookingState.HELD or booking.expires_at is None or booking.expires_at <= timezone.now():
        return
    if booking.payment is not None:
        tell(booking, PAYMENT_DUE, [booking.payment.payer], until=booking.expires_at, key=key)
    else:
        tell_guardians(booking, APPROVAL_NEEDED, key=key, until=booking.expires_at)


def payers_of(booking: Booking) -> list[User]:
    """The learner, and whoever else is to pay."""
    payer = booking.payment.payer if booking.payment is not None else booking.learner
    return [booking.learner] if payer == booking.learner else [booking.learner, payer]


def tell_of_missed_payment(booking: Booking) -> None:
    """Notify the learner and whoever was to pay; and the mentor, of a session of a series that has begun."""
    together = Booking.objects.filter(series=booking.series_id, series__isnull=False, history__cause=Cause.SERIES_LAPSED)
    released = together.filter(ended_at__range=(booking.ended_at, booking.ended_at + _AT_ONCE)).count() if booking.ended_at else 0
    people = payers_of(booking)
    if Booking.objects.backing_series().filter(series=booking.series_id).exists():
        people.append(booking.session.mentor)
    tell(booking, PAYMENT_MISSED, people, released=released)


def booking_for_telling(booking_id: uuid.UUID) -> Booking:
    return Booking.objects.select_related("session__mentor", "learner", "payment__payer").get(pk=booking_id)


def _data(booking: Booking, other: User) -> dict[str, Any]:
    session = booking.session
    return {
        "booking": booking.pk,
        "name": other.full_name,
        "what": session.title,
        "starts": session.starts_at,
        "minutes": session.duration_minutes,
    }
