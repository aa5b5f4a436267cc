"""Events that share a UID: a series, changes of its occurrences, and unrelated events with the same UID."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

from mentors.providers.calendar_events import Context, EventReader, Shift, Span, is_busy, title_of, whole
from mentors.providers.calendar_lines import Component

Busy = tuple[datetime.datetime, datetime.datetime, str]


def series_spans(events: Sequence[Component], context: Context) -> set[Busy]:
    """Busy times of the events that share a UID."""
    changes = [event for event in events if event.all("RECURRENCE-ID")]
    masters = [event for event in events if not event.all("RECURRENCE-ID")]
    recurring = [event for event in masters if event.all("RRULE") or event.all("RDATE")] or masters
    found: set[Busy] = set()
    shifted: list[Component] = []
    for master in masters:
        # With several series it is unknown which one a change belongs to, so it removes no occurrence.
        own = changes if recurring == [master] else []
        reader = EventReader(master, context, [each for change in own for each in change.all("RECURRENCE-ID")])
        reader.shifts = [shift for change in own if (shift := _shift_of(change, reader))]
        shifted += [shift.event for shift in reader.shifts]
        found |= _titled(reader.spans() if is_busy(master) else (), master)
    for change in filter(is_busy, changes):
        found |= _titled(EventReader(change, context).spans(), change)
        if _is_of_all_later(change) and not any(change is each for each in shifted):
            context.report("unreadable_exception", change, change.all("RECURRENCE-ID")[0])
            found |= _titled([(min(start for start, _ in whole(change, context)), context.last)], change)
    return found


def _titled(spans: Iterable[Span], event: Component) -> set[Busy]:
    return {(start, end, title_of(event)) for start, end in spans}


def _is_of_all_later(change: Component) -> bool:
    return any(each.parameters.get("RANGE", "").upper() == "THISANDFUTURE" for each in change.all("RECURRENCE-ID"))


def _shift_of(change: Component, master: EventReader) -> Shift | None:
    """The shift of the occurrences after a change; None if it changes a single one."""
    start, moved = master.moment(), EventReader(change, master.context).moment()
    if not _is_of_all_later(change) or start is None or moved is None:
        return None
    stated = change.all("RECURRENCE-ID")[0]
    since = master.excluded(stated, stated.value, start)
    if since is None:
        return None
    return Shift(since, since.astimezone(start.zone.clock).replace(tzinfo=None), change)
