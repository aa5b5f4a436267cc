"""Mappings of published feeds: one declaration for each, from the names of its fields to those of an opportunity."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

Fields = Mapping[str, Any]
Read = str | Callable[[Fields], Any]


@dataclasses.dataclass(frozen=True)
class Feed:
    """A feed, recognised by field names that all its records have (`marks`).

    `reads` maps each of our fields to a field of the record or to a function of it; `fixed` are values that all records share.
    """

    marks: frozenset[str]
    fixed: Mapping[str, Any]
    reads: Mapping[str, Read]

    def convert(self, fields: Fields) -> dict[str, Any]:
        values = {name: fields.get(read) if isinstance(read, str) else read(fields) for name, read in self.reads.items()}
        return {**self.fixed, **values}


def feed_of(fields: Fields) -> Feed | None:
    """The feed that a record comes from, by the names of its fields."""
    return next((feed for feed in FEEDS if feed.marks <= fields.keys()), None)


def _day(name: str) -> Callable[[Fields], Any]:
    """The day of an instant."""
    return lambda fields: str(fields.get(name) or "")[:10]


def _joined(*names: str, by: str = ", ") -> Callable[[Fields], str]:
    return lambda fields: by.join(str(fields[name]) for name in names if fields.get(name))


def _digest(*names: str) -> Callable[[Fields], str]:
    """An id for records that have none."""
    return lambda fields: hashlib.sha256("|".join(str(fields.get(name, "")) for name in names).encode("utf-8", "replace")).hexdigest()[:12]


def _day_of_hackathon(name: str) -> Callable[[Fields], Any]:
    """The ISO day of a text such as "February 5" or "5 February", in the year of the record unless it names one itself; the text itself if
    it is not a day."""

    def read(fields: Fields) -> Any:
        text = str(fields.get(name) or "").replace(",", " ")
        for words, form in ((f"{text} {fields.get('year')}", "%B %d %Y"), (f"{text} {fields.get('year')}", "%d %B %Y"), (text, "%d %B %Y")):
            with contextlib.suppress(ValueError):
                return datetime.datetime.strptime(" ".join(words.split()), form).date().isoformat()  # noqa: DTZ007  (a day has no zone)
        return fields.get(name)

    return read


def _title_of_rss(fields: Fields) -> str:
    return str(fields["title"]).rpartition(" — ")[0] or str(fields["title"])


FEEDS = (
    Feed(
        frozenset({"rss", "guid", "link", "title"}),
        {"source": "open-jobs-data", "kind": "job", "licence": "MIT"},
        {
            "source_id": lambda fields: str(fields["guid"]).rpartition(":")[2],
            "title": _title_of_rss,
            "organisation": lambda fields: str(fields["title"]).rpartition(" — ")[2],
            "url": "link",
            "location": lambda fields: ([*str(fields.get("description")).split(" · "), ""])[1],
        },
    ),
    Feed(
        frozenset({"jobId", "company", "applyUrl"}),
        {"source": "open-jobs-data", "kind": "job", "licence": "MIT"},
        {
            **{"source_id": "jobId", "title": "title", "organisation": "company", "url": "applyUrl", "is_remote": "isRemote"},
            "location": lambda fields: "; ".join(fields.get("locations") or []),
            "tags": lambda fields: [tag for tag in (fields.get("department"), fields.get("employmentType")) if tag],
            "starts_on": _day("postedAt"),
        },
    ),
    Feed(
        frozenset({"control_number", "position_title"}),
        {"source": "usajobs", "kind": "job", "licence": "US federal government work (public domain); compilation MIT"},
        {
            "source_id": "control_number",
            "title": "position_title",
            "organisation": _joined("department", "agency", "subagency", by=" / "),
            "url": "usajobs_url",
            "tags": lambda fields: [*(fields.get("occupation_series") or []), fields.get("appointment_type") or ""],
            "starts_on": _day("open_date"),
            "deadline_on": _day("close_date"),
        },
    ),
    Feed(
        frozenset({"issue_number", "program_name_full"}),
        {"source": "cncf-mentoring", "kind": "mentorship", "licence": "Apache-2.0", "is_remote": True},
        {
            **{"source_id": "issue_number", "title": "program_name_short", "description": "description", "url": "issue_url"},
            "organisation": "cncf_project",
        },
    ),
    Feed(
        frozenset({"title", "host", "year", "startDate"}),
        {"source": "hackalist", "kind": "hackathon", "licence": "MIT"},
        {
            **{"source_id": _digest("title", "year", "startDate"), "title": "title", "description": "notes", "url": "url"},
            **{"organisation": "host", "location": "city"},
            **{"starts_on": _day_of_hackathon("startDate"), "ends_on": _day_of_hackathon("endDate")},
        },
    ),
    Feed(
        frozenset({"name", "url", "startDate"}),
        {"source": "tech-conferences", "kind": "event", "licence": "MIT"},
        {
            **{"source_id": _digest("name", "url", "startDate"), "title": "name", "url": "url", "is_remote": "online"},
            "location": _joined("city", "country"),
            "starts_on": _day("startDate"),
            "ends_on": _day("endDate"),
            "deadline_on": _day("cfpEndDate"),
        },
    ),
    Feed(
        frozenset({"link_title", "link_url"}),
        {"source": "free-programming-books", "kind": "course", "licence": "CC-BY-4.0", "is_remote": True},
        {
            **{"source_id": _digest("link_url", "link_title", "link_heading"), "title": "link_title", "url": "link_url"},
            "organisation": lambda fields: str(fields.get("link_about"))[:300],
            "tags": lambda fields: [fields["link_heading"]] if fields.get("link_heading") else [],
        },
    ),
)
