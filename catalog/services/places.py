"""Where a location is on the map, by its words, from a small gazetteer in memory; `catalog/reference/NOTICE.md` says where that is from."""

from __future__ import annotations

import dataclasses
import functools
import gzip
import math
import re
import unicodedata
from collections import defaultdict
from pathlib import Path

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
_EARTH_RADIUS_KM = 6371.0088
_LETTERS_WITHOUT_PARTS = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe"})


@dataclasses.dataclass(frozen=True)
class Point:
    """Degrees north and east."""

    latitude: float
    longitude: float

    def kilometres_to(self, other: Point) -> float:
        """Along the great circle, by the haversine formula."""
        north, east = (math.radians(getattr(other, name) - getattr(self, name)) for name in ("latitude", "longitude"))
        chord = math.sin(north / 2) ** 2 + math.cos(math.radians(self.latitude)) * math.cos(math.radians(other.latitude)) * (
            math.sin(east / 2) ** 2
        )
        return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))


@dataclasses.dataclass(frozen=True)
class _City:
    country: str
    state: str
    point: Point


def point_of(location: str) -> Point | None:
    """Where "Berlin, Germany", "New York, NY, U.S.A." or "Kraków" is. Of several cities of a name it is the one whose country or state is
    named too, or else the largest. None for what names no city, such as "Online"."""
    parts = [part for part in (_plain(part) for part in re.split(r"[,;/()|]", location[:300])) if part]
    for index, part in enumerate(parts):
        cities = _cities().get(part)
        if cities:
            named = {code for other in (*parts[:index], *parts[index + 1 :]) for code in _codes(other)}
            return max(enumerate(cities), key=lambda pair: (_agreement(pair[1], named), -pair[0]))[1].point
    return None


def _agreement(city: _City, named: set[str]) -> int:
    return (city.country in named) + 2 * (city.state in named if city.state else 0)


def _codes(part: str) -> set[str]:
    """The country codes and US states that a part of a location may mean. Two letters may be both."""
    codes = set(_countries().get(part, ()))
    return codes | {part.upper()} if len(part) == 2 else codes


def _plain(text: str) -> str:
    """Small Latin letters without accents."""
    split = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS_WITHOUT_PARTS))
    return " ".join("".join(letter for letter in split if not unicodedata.combining(letter)).split())


@functools.cache
def _cities() -> dict[str, list[_City]]:
    """Cities by name, the largest first."""
    found: dict[str, list[_City]] = defaultdict(list)
    with gzip.open(REFERENCE / "places.tsv.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("#"):
                names, country, state, latitude, longitude = line.rstrip("\n").split("\t")
                city = _City(country, state, Point(float(latitude), float(longitude)))
                for name in names.split("|"):
                    found[name].append(city)
    return dict(found)


@functools.cache
def _countries() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in (REFERENCE / "countries.tsv").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            code, names = line.split("\t")
            for name in names.split("|"):
                found[name] = (*found.get(name, ()), code)
    return found
