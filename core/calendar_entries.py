"""Entries for other calendars (RFC 5545): the same event in an e-mail, in a file and in a feed."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable

import icalendar

_PRODUCT = "-//Soosh//Calendar//EN"


@dataclasses.dataclass(frozen=True)
class CalendarEntry:
    """What a person's calendar should hold. A later `sequence` of the same `uid` replaces an earlier one (RFC 5545, 3.8.7.4); with
    `is_cancelled` it takes the entry out. `summary`, `description` and `url` describe the event itself, never what is new about it."""

    uid: str
    sequence: int
    starts_at: datetime.datetime
    ends_at: datetime.datetime
    summary: str
    description: str = ""
    url: str = ""
    is_cancelled: bool = False


def event_of(entry: CalendarEntry, *, stamped_at: datetime.datetime, status: str = "CONFIRMED") -> icalendar.Event:
    """The event of an entry, with its times in UTC. `status` is that of an entry that is not cancelled."""
    event = icalendar.Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", stamped_at.astimezone(datetime.UTC))
    event.add("dtstart", entry.starts_at.astimezone(datetime.UTC))
    event.add("dtend", entry.ends_at.astimezone(datetime.UTC))
    event.add("summary", entry.summary)
    for name, text in (("description", entry.description), ("location", entry.url), ("url", entry.url)):
        if text:
            event.add(name, text)
    event.add("status", "CANCELLED" if entry.is_cancelled else status)
    return event


def calendar_of(events: Iterable[icalendar.Event], *, method: str = "PUBLISH", name: str = "") -> bytes:
    """An iCalendar object with these events."""
    calendar = icalendar.Calendar()
    for prop, value in (("prodid", _PRODUCT), ("version", "2.0"), ("method", method), ("x-wr-calname", name)):
        if value:
            calendar.add(prop, value)
    for event in events:
        calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content
