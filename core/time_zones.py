"""Names of time zones: one spelling for each place, from the many that browsers, phones and operating systems send.

A stored zone is "UTC" or a name of the tz database's table by country (`zone.tab`), such as Europe/Berlin. Fixed offsets are no zones
here: they are wrong for half of each year in most places.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import Any

from babel.core import get_global
from django.core.exceptions import ValidationError
from rest_framework.fields import empty

from core import serializers

LONGEST_NAME = 64
_UTC_NAMES = frozenset({"Etc/UTC", "Etc/GMT", "Etc/UCT", "GMT", "UTC", "UCT", "Zulu"})
# Abbreviations say an offset, not a place: EST is no zone of New York in summer.
_ABBREVIATIONS = ("CET", "EET", "EST", "HST", "MET", "MST", "WET")
# The tz database keeps these four as zones of their own or as links, depending on how it was built.
_PLACES_OF_RULES = {
    "EST5EDT": "America/New_York",
    "CST6CDT": "America/Chicago",
    "MST7MDT": "America/Denver",
    "PST8PDT": "America/Los_Angeles",
}


@functools.cache
def place_names() -> tuple[str, ...]:
    """Every zone that a person can choose, in alphabetical order, "UTC" first."""
    table = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text()
    return ("UTC", *sorted(line.split("\t")[2] for line in table.splitlines() if line and not line.startswith("#")))


@functools.cache
def _links() -> dict[str, str]:
    """Old or other names, each with what it stands for: links of the tz database, CLDR's aliases, which keep to one country, and
    Windows' names by CLDR's table."""
    source = (resources.files("tzdata") / "zoneinfo" / "tzdata.zi").read_text()
    links = {alias: target for _, target, alias in (line.split() for line in source.splitlines() if line.startswith("L "))}
    return links | dict(get_global("zone_aliases")) | dict(get_global("windows_zone_mapping")) | _PLACES_OF_RULES


@functools.cache
def _spellings() -> dict[str, str]:
    """Every known name in lower case, with its canonical name."""
    places = frozenset(place_names())
    spellings = {}
    for name in {*_UTC_NAMES, *_links()}.difference(_ABBREVIATIONS):
        canonical = _follow(name, places)
        if canonical:
            spellings[name.lower()] = canonical
    return spellings | {name.lower(): name for name in places}


def _follow(name: str, places: frozenset[str]) -> str | None:
    visited: set[str] = set()
    while name not in places and name not in _UTC_NAMES:
        if name in visited or name not in _links():
            return None
        visited.add(name)
        name = _links()[name]
    return name if name in places else "UTC"


def canonical_zone(name: str) -> str | None:
    """The stored form of a zone's name, in whatever case and under whatever old, regional or Windows name; None for an unknown one."""
    return _spellings().get(name.strip().lower())


def detected_zone(name: object) -> str:
    """The zone that a device reports about itself, or "UTC" where it reports none that is known. Never raises: nobody chose it."""
    return (isinstance(name, str) and canonical_zone(name)) or "UTC"


def validate_time_zone(name: str) -> None:
    """Raises ValidationError unless the name is one of a known place."""
    if canonical_zone(name) is None:
        raise ValidationError("Choose a time zone by place, such as Europe/Berlin.", code="invalid_time_zone")


class TimeZoneField(serializers.CharField):
    """An IANA time zone by place. Old and Windows names are accepted and stored under the present one."""

    default_error_messages = {"invalid_time_zone": "Choose a time zone by place, such as Europe/Berlin."}  # noqa: RUF012

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGEST_NAME, **options)

    def to_internal_value(self, data: Any) -> str:
        canonical = canonical_zone(super().to_internal_value(data))
        if canonical is None:
            self.fail("invalid_time_zone")
        return canonical


class DetectedTimeZoneField(serializers.CharField):
    """The zone that a device reports about itself. An unknown one is no error and counts as UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_blank=True, allow_null=True, **options)

    def run_validation(self, data: Any = empty) -> Any:
        if data is empty:
            return super().run_validation(data)
        return detected_zone(data)
