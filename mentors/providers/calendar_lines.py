"""A tolerant reader of iCalendar text (RFC 5545, 3.1 and 3.4): bytes in, components with the properties that decide about busy time out.

Outside calendars are often malformed. A line that is not understood never hides the lines after it: structure is repaired towards more
events, and whatever was repaired is marked `is_broken`, so that the caller can report it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

TIME_PROPERTIES = frozenset({"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"})
_EVENT_PROPERTIES = TIME_PROPERTIES | {"STATUS", "TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS"}
_TEXT_PROPERTIES = frozenset({"UID", "SUMMARY", "CLASS", "SEQUENCE", "FBTYPE", "BUSYTYPE", "X-WR-TIMEZONE"})
_ZONE_PROPERTIES = frozenset({"TZID", "TZOFFSETFROM", "TZOFFSETTO"})
_RELEVANT = _EVENT_PROPERTIES | _TEXT_PROPERTIES | _ZONE_PROPERTIES | {"FREEBUSY"}
# These cannot be nested in one another.
_OUTER = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE", "VAVAILABILITY"})
_KNOWN = _OUTER | {"VALARM", "STANDARD", "DAYLIGHT", "AVAILABLE", "VLOCATION", "VRESOURCE", "PARTICIPANT"}
# Common properties that do not affect time.
_HARMLESS = frozenset(
    {
        *("ACTION", "ATTACH", "ATTENDEE", "CALSCALE", "CATEGORIES", "COLOR", "COMMENT", "COMPLETED", "CONFERENCE", "CONTACT"),
        *("CREATED", "DESCRIPTION", "DTSTAMP", "DUE", "GEO", "IMAGE", "LAST-MODIFIED", "LOCATION", "METHOD", "NAME", "ORGANIZER"),
        *("PERCENT-COMPLETE", "PRIORITY", "PRODID", "REFRESH-INTERVAL", "RELATED-TO", "REPEAT", "REQUEST-STATUS", "RESOURCES"),
        *("SOURCE", "TRIGGER", "TZNAME", "TZURL", "URL", "VERSION", "ACKNOWLEDGED", "PROXIMITY", "LINK", "REFID", "CONCEPT"),
        *("STYLED-DESCRIPTION", "STRUCTURED-DATA", "TZUNTIL", "TZID-ALIAS-OF", "LOCATION-TYPE", "PARTICIPANT-TYPE", "RESOURCE-TYPE"),
        *("CALENDAR-ADDRESS"),
    }
)
_NEWLINE = re.compile(rb"\r+\n|\r|\n")
_NAME = re.compile(r"\s*([A-Za-z0-9-]+)\s*(?=[;:])")
_WORD = re.compile(r"\s*([A-Za-z0-9-]+)")
_PARAMETER = re.compile(r';\s*([A-Za-z0-9-]+)\s*=\s*("[^"]*"|[^;"]*)')
_TIME_VALUE = re.compile(r"\s*[+-]?\d{4}-?\d\d-?\d\d(?:[\sT][\d:.,]*)?(?:Z|[+-]\d\d:?\d\d)?\s*(?:[,/].*)?$", re.IGNORECASE)


@dataclasses.dataclass
class Property:
    """A content line. `is_intact` is false if it was cut or has no value, so that its meaning is unknown."""

    name: str
    parameters: dict[str, str]
    value: str
    line: int
    is_intact: bool = True


@dataclasses.dataclass
class Component:
    """The content between BEGIN and END. `line` is that of BEGIN, counted from 1."""

    name: str
    line: int
    properties: list[Property] = dataclasses.field(default_factory=list)
    children: list[Component] = dataclasses.field(default_factory=list)
    is_broken: bool = False

    def all(self, name: str) -> list[Property]:
        return [each for each in self.properties if each.name == name]

    def text(self, name: str) -> str:
        """The value of the first property of this name; "" if there is none."""
        return next((each.value.strip() for each in self.properties if each.name == name), "")


@dataclasses.dataclass
class Document:
    """All calendars of a text. `strays` are lines outside of components; `is_cut` says that the text ends too early."""

    calendars: list[Component]
    strays: list[tuple[int, str]]
    is_cut: bool


def parse_calendars(content: bytes) -> Document:
    """Parse a text without ever refusing it. If it is not a calendar, the document has no calendars."""
    reader = _Reader()
    for line, text, is_folded in _logical_lines(content):
        reader.take(line, text, is_folded)
    return reader.finish()


def _logical_lines(content: bytes) -> Iterator[tuple[int, str, bool]]:
    """Unfolded lines with their number and whether they were folded. Unfolds bytes, because a fold may split a character."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        content = content.decode("utf-16", "replace").encode()
    parts: list[bytes] = []
    first = 0
    for number, line in enumerate(_NEWLINE.split(content.removeprefix(b"\xef\xbb\xbf").replace(b"\x00", b"")), 1):
        if not line:
            continue
        if parts and line[:1] in b" \t":
            parts.append(line[1:])
            continue
        if parts:
            yield first, _decoded(b"".join(parts)), len(parts) > 1
        parts, first = [line], number
    if parts:
        yield first, _decoded(b"".join(parts)), len(parts) > 1


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


class _Reader:
    """Builds the tree of components from lines, in whatever order they come."""

    def __init__(self) -> None:
        self.calendars: list[Component] = []
        self.strays: list[tuple[int, str]] = []
        self.stack: list[Component] = []
        self.last: Property | None = None
        self.latest: Component | None = None
        self.unfinished: Component | None = None
        self.is_cut = False

    def take(self, line: int, text: str, is_folded: bool) -> None:
        found = _property_of(line, text)
        if found is None or (found.name not in _RELEVANT and not _is_harmless(found.name)):
            self._stray(line, text, is_folded)
        elif found.name == "BEGIN":
            self._begin(found.value.strip().upper(), line)
        elif found.name == "END":
            self._end(found.value.strip().upper(), line)
        else:
            self.last = found
            if found.name in _RELEVANT:
                self._keep(found)

    def finish(self) -> Document:
        if self.stack:
            self.is_cut = True
            self._close(len(self.stack))
        return Document(self.calendars, self.strays, self.is_cut)

    def _keep(self, found: Property) -> None:
        if found.name == "X-WR-TIMEZONE" and self.calendars:
            self.calendars[-1].properties.append(found)
            return
        if len(self.stack) > 1 or (self.stack and found.name not in _EVENT_PROPERTIES):
            self.stack[-1].properties.append(found)
        elif found.name in _EVENT_PROPERTIES and self.latest is not None:
            # The property of an event that an END closed too early.
            self.latest.properties.append(found)
            self.latest.is_broken = True

    def _stray(self, line: int, text: str, is_folded: bool) -> None:
        if is_folded and self.last is not None:
            # The end of the property before may stand behind this line.
            self.last.is_intact = False
            self.last.value = "" if self.last.name == "RRULE" else self.last.value
        self.strays.append((line, text))
        name = "RRULE" if "FREQ=" in text.upper() else (word.group(1).upper() if (word := _WORD.match(text)) else "")
        if name in TIME_PROPERTIES | _ZONE_PROPERTIES | {"FREEBUSY"}:
            self._keep(Property(name, {}, text, line, is_intact=False))

    def _begin(self, name: str, line: int) -> None:
        if name == "VCALENDAR":
            self.is_cut = self.is_cut or bool(self.stack)
            inherited = [each for each in self.calendars[-1].children if each.name == "VTIMEZONE"] if self.stack else []
            self._close(len(self.stack))
            calendar = Component(name, line, children=list(inherited))
            self.calendars.append(calendar)
            self.stack = [calendar]
            return
        if name in _OUTER:
            self.unfinished = next((each for each in self.stack if each.name in _OUTER), None)
            self._close(sum(each.name != "VCALENDAR" for each in self.stack))
        parent = self.stack[-1] if self.stack else (self.calendars[-1] if self.calendars else None)
        found = Component(name, line)
        if parent is not None:
            parent.children.append(found)
        self.stack.append(found)
        if not self.calendars:
            self.strays.append((line, f"BEGIN:{name}"))

    def _end(self, name: str, line: int) -> None:
        names = [each.name for each in reversed(self.stack)]
        open_component = self.stack[-1] if self.stack else None
        is_expected = name in names and not (name == "VEVENT" and open_component is not None and not open_component.all("DTSTART"))
        if self.unfinished is not None and self.unfinished.name == name and open_component is not None and not is_expected:
            # The last BEGIN was superfluous: its properties belong to the component around it.
            self.stack.pop()
            self.unfinished.properties += open_component.properties
            if self.calendars and open_component in self.calendars[-1].children:
                self.calendars[-1].children.remove(open_component)
            self.unfinished = None
        elif name in names:
            self._close(names.index(name) + 1, is_last_broken=False)
        else:
            self.strays.append((line, f"END:{name}"))

    def _close(self, number: int, *, is_last_broken: bool = True) -> None:
        """Close the innermost components. One without its END is broken and passes its properties to the component around it."""
        for place in range(number):
            closed = self.stack.pop()
            closed.is_broken = closed.is_broken or (is_last_broken or place < number - 1)
            if closed.is_broken and closed.name not in _OUTER | {"VCALENDAR"} and self.stack and self.stack[-1].name != "VCALENDAR":
                self.stack[-1].properties += closed.properties
                self.stack[-1].is_broken = True
            if closed.name == "VEVENT" or closed.name not in _KNOWN | {"VCALENDAR"}:
                self.latest = closed
        self.last = None


def _is_harmless(name: str) -> bool:
    return name in _HARMLESS or name in ("BEGIN", "END") or name.startswith("X-")


def _property_of(line: int, text: str) -> Property | None:
    """Parse a content line; None if it has no name or no colon."""
    match = _NAME.match(text)
    if match is None:
        return None
    name = match.group(1).upper()
    if name not in _RELEVANT and name not in ("BEGIN", "END"):
        return Property(name, {}, "", line) if ":" in text else None
    colons = list(_colons(text, match.end()))
    if not colons:
        return None
    colon = colons[0]
    if name in TIME_PROPERTIES:
        # Zone names may contain colons; the right one is followed by a time.
        colon = next((place for place in colons if _TIME_VALUE.match(text[place + 1 :])), colon)
    stated = [(key.upper(), value.strip().strip('"')) for key, value in _PARAMETER.findall(text[match.end() : colon])]
    # Of two zones nobody can tell which one is meant.
    has_one_zone = len({value for key, value in stated if key == "TZID"}) < 2
    return Property(name, dict(stated), text[colon + 1 :], line, is_intact=has_one_zone)


def _colons(text: str, start: int) -> Iterator[int]:
    """Positions of the colons outside quotes."""
    is_quoted = False
    for place in range(start, len(text)):
        if text[place] == '"':
            is_quoted = not is_quoted
        elif text[place] == ":" and not is_quoted:
            yield place
