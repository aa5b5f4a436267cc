"""Calendars on a CalDAV server (RFC 4791): which there are, whether one has changed, and what is in it."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from mentors.providers.guarded import Fetched, FetchFailed, fetch, target_of

_DAV, _CALDAV, _SERVER = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}", "{http://calendarserver.org/ns/}"
_NAMES = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:s="http://calendarserver.org/ns/"'
_MOST_CALENDARS = 100
_MARGIN = datetime.timedelta(days=2)

Credentials = tuple[str, str]


@dataclasses.dataclass(frozen=True)
class Calendar:
    """A calendar of a server, by the name that its owner gave it."""

    address: str
    name: str


def calendars_of(address: str, credentials: Credentials) -> list[Calendar]:
    """The calendars behind a server's address: from it to the person, and from there to their calendars (RFC 4791, 6.2.1).

    Raises:
        FetchFailed: also with not_caldav.
    """
    person = _link(address, "<d:current-user-principal/>", f"{_DAV}current-user-principal", credentials)
    home = _link(person, "<c:calendar-home-set/>", f"{_CALDAV}calendar-home-set", credentials)
    answer = _ask(home, "PROPFIND", _propfind("<d:resourcetype/><d:displayname/>"), credentials, depth="1")
    found = []
    for response in _responses(answer):
        if response.find(f".//{_DAV}resourcetype/{_CALDAV}calendar") is not None:
            where = urljoin(home, _text(response, f"{_DAV}href"))
            found.append(Calendar(where, _text(response, f".//{_DAV}displayname") or where.rstrip("/").rpartition("/")[2]))
    return found[:_MOST_CALENDARS]


def version_of(address: str, credentials: Credentials) -> str:
    """What changes whenever something in the calendar does; empty where the server tells no such thing.

    Raises:
        FetchFailed
    """
    answer = _ask(address, "PROPFIND", _propfind("<s:getctag/><d:sync-token/>"), credentials, depth="0")
    for response in _responses(answer):
        return _text(response, f".//{_SERVER}getctag") or _text(response, f".//{_DAV}sync-token")
    return ""


def content_of(address: str, credentials: Credentials, *, first: datetime.datetime, last: datetime.datetime) -> tuple[bytes, bool]:
    """Every event that overlaps this time, as concatenated iCalendar objects, and whether the server sent all of them.

    Raises:
        FetchFailed
    """
    # Servers that do not know an event's zone disagree about the edges.
    first, last = first - _MARGIN, last + _MARGIN
    stretch = f'<c:time-range start="{first:%Y%m%dT%H%M%SZ}" end="{last:%Y%m%dT%H%M%SZ}"/>'
    query = (
        f"<c:calendar-query {_NAMES}><d:prop><c:calendar-data/></d:prop>"
        f'<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">{stretch}</c:comp-filter></c:comp-filter></c:filter>'
        "</c:calendar-query>"
    )
    answer = _ask(address, "REPORT", query, credentials, depth="1")
    parts = [(response.findtext(f".//{_CALDAV}calendar-data") or "").strip() for response in _responses(answer)]
    return "\r\n".join(part for part in parts if part).encode(), all(parts)


def _propfind(properties: str) -> str:
    return f"<d:propfind {_NAMES}><d:prop>{properties}</d:prop></d:propfind>"


def _ask(address: str, method: str, query: str, credentials: Credentials, *, depth: str) -> Fetched:
    body = f'<?xml version="1.0" encoding="utf-8"?>{query}'.encode()
    headers = {"Depth": depth, "Content-Type": "application/xml; charset=utf-8"}
    return fetch(target_of(address), method=method, body=body, headers=headers, credentials=credentials)


def _responses(answer: Fetched) -> Iterator[Element]:
    try:
        tree = ElementTree.fromstring(answer.content)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise FetchFailed("not_caldav") from error
    if tree.tag != f"{_DAV}multistatus":
        raise FetchFailed("not_caldav")
    return tree.iter(f"{_DAV}response")


def _link(address: str, asked: str, name: str, credentials: Credentials) -> str:
    """The address that a property of another one holds. A server may keep somebody's calendars on another machine; the password goes
    there too, as the server says."""
    answer = _ask(address, "PROPFIND", _propfind(asked), credentials, depth="0")
    for response in _responses(answer):
        found = _text(response, f".//{name}/{_DAV}href")
        if found:
            return urljoin(address, found)
    raise FetchFailed("not_caldav")


def _text(element: Element, path: str) -> str:
    found = element.find(path)
    return (found.text or "").strip() if found is not None else ""
