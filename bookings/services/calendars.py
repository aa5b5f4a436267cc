"""A session as an entry of other calendars: in e-mails, as a file, in a person's feed, and as links to the large providers."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import Mapping
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Q

from accounts.models import User
from bookings.enums import LIVE_STATES, PLACED_STATES, WAITING_STATES, BookingState
from bookings.models import Booking, Session
from core.calendar_entries import CalendarEntry, calendar_of, event_of
from core.plain_text import one_line
from mentors.services.links import FEED_BEGINS_BEFORE, own_suffix
from notifications.services.composing import language_of


@dataclasses.dataclass(frozen=True)
class Wording:
    """How an entry describes a session. The title is that of the session, whatever is new about it."""

    with_person: str
    without_name: str
    of_group: str
    of_ward: str
    joining: str
    changing: str


WORDINGS: Mapping[str, Wording] = {
    "en": Wording(
        with_person="Session with {name}: {title}",
        without_name="Session: {title}",
        of_group="Group session: {title}",
        of_ward="{name}’s session: {title}",
        joining="Join (from ten minutes before the start): {url}",
        changing="See, move or cancel it: {url}",
    ),
    "de": Wording(
        with_person="Treffen mit {name}: {title}",
        without_name="Treffen: {title}",
        of_group="Gruppentreffen: {title}",
        of_ward="Treffen von {name}: {title}",
        joining="Teilnehmen (ab zehn Minuten vor Beginn): {url}",
        changing="Ansehen, verschieben oder absagen: {url}",
    ),
}
_STATUS = dict.fromkeys(WAITING_STATES, "TENTATIVE")


def entry_for(booking: Booking, person: User, *, is_nameless: bool = False) -> CalendarEntry:
    """The session in this person's calendar and language. With `is_nameless` it does not say whom they meet."""
    session, url = booking.session, link_to(booking)
    wording = WORDINGS[language_of(person)]
    return CalendarEntry(
        uid=_uid_of(session),
        sequence=session.sequence,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        summary=one_line(wording.without_name.format(title=session.title)) if is_nameless else summary_of(booking, person),
        description=f"{wording.joining.format(url=f'{url}/join')}\n{wording.changing.format(url=url)}",
        url=url,
    )


def cancellation_for(booking: Booking, person: User, *, is_nameless: bool = False) -> CalendarEntry | None:
    """The entry that removes the session from this person's calendar. None if the session stays there: the mentor of a group still meets
    the others, and a learner may have taken another seat."""
    session = booking.session
    takes_place = session.is_group and session.cancelled_at is None
    if takes_place and (person.pk == session.mentor_id or Booking.objects.live().filter(session=session, learner=person).exists()):
        return None
    return dataclasses.replace(entry_for(booking, person, is_nameless=is_nameless), is_cancelled=True)


def file_of(booking: Booking, person: User) -> bytes:
    """The session as iCalendar, as it stands now, in the words of one of its people or of a guardian."""
    status = _STATUS.get(BookingState(booking.state), "CONFIRMED")
    entry = dataclasses.replace(entry_for(booking, person), is_cancelled=not is_on(booking))
    return calendar_of([event_of(entry, stamped_at=booking.updated_at, status=status)])


def entries_of(person: User, *, now: datetime.datetime) -> dict[uuid.UUID, CalendarEntry]:
    """By session, the entries of a person's feed; the same as in e-mails and files. Three queries."""
    since = now - FEED_BEGINS_BEFORE
    bookings = Booking.objects.filter(Q(learner=person) | Q(session__mentor=person), state__in=PLACED_STATES, session__ends_at__gt=since)
    found = {row.session_id: entry_for(row, person) for row in bookings.select_related("session__mentor", "learner")}
    groups = Session.objects.filter(mentor=person, cancelled_at__isnull=True, ends_at__gt=since, seats__gt=1).exclude(pk__in=list(found))
    return found | {session.pk: _empty_group_entry(session, person) for session in groups}


def links_of(booking: Booking, person: User) -> dict[str, str]:
    """Addresses that open the entry in Google's and in Microsoft's calendar, ready to be saved."""
    entry = entry_for(booking, person)
    start, end = (instant.astimezone(datetime.UTC) for instant in (entry.starts_at, entry.ends_at))
    google = {
        "action": "TEMPLATE",
        "text": entry.summary,
        "dates": f"{start:%Y%m%dT%H%M%SZ}/{end:%Y%m%dT%H%M%SZ}",
        "details": entry.description,
    }
    outlook = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": entry.summary,
        "startdt": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "enddt": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        "body": entry.description,
    }
    return {
        "google": f"https://calendar.google.com/calendar/render?{urlencode(google)}",
        "outlook": f"https://outlook.live.com/calendar/0/deeplink/compose?{urlencode(outlook)}",
    }


def summary_of(booking: Booking, person: User) -> str:
    """The title of a session for one of its people, or for the guardian of its learner."""
    session, wording = booking.session, WORDINGS[language_of(person)]
    name, template = booking.learner.full_name, wording.of_ward
    if person.pk == session.mentor_id:
        template = wording.of_group if session.is_group else wording.with_person
    elif person.pk == booking.learner_id:
        name, template = session.mentor.full_name, wording.with_person
    # An erased person has no name.
    return one_line((template if name else wording.without_name).format(name=name, title=session.title))


def link_to(booking: Booking) -> str:
    return f"{settings.SITE_URL}/bookings/{booking.pk}"


def is_on(booking: Booking) -> bool:
    return booking.state in (*LIVE_STATES, BookingState.COMPLETED)


def _uid_of(session: Session) -> str:
    """The UID of a session, equal in e-mail, file and feed, so that calendars show it once."""
    return f"{session.pk}{own_suffix()}"


def _empty_group_entry(session: Session, mentor: User) -> CalendarEntry:
    """The entry of a group session in which nobody has a seat yet."""
    wording, url = WORDINGS[language_of(mentor)], f"{settings.SITE_URL}/dashboard/calendar"
    return CalendarEntry(
        uid=_uid_of(session),
        sequence=session.sequence,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        summary=one_line(wording.of_group.format(title=session.title)),
        description=wording.changing.format(url=url),
        url=url,
    )
