"""The records that imports take: Soosh's own shape, and those in which the public taxonomies are published."""

from __future__ import annotations

import contextlib
import datetime
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

import pydantic
from django.utils.text import slugify
from pydantic import BeforeValidator, Field, StringConstraints

from catalog.enums import OpportunityKind
from catalog.services.documents import digest, skill_keys
from catalog.services.feed_shapes import feed_of
from catalog.services.records import read_records

# What converting a record raises where a field has another type than in its source.
MALFORMED_RECORD = (AttributeError, LookupError, TypeError, ValueError)
_MOST_TAGS = 50
_MOST_NAMES = 60
_MOST_UNREAD = 20
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]{4,15}(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?", re.IGNORECASE)


def _empty_as_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _list(value: Any) -> Any:
    # CSV carries lists as text with semicolons.
    if value is None:
        return []
    return [part.strip() for part in value.split(";") if part.strip()] if isinstance(value, str) else value


def _web_address(value: Any) -> Any:
    if not isinstance(value, str) or not value.strip():
        return ""
    address = value.strip()
    if not re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", address):
        address = f"https://{address}"
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", address):
        raise ValueError("not a web address")
    return address


def _text(longest: int) -> Any:
    return Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=longest), BeforeValidator(lambda value: "" if value is None else value)
    ]


def _day(value: Any) -> Any:
    """Accept ISO 8601 days only: 01/02/2027 may be two different days, and 44927 a day of a spreadsheet or a Unix time."""
    if value is None or isinstance(value, datetime.date):
        return value
    text = value.strip() if isinstance(value, str) else str(value)
    if not text:
        return None
    if not _ISO_DAY.fullmatch(text):
        raise ValueError("write the day as 2027-01-31 (ISO 8601)")
    return text[:10]


def _text_of_number(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


OptionalDate = Annotated[datetime.date | None, BeforeValidator(_day)]
OptionalBool = Annotated[bool | None, BeforeValidator(_empty_as_none)]
Names = Annotated[list[Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]], BeforeValidator(_list)]
Translations = dict[
    Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")],
    Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)],
]
Key = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300), BeforeValidator(_text_of_number)]
Source = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class _Record(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="ignore")

    def columns(self) -> dict[str, Any]:
        """The model's columns with their values."""
        return self.model_dump()


class OpportunityRecord(_Record):
    source: Source
    source_id: Key = Field(validation_alias=pydantic.AliasChoices("source_id", "id"))
    kind: OpportunityKind
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    description: _text(100_000) = ""  # type: ignore[valid-type]
    organisation: _text(300) = ""  # type: ignore[valid-type]
    location: _text(300) = ""  # type: ignore[valid-type]
    is_remote: OptionalBool = Field(default=None, validation_alias=pydantic.AliasChoices("is_remote", "remote"))
    url: Annotated[str, BeforeValidator(_web_address), StringConstraints(max_length=2000)] = ""
    language: _text(16) = ""  # type: ignore[valid-type]
    licence: _text(100) = ""  # type: ignore[valid-type]
    tags: Annotated[list[Annotated[str, StringConstraints(strip_whitespace=True, max_length=150)]], BeforeValidator(_list)] = []
    starts_on: OptionalDate = None
    ends_on: OptionalDate = None
    deadline_on: OptionalDate = Field(default=None, validation_alias=pydantic.AliasChoices("deadline_on", "deadline"))

    COLUMNS: ClassVar[tuple[str, ...]] = (
        *("kind", "title", "description", "organisation", "location", "is_remote", "url", "language", "licence", "tags"),
        *("starts_on", "ends_on", "deadline_on"),
    )

    @pydantic.model_validator(mode="after")
    def _dates_in_order(self) -> OpportunityRecord:
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValueError("ends_on is before starts_on")
        self.tags = list(dict.fromkeys(tag for tag in self.tags if tag))[:_MOST_TAGS]
        return self


class OpportunityReader:
    """Turns the records of a file into opportunities, by their own shape or by that of a known feed.

    `unread` collects the names of fields that were ignored, up to about 20.
    """

    _KNOWN = frozenset(
        name
        for field, info in OpportunityRecord.model_fields.items()
        for name in (field, *(getattr(info.validation_alias, "choices", None) or ()))
    )

    def __init__(self) -> None:
        self.unread: set[str] = set()

    def read(self, fields: dict[str, Any]) -> OpportunityRecord:
        """One opportunity. Raises pydantic.ValidationError for a record of another shape."""
        feed = None if "source" in fields else feed_of(fields)
        if feed is not None:
            return OpportunityRecord.model_validate(feed.convert(fields))
        if len(self.unread) < _MOST_UNREAD:
            self.unread |= {name[:60] for name in fields.keys() - self._KNOWN if name}
        return OpportunityRecord.model_validate(fields)


class CategoryRecord(_Record):
    source: Source = "soosh"
    source_id: Key
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=150)]
    slug: str = ""
    description: _text(2_000) = ""  # type: ignore[valid-type]
    translations: Translations = {}
    parent: str = ""

    def columns(self) -> dict[str, Any]:
        return {
            "source_id": self.source_id,
            "name": self.name,
            "slug": self.slug or slugify(self.name),
            "description": self.description,
            "translations": self.translations,
            "content_hash": digest(self.name, self.description),
        }


class SkillRecord(_Record):
    source: Source
    source_id: Key
    name: Key
    alternative_names: Names = []
    description: _text(20_000) = ""  # type: ignore[valid-type]
    translations: Translations = {}
    same_as: Names = []

    def columns(self) -> dict[str, Any]:
        names = list(dict.fromkeys(name for name in self.alternative_names if name and name != self.name))[:_MOST_NAMES]
        return self.model_dump() | {
            "alternative_names": names,
            "keys": skill_keys(self.name, names),
            "content_hash": digest(self.name),
        }


class OccupationRecord(_Record):
    """None in a field means that this record does not know it, and what is stored stays."""

    source: Source
    source_id: Key
    title: Key | None = None
    alternative_titles: Names | None = None
    skill_names: Names | None = None

    def columns(self) -> dict[str, Any]:
        return {name: value for name, value in self.model_dump().items() if value is not None}


TermRecord = CategoryRecord | SkillRecord | OccupationRecord


class TaxonomyReader:
    """Turns the records of one file into terms. The file's first record tells which shape it has.

    `is_partial` is true for a file that only completes terms of another one, so nothing may be retired after it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._convert: Callable[[dict[str, Any]], TermRecord] | None = None
        self.is_partial = False

    def read(self, fields: dict[str, Any]) -> TermRecord:
        """One term. Raises pydantic.ValidationError for a record that is not of the file's shape."""
        if self._convert is None:
            self._convert = self._shape_of(fields)
        return self._convert(fields)

    def _shape_of(self, fields: dict[str, Any]) -> Callable[[dict[str, Any]], TermRecord]:
        if "reported_titles" in fields:
            self.is_partial = True
            norms = OnetNorms(self._path)
            return lambda record: _onet_profile(record, norms)
        for key, convert in _SHAPES:
            if key in fields:
                return convert
        return _own_shape


def _own_shape(fields: dict[str, Any]) -> TermRecord:
    records: dict[Any, type[TermRecord]] = {"category": CategoryRecord, "skill": SkillRecord, "occupation": OccupationRecord}
    return records.get(fields.get("type"), SkillRecord).model_validate(fields)


def _github_topic(fields: dict[str, Any]) -> SkillRecord:
    return SkillRecord.model_validate(
        {
            "source": "github-topics",
            "source_id": fields.get("topic"),
            "name": fields.get("name"),
            "alternative_names": [fields.get("topic"), *(fields.get("aliases") or [])],
            "description": fields.get("short_description"),
        }
    )


def _esco_concept(fields: dict[str, Any]) -> TermRecord:
    names = [name for name in str(fields.get("ALTLABELS") or "").split("\n") if name]
    shared = {"source": "esco", "source_id": fields.get("ORIGINURI")}
    if "/occupation/" in str(fields.get("ORIGINURI")):
        return OccupationRecord.model_validate(shared | {"title": fields.get("PREFERREDLABEL"), "alternative_titles": names[:_MOST_NAMES]})
    own = {"name": fields.get("PREFERREDLABEL"), "alternative_names": names, "description": fields.get("DESCRIPTION")}
    return SkillRecord.model_validate(shared | {"source": "esco-groups"} | own)


def _esco_occupation(fields: dict[str, Any]) -> OccupationRecord:
    return OccupationRecord.model_validate(
        {
            "source": "esco-ict",
            "source_id": fields.get("uri"),
            "title": fields.get("label"),
            "alternative_titles": fields.get("altLabel"),
            "skill_names": [*(fields.get("skill") or []), *(fields.get("knowledge") or [])][:_MOST_NAMES],
        }
    )


def _onet_occupation(fields: dict[str, Any]) -> OccupationRecord:
    return OccupationRecord.model_validate({"source": "onet", "source_id": fields.get("code"), "title": fields.get("title")})


_SHAPES: tuple[tuple[str, Callable[[dict[str, Any]], TermRecord]], ...] = (
    ("topic", _github_topic),
    ("ORIGINURI", _esco_concept),
    ("altLabel", _esco_occupation),
    ("code", _onet_occupation),
)


class OnetNorms:
    """Mean and spread of the importance of each O*NET skill and field of knowledge over all occupations of a file."""

    _MOST_DISTINCTIVE = 6

    def __init__(self, path: Path) -> None:
        sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        for record in read_records(path):
            importances: list[tuple[str, float]] = []
            # A malformed record is refused when its turn comes.
            with contextlib.suppress(*MALFORMED_RECORD):
                importances = _importances(record.fields or {})
            for name, importance in importances:
                totals = sums[name]
                totals[0] += 1
                totals[1] += importance
                totals[2] += importance * importance
        self._mean = {name: total / count for name, (count, total, _) in sums.items()}
        self._spread = {
            name: max(0.0, squares / count - (total / count) ** 2) ** 0.5 + 0.01 for name, (count, total, squares) in sums.items()
        }

    def distinctive(self, ratings: dict[str, list[float]]) -> list[str]:
        """The names in which an occupation stands out, most so first."""

        def standing(name: str) -> float:
            importance = ratings[name][0]
            return (importance - self._mean[name]) / self._spread[name] + importance / 2

        return sorted(ratings, key=standing, reverse=True)[: self._MOST_DISTINCTIVE]


def _importances(fields: dict[str, Any]) -> list[tuple[str, float]]:
    ratings = [*(fields.get("skills") or {}).items(), *(fields.get("knowledge") or {}).items()]
    return [(name, float(rating[0])) for name, rating in ratings]


def _onet_profile(fields: dict[str, Any], norms: OnetNorms) -> OccupationRecord:
    skills = [*norms.distinctive(fields.get("knowledge") or {}), *norms.distinctive(fields.get("skills") or {})]
    technologies = list(dict.fromkeys(tool["category"] for tool in fields.get("technology") or []))[:12]
    return OccupationRecord.model_validate(
        {
            "source": "onet",
            "source_id": fields.get("code"),
            "alternative_titles": (fields.get("reported_titles") or [])[:10],
            "skill_names": [*skills, *technologies],
        }
    )
