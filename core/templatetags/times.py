"""Instants as people read them: on the clock of a zone, which is named, and for machines beside it."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

from babel import dates
from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from core.wall_time import as_text

register = template.Library()


@register.simple_tag
def moment(instant: datetime.datetime | None, zone: str) -> SafeString | str:
    """ "Tuesday, June 1, 2027, 10:00, Berlin time"; nothing for no instant."""
    return _marked(instant, f"{day_of(instant, zone)}, {clock_of(instant, zone)}, {zone_words(zone)}") if instant else ""


@register.simple_tag
def span(start: datetime.datetime, end: datetime.datetime, zone: str) -> SafeString:
    """ "Tuesday, June 1, 2027, 10:00 to 11:00, Berlin time"; with both days where it goes over midnight."""
    last_day = "" if day_of(start, zone) == day_of(end, zone) else f"{day_of(end, zone)}, "
    words = f"{day_of(start, zone)}, {clock_of(start, zone)} to {last_day}{clock_of(end, zone)}, {zone_words(zone)}"
    return _marked(start, words)


@register.simple_tag
def clock(instant: datetime.datetime, zone: str) -> SafeString:
    """ "10:00", where the day and the zone stand above it."""
    return _marked(instant, clock_of(instant, zone))


@register.simple_tag
def day(instant: datetime.datetime | datetime.date, zone: str = "UTC") -> str:
    """ "Tuesday, June 1, 2027" """
    return day_of(instant, zone)


def day_of(instant: datetime.datetime | datetime.date, zone: str) -> str:
    here = instant.astimezone(ZoneInfo(zone)).date() if isinstance(instant, datetime.datetime) else instant
    return dates.format_date(here, "full", locale=_locale())


def clock_of(instant: datetime.datetime, zone: str) -> str:
    return dates.format_time(instant.astimezone(ZoneInfo(zone)), "HH:mm", locale=_locale())


@register.filter
def zone_words(zone: str) -> str:
    """ "Berlin time" for Europe/Berlin."""
    if zone in ("UTC", "Etc/UTC"):
        return "UTC"
    return f"{dates.get_timezone_location(zone, locale=_locale(), return_city=True)} time"


def _marked(instant: datetime.datetime, words: str) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', as_text(instant), words)


def _locale() -> str:
    return (get_language() or "en").replace("-", "_")
