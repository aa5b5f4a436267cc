"""Which time zone a name in an iCalendar file means. The file's own definition (VTIMEZONE) decides; without one the name is looked up among
IANA's, Windows' (by CLDR's table) and the spellings that calendar programs are known for. A name that nobody knows is no zone: times in
it are as wide as all zones of the world together.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import io
import re
from collections.abc import Iterable, Sequence
from importlib import resources
from zoneinfo import ZoneInfo

from mentors.providers.calendar_lines import Component

_HOUR = datetime.timedelta(hours=1)
_NONE = datetime.timedelta()
# The smallest and the largest offset from UTC in the world.
FURTHEST_WEST, FURTHEST_EAST = 12 * _HOUR, 14 * _HOUR
_OFFSET = re.compile(r"(?:UTC|GMT|Z)?\s*([+-])\s*(\d{1,2})(?:[:.]?(\d\d))?", re.IGNORECASE)
_DISPLAY = re.compile(r"\((?:UTC|GMT)\s*([+-]\d{1,2}[:.]?\d\d)?\)\s*(.*)", re.IGNORECASE)
_COLLOQUIAL = re.compile(r"(.+?) (?:daylight |summer )?time(?: \((.+)\))?", re.IGNORECASE)
_STATED_OFFSET = re.compile(r"\s*([+-])(\d\d)(\d\d)(\d\d)?\s*")
_FIRST_SAMPLE = datetime.datetime.combine(datetime.date(2024, 1, 1), datetime.time())
_STATED_ONSET = re.compile(r"\s*(\d{4})(\d{4})T(\d{6})Z?\s*")
_SAMPLES = tuple(_FIRST_SAMPLE + number * datetime.timedelta(days=10) for number in range(365))
# Names that Windows displays, and the ones that its table of zones uses.
_COLLOQUIAL_NAMES = {"alaska": "alaskan", "hawaii": "hawaiian", "indian": "india", "central european": "central europe"}


@dataclasses.dataclass(frozen=True)
class Zone:
    """A time zone. The true instant may be up to `early` earlier and `late` later; both are zero for a known zone."""

    clock: datetime.tzinfo
    early: datetime.timedelta = _NONE
    late: datetime.timedelta = _NONE

    @property
    def is_certain(self) -> bool:
        return not self.early and not self.late


UNKNOWN = Zone(datetime.UTC, early=FURTHEST_EAST, late=FURTHEST_WEST)


class Zones:
    """The zones of one calendar."""

    def __init__(self, definitions: Iterable[Component]) -> None:
        self._definitions: dict[str, list[Component]] = {}
        for definition in definitions:
            self._definitions.setdefault(_key(definition.text("TZID")), []).append(definition)
        self._zones: dict[str, Zone] = {}

    def find(self, name: str) -> Zone:
        """The zone of this name, or `UNKNOWN`."""
        key = _key(name)
        if key not in self._zones:
            self._zones[key] = self._found(key)
        return self._zones[key]

    def _found(self, key: str) -> Zone:
        known = known_zone(key)
        if key not in self._definitions:
            return known or UNKNOWN
        clocks = [_clock_of(definition) for definition in self._definitions[key]]
        if None in clocks or any(not _is_same(clock, clocks[0]) for clock in clocks[1:]):
            is_plausible = known is not None and all(_offsets_agree(each, known.clock) for each in self._definitions[key])
            return known if known is not None and is_plausible else UNKNOWN
        clock = clocks[0]
        assert clock is not None  # checked above
        if known is None or not known.is_certain:
            return Zone(clock)
        is_excerpt = all(_is_excerpt(each, known.clock) for each in self._definitions[key])
        return known if is_excerpt or _is_same(clock, known.clock) else Zone(clock)


def known_zone(name: str) -> Zone | None:
    """The zone of a name without a definition in the file."""
    key = _key(name)
    zone = _named(key)
    if zone is not None:
        return Zone(zone)
    if match := _OFFSET.fullmatch(key):
        offset = _offset_of(match.group(1), match.group(2), match.group(3) or "0")
        return Zone(datetime.timezone(offset)) if -FURTHEST_WEST <= offset <= FURTHEST_EAST else None
    if match := _DISPLAY.fullmatch(key):
        return _displayed(match.group(1) or "+00:00", match.group(2))
    return None


def _key(name: str) -> str:
    """A key equal for all spellings of a name: without quotes and escapes, in lower case."""
    return " ".join(name.replace("\\", "").replace('"', "").split()).casefold()


def _named(key: str) -> ZoneInfo | None:
    """A zone by its IANA or Windows name, with prefixes of calendar programs (`/mozilla.org/20070129_1/`) removed."""
    parts = [part for part in key.replace(" ", "_").split("/") if part]
    for number in range(min(len(parts), 3), 0, -1):
        if (found := _iana_names().get("/".join(parts[-number:]))) is not None:
            return ZoneInfo(found)
    if (windows := _windows_names().get(key)) is not None:
        return ZoneInfo(windows)
    if match := _COLLOQUIAL.fullmatch(key):
        region = _COLLOQUIAL_NAMES.get(match.group(1), match.group(1))
        for name in (f"{region} standard time ({match.group(2)})", f"{region} standard time"):
            if name in _windows_names():
                return ZoneInfo(_windows_names()[name])
    return None


def _displayed(stated: str, words: str) -> Zone | None:
    """A zone by its Windows display name: `(UTC+01:00) Amsterdam, Berlin`. A city decides if its standard offset matches."""
    match = _OFFSET.fullmatch(stated)
    if match is None:
        return None
    offset = _offset_of(match.group(1), match.group(2), match.group(3) or "0")
    if words in ("", "coordinated universal time"):
        return Zone(datetime.timezone(offset))
    for part in (words, *re.split(r"[,;&]", words)):
        zone = _cities().get(part.strip().replace(" ", "_")) or _named(part.strip())
        if zone is not None and _standard_offset(zone) == offset:
            return Zone(zone)
    return Zone(datetime.timezone(offset), early=_HOUR)


def _offset_of(sign: str, hours: str, minutes: str) -> datetime.timedelta:
    return (-1 if sign == "-" else 1) * datetime.timedelta(hours=int(hours), minutes=int(minutes))


def _standard_offset(zone: datetime.tzinfo) -> datetime.timedelta:
    return min(_offset_at(zone, wall) for wall in _SAMPLES)


def _offset_at(clock: datetime.tzinfo, wall: datetime.datetime) -> datetime.timedelta:
    return wall.replace(tzinfo=clock).utcoffset() or _NONE


def _is_same(clock: datetime.tzinfo | None, other: datetime.tzinfo | None) -> bool:
    """Whether two zones agree in the years that matter."""
    if clock is None or other is None:
        return clock is other
    return all(_offset_at(clock, wall) == _offset_at(other, wall) for wall in _SAMPLES)


def _clock_of(definition: Component) -> datetime.tzinfo | None:
    """The zone that a VTIMEZONE defines; None if a part of it cannot be read."""
    from dateutil import tz

    observances = [each for each in definition.children if each.name in ("STANDARD", "DAYLIGHT")]
    if not observances or definition.is_broken or any(each.is_broken for each in definition.children):
        return None
    lines = [line for each in observances for line in _observance_lines(each)]
    text = "\n".join(("BEGIN:VTIMEZONE", "TZID:defined", *lines, "END:VTIMEZONE"))
    try:
        clock = tz.tzical(io.StringIO(text)).get("defined")
        _is_same(clock, clock)  # raises if a rule cannot be followed
    except Exception:
        return None
    return clock


def _observance_lines(observance: Component) -> Sequence[str]:
    """The lines of a STANDARD or DAYLIGHT, as `dateutil` reads them.

    Rules that begin long before anybody's events (1601 in files of Exchange) are followed from 1970 on only.
    """
    lines = [f"BEGIN:{observance.name}"]
    rules = observance.all("RRULE")
    is_yearly = all("BYMONTH=" in rule.value.upper() and "COUNT=" not in rule.value.upper() for rule in rules)
    for each in observance.properties:
        if not each.is_intact:
            return [*lines, "INVALID"]
        if each.name == "DTSTART":
            onset = _STATED_ONSET.fullmatch(each.value)
            is_ancient = onset is not None and int(onset.group(1)) < 1970
            value = f"19700101T{onset.group(3)}" if onset and is_ancient and is_yearly else each.value.strip().removesuffix("Z")
            lines.append(f"DTSTART:{value}")
        elif each.name in ("RRULE", "RDATE", "TZOFFSETFROM", "TZOFFSETTO"):
            lines.append(f"{each.name}:{each.value.strip().strip(';').upper()}")
    return [*lines, f"END:{observance.name}"]


def _is_excerpt(definition: Component, clock: datetime.tzinfo) -> bool:
    """Whether a definition lists single changes of offset instead of a rule, so that it is valid only as far as the list."""
    onsets = {each.text("TZOFFSETTO") for each in definition.children}
    return (
        len(onsets) > 1 and not any(each.all("RRULE") for each in definition.children) and _offsets_agree(definition, clock, "TZOFFSETTO")
    )


def _offsets_agree(definition: Component, clock: datetime.tzinfo, name: str = "TZOFFSET") -> bool:
    """Whether the offsets of a definition are those of a zone."""
    offsets = {_offset_at(clock, wall) for wall in _SAMPLES}
    stated = [each.value for part in (definition, *definition.children) for each in part.properties if each.name.startswith(name)]
    matches = [_STATED_OFFSET.fullmatch(value) for value in stated]
    return bool(matches) and all(match is not None and _offset_of(*match.groups()[:3]) in offsets for match in matches)


@functools.cache
def _iana_names() -> dict[str, str]:
    names = resources.files("tzdata").joinpath("zones").read_text().split()
    return {name.casefold(): name for name in names if name != "Factory"} | {"z": "UTC"}


@functools.cache
def _windows_names() -> dict[str, str]:
    from tzlocal.windows_tz import win_tz

    return {name.casefold(): zone for name, zone in win_tz.items()}


@functools.cache
def _cities() -> dict[str, ZoneInfo]:
    """Zones by the city in their name."""
    return {key.rpartition("/")[2]: ZoneInfo(name) for key, name in _iana_names().items() if key.count("/") == 1 and "etc/" not in key}
