"""Explicit busy time: VFREEBUSY (RFC 5545, 3.6.4) and VAVAILABILITY (RFC 7953)."""

from __future__ import annotations

from collections.abc import Iterator

from mentors.providers.calendar_events import Context, EventReader, Span
from mentors.providers.calendar_lines import Component, Property


def free_busy_spans(component: Component, context: Context) -> set[Span]:
    """All periods of a VFREEBUSY that are not FREE."""
    found: set[Span] = set()
    for stated in component.all("FREEBUSY"):
        if stated.parameters.get("FBTYPE", "BUSY").upper() == "FREE" and stated.is_intact:
            continue
        for text in filter(None, (part.strip() for part in stated.value.split(","))):
            found |= _period_spans(component, stated, text, context)
    return found


def _period_spans(component: Component, stated: Property, text: str, context: Context) -> set[Span]:
    start, _, end = text.partition("/")
    begins = Property("DTSTART", {}, start, stated.line, stated.is_intact)
    ends = Property("DURATION" if "P" in end.upper() else "DTEND", {}, end, stated.line)
    return EventReader(Component("VEVENT", component.line, [begins, ends]), context).spans()


def availability_spans(component: Component, context: Context) -> set[Span]:
    """The time of a VAVAILABILITY outside its AVAILABLE parts. A part that cannot be read with certainty opens nothing."""
    if component.text("BUSYTYPE").upper() == "FREE" and not component.is_broken:
        return set()
    busy = _bounds(component, context)
    for part in component.children:
        if part.name == "AVAILABLE":
            trial = context.emptied()
            opened = EventReader(part, trial).spans()
            context.problems |= trial.problems
            for span in () if trial.problems else opened:
                busy = {piece for each in busy for piece in _without(each, span)}
    return busy


def _bounds(component: Component, context: Context) -> set[Span]:
    """The time from its start to its end; unbounded on a side that is missing."""
    has_end = bool(component.all("DTEND") or component.all("DURATION"))
    if component.all("DTSTART") and has_end:
        return EventReader(component, context).spans()
    moment = EventReader(component, context).moment()
    start = moment.at(moment.wall) - moment.zone.early if moment is not None else context.first
    return {(start, context.last)}


def _without(span: Span, other: Span) -> Iterator[Span]:
    if span[0] < min(other[0], span[1]):
        yield span[0], min(other[0], span[1])
    if max(other[1], span[0]) < span[1]:
        yield max(other[1], span[0]), span[1]
