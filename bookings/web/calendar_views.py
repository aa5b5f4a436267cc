"""Time by day: a mentor's sessions, open hours and busy times on the clock of their own zone, and everybody's secret feed."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views import View

from accounts.models import User
from accounts.selectors import person_of
from bookings.selectors import sessions_between
from bookings.services.calendars import entries_of, summary_of
from core import strict
from core.pages import SignedInPage
from core.wall_time import instant_of
from mentors.selectors import kept_busy, open_hours
from mentors.services.links import feed_of, person_behind

_DAY = datetime.timedelta(days=1)
_VIEWS = {"agenda": "Agenda", "week": "Week", "month": "Month"}
_AGENDA_DAYS = 14
# What a calendar can be turned to: beyond it nothing can be booked, or was.
_REACH = datetime.timedelta(days=3660)


@dataclasses.dataclass(frozen=True, order=True)
class Entry:
    """Something on one day: `kind` is session, busy or open."""

    start: datetime.datetime
    end: datetime.datetime
    kind: str
    title: str
    path: str = ""


class CalendarFeed(View):
    """A person's sessions, holds and blocks for their own calendar program. The address is the key."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        person = person_behind(token)
        if person is None:
            raise Http404
        answer = HttpResponse(
            feed_of(person, described=entries_of(person, now=timezone.now())), content_type="text/calendar; charset=utf-8"
        )
        answer["Content-Disposition"] = 'attachment; filename="soosh.ics"'
        answer["Cache-Control"] = "private, max-age=300"
        answer["X-Robots-Tag"] = "noindex"
        return answer


class CalendarPage(SignedInPage):
    template, part = "bookings/calendar.html", "bookings/calendar_part.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        person = person_of(request)
        zone = ZoneInfo(person.time_zone)
        view = request.GET.get("view", "agenda")
        view = view if view in _VIEWS else "agenda"
        today = timezone.now().astimezone(zone).date()
        on = _date_of(request.GET.get("on", ""), today)
        first, last, before, after = _stretch(view, on)
        entries = list(_entries(person, first, last, zone))
        days = [(date, _of_day(entries, date, zone)) for date in _dates(first, last)]
        return self.show(
            request, days=days, view=view, views=_VIEWS.items(), on=on, today=today, before=before, after=after, zone=person.time_zone
        )


def _date_of(text: str, today: datetime.date) -> datetime.date:
    try:
        found = strict.parse_date(text)
    except strict.Malformed:
        return today
    return found if abs(found - today) < _REACH else today


def _stretch(view: str, on: datetime.date) -> tuple[datetime.date, datetime.date, datetime.date, datetime.date]:
    """The first and the last date that are shown, and a date of the stretch before and of that after."""
    if view == "agenda":
        days = datetime.timedelta(days=_AGENDA_DAYS)
        return on, on + days - _DAY, on - days, on + days
    if view == "week":
        first = on - on.weekday() * _DAY
        return first, first + 6 * _DAY, first - 7 * _DAY, first + 7 * _DAY
    first = on.replace(day=1)
    following = (first + 31 * _DAY).replace(day=1)
    last = following - _DAY
    return first - first.weekday() * _DAY, last + (6 - last.weekday()) * _DAY, (first - _DAY).replace(day=1), following


def _dates(first: datetime.date, last: datetime.date) -> Iterator[datetime.date]:
    return (first + number * _DAY for number in range((last - first).days + 1))


def _midnight(date: datetime.date, zone: ZoneInfo) -> datetime.datetime:
    return instant_of(datetime.datetime.combine(date, datetime.time()), zone)


def _entries(person: User, first: datetime.date, last: datetime.date, zone: ZoneInfo) -> Iterator[Entry]:
    start, end = _midnight(first, zone), _midnight(last + _DAY, zone)
    for booking in sessions_between(person, start, end):
        session = booking.session
        yield Entry(session.starts_at, session.ends_at, "session", summary_of(booking, person), f"/bookings/{booking.pk}")
    for busy in kept_busy(person, start, end):
        yield Entry(busy.during.lower, busy.during.upper, "busy", busy.title or busy.get_source_display())
    # The schedule may be in another zone, whose dates begin up to a day earlier or later.
    for span in open_hours(person, first - _DAY, last + _DAY):
        yield Entry(span.start, span.end, "open", "Open for bookings")


def _of_day(entries: list[Entry], date: datetime.date, zone: ZoneInfo) -> list[dict[str, Any]]:
    start, end = _midnight(date, zone), _midnight(date + _DAY, zone)
    found = [entry for entry in entries if entry.start < end and entry.end > start]
    return [
        {
            "entry": entry,
            "start": max(entry.start, start),
            "end": min(entry.end, end),
            "is_whole_day": entry.start <= start and entry.end >= end,
        }
        for entry in sorted(found)
    ]
