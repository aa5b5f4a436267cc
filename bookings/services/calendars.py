"""A session as an entry of other calendars: as a file, and as links that open the calendars of the large providers."""

from __future__ import annotations

import datetime
from urllib.parse import urlencode

import icalendar
from django.conf import settings

from accounts.models import User
from bookings.enums import LIVE_STATES, WAITING_STATES, BookingState
from bookings.models import Booking
from bookings.services.telling import entry_of

_STATUS = dict.fromkeys(WAITING_STATES, "TENTATIVE")


def file_of(booking: Booking, person: User) -> bytes:
    """The session as iCalendar (RFC 5545), as it stands now, in the words of one of its people."""
    entry = entry_of(booking)
    event = icalendar.Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", booking.updated_at)
    event.add("dtstart", entry.starts_at.astimezone(datetime.UTC))
    event.add("dtend", entry.ends_at.astimezone(datetime.UTC))
    event.add("summary", summary_of(booking, person))
    event.add("url", link_to(booking))
    event.add("status", _STATUS.get(BookingState(booking.state), "CONFIRMED" if is_on(booking) else "CANCELLED"))
    calendar = icalendar.Calendar()
    for name, value in (("prodid", "-//Soosh//Bookings//EN"), ("version", "2.0"), ("method", "PUBLISH")):
        calendar.add(name, value)
    calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content


def links_of(booking: Booking, person: User) -> dict[str, str]:
    """Addresses that open the entry in Google's and in Microsoft's calendar, ready to be saved."""
    start, end = (instant.astimezone(datetime.UTC) for instant in (booking.session.starts_at, booking.session.ends_at))
    title, url = summary_of(booking, person), link_to(booking)
    google = {"action": "TEMPLATE", "text": title, "dates": f"{start:%Y%m%dT%H%M%SZ}/{end:%Y%m%dT%H%M%SZ}", "details": url}
    outlook = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": title,
        "startdt": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "enddt": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        "body": url,
    }
    return {
        "google": f"https://calendar.google.com/calendar/render?{urlencode(google)}",
        "outlook": f"https://outlook.live.com/calendar/0/deeplink/compose?{urlencode(outlook)}",
    }


def summary_of(booking: Booking, person: User) -> str:
    other = booking.learner if person.pk == booking.session.mentor_id else booking.session.mentor
    return f"{booking.session.title} · {other.full_name}"


def link_to(booking: Booking) -> str:
    return f"{settings.SITE_URL}/bookings/{booking.pk}"


def is_on(booking: Booking) -> bool:
    return booking.state in (*LIVE_STATES, BookingState.COMPLETED)
