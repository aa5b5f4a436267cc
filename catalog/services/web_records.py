"""Records from RSS 2.0 and from lists of links in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, TextIO

import defusedxml.ElementTree

from catalog.errors import ImportFileUnreadable
from catalog.services.import_record import Record
from catalog.services.json_records import lines_of

_LINK = re.compile(r"^\s*[*+-]\s+\[(?P<title>(?:\\.|[^\]\\])+)\]\((?P<url>[^)\s]+)\)(?:\s+[-–—:]\s*(?P<about>.*))?")
_HEADING = re.compile(r"^#{2,6}\s+(?P<name>.+?)\s*#*$")
_ESCAPED = re.compile(r"\\(.)")


def rss_records(stream: IO[bytes]) -> Iterator[Record]:
    """A record for each item, with the texts of its children by tag."""
    try:
        yield from _rss_items(stream)
    except LookupError as error:
        raise ImportFileUnreadable("Line 1: the file names an encoding that is not known.") from error


def _rss_items(stream: IO[bytes]) -> Iterator[Record]:
    number = 0
    for _, element in defusedxml.ElementTree.iterparse(stream, events=("end",)):
        if element.tag != "item":
            continue
        number += 1
        yield Record(number, fields={"rss": True, **{child.tag: (child.text or "").strip() for child in element}})
        element.clear()


def markdown_records(text: TextIO) -> Iterator[Record]:
    """Each list entry that begins with a link to the web, with the heading above it."""
    heading = ""
    for number, line, refusal in lines_of(text):
        next_heading = _HEADING.match(line)
        link = _LINK.match(line)
        if refusal:
            yield Record(number, refusal=refusal)
        elif next_heading:
            heading = next_heading["name"]
        elif link and link["url"].startswith(("http://", "https://")):
            fields = {"link_title": _ESCAPED.sub(r"\1", link["title"]), "link_url": link["url"], "link_about": link["about"] or ""}
            yield Record(number, fields={**fields, "link_heading": heading})
