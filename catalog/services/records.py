"""Reads import files of any size in bounded memory. The form is recognised by the content, not by the name: JSON lines, a JSON array or
document, tables with commas, semicolons, tabs or bars, RSS, lists in Markdown, tar archives of JSON; plain or gzipped.

UTF-8 and UTF-16 are recognised; a table that is neither is read as Windows-1252. Each broken record is refused alone.
"""

from __future__ import annotations

import dataclasses
import gzip
import io
import itertools
import json
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, TextIO
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException

from catalog.errors import ImportFileUnreadable
from catalog.services.feed_shapes import feed_of
from catalog.services.import_record import MAX_LINE, Record
from catalog.services.json_records import document_records, line_records
from catalog.services.table_records import delimiter_of, table_records
from catalog.services.web_records import markdown_records, rss_records

# Longer than the longest line.
_HEAD_BYTES = MAX_LINE + 100_000
_ARRAY_OF_OBJECTS = re.compile(r'":\s*\[\s*\{')
_CHUNK_BYTES = 65_536
_READERS: Mapping[str, Callable[[TextIO], Iterator[Record]]] = {
    "document": document_records,
    "markdown": markdown_records,
    "lines": line_records,
    "table": table_records,
}
# The least share of zero bytes, at even or odd positions, of a text in UTF-16.
_LEAST_ZEROS = 0.3
_MEMBER_BYTES = 20_000_000


@dataclasses.dataclass(frozen=True)
class _Form:
    encoding: str
    kind: str


def read_records(path: Path) -> Iterator[Record]:
    """Every record of the file in order.

    Raises:
        ImportFileUnreadable: the file cannot be opened, holds no rows, is not of a known form, or ends or breaks early; with the line.
    """
    try:
        with open(path, "rb") as raw:
            head = _head_of(_unzipped(raw))
        with open(path, "rb") as raw:
            for record in _records(head, _unzipped(raw)):
                yield dataclasses.replace(record, position=raw.tell())
    except (OSError, EOFError, UnicodeError, zlib.error, tarfile.TarError, ParseError, DefusedXmlException) as error:
        raise ImportFileUnreadable(f"{path.name}: the file is broken or ends early ({type(error).__name__}).") from error


def _head_of(stream: IO[bytes]) -> bytes:
    """The beginning of the text, even if the file breaks off later."""
    head = b""
    try:
        while len(head) < _HEAD_BYTES and (part := stream.read(_CHUNK_BYTES)):
            head += part
    except (EOFError, zlib.error):
        if not head:
            raise
    return head


def _unzipped(raw: IO[bytes]) -> Any:
    is_zipped = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    return io.BufferedReader(gzip.GzipFile(fileobj=raw)) if is_zipped else raw


def _records(head: bytes, stream: io.BufferedReader) -> Iterator[Record]:
    if not head.strip():
        raise ImportFileUnreadable("The file is empty.")
    if head[257:262] == b"ustar":
        return _archive_records(stream)
    form = _form_of(head)
    records = _not_empty(_records_of(form, stream))
    return _with_note(records, "Read as Windows-1252.") if form.encoding == "cp1252" else records


def _not_empty(records: Iterator[Record]) -> Iterator[Record]:
    first = next(records, None)
    if first is None:
        raise ImportFileUnreadable("The file has no rows.")
    return itertools.chain([first], records)


def _with_note(records: Iterator[Record], note: str) -> Iterator[Record]:
    yield dataclasses.replace(next(records), note=note)
    yield from records


def _records_of(form: _Form, stream: io.BufferedReader) -> Iterator[Record]:
    if form.kind == "rss":
        return rss_records(stream)
    return _text_records(form, stream)


def _text_records(form: _Form, stream: io.BufferedReader) -> Iterator[Record]:
    text = io.TextIOWrapper(stream, encoding=form.encoding, errors="surrogateescape", newline=None)
    try:
        yield from _READERS[form.kind](text)
    finally:
        # Whoever opened the file closes it.
        text.detach()


def _form_of(head: bytes) -> _Form:
    encoding = _unicode_of(head)
    start = head.decode(encoding or "cp1252", errors="replace").lstrip("\ufeff \t\r\n")
    if start[:1] in ("{", "["):
        return _Form(encoding or "utf-8", "document" if _is_document(start) else "lines")
    lower = start[:1_000].lower()
    if lower.startswith(("<!doctype html", "<html", "<head")):
        raise ImportFileUnreadable("Line 1, column 1: this is a web page, perhaps a sign-in page, not data.")
    if lower.startswith("<"):
        if "<rss" not in lower:
            raise ImportFileUnreadable("Line 1, column 1: of XML, only RSS 2.0 can be read.")
        return _Form("utf-8", "rss")
    if "\n* [" in start or "\n- [" in start:
        return _Form(encoding or "utf-8", "markdown")
    if not delimiter_of(start.splitlines()[0]):
        raise ImportFileUnreadable("Line 1: this is neither JSON nor a table with commas, semicolons, tabs or bars.")
    return _Form(encoding or "cp1252", "table")


def _unicode_of(head: bytes) -> str:
    """The Unicode encoding of the text; "" if it has none."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    first, second = (head[offset:400:2].count(0) for offset in (0, 1))
    if max(first, second) > _LEAST_ZEROS * min(len(head), 400):
        return "utf-16-be" if first > second else "utf-16-le"
    # The head may end within a character. Where some lines are UTF-8 beyond ASCII, those that are not are refused alone.
    lines = head[: _HEAD_BYTES - 4].splitlines()
    is_other = any(not _is_utf8(line) for line in lines) and not any(_is_utf8(line) for line in lines if not line.isascii())
    return "" if is_other else "utf-8-sig"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_document(start: str) -> bool:
    """Whether JSON is one document over several lines, and not an object in each line."""
    lines = (line for line in start.split("\n") if line.strip())
    first, second = next(lines), next(lines, "")
    if first.strip() == "[":
        return True
    value = _parsed(first)
    if value is None:
        return _looks_like_document(first) if not second else not isinstance(_parsed(second), dict)
    if second:
        return False
    return isinstance(value, list) or any(_is_list_of_records(each) for each in value.values())


def _looks_like_document(first: str) -> bool:
    """Like `_is_document`, for a first line that is cut off or too long to be parsed."""
    return first.startswith("[") or bool(_ARRAY_OF_OBJECTS.search(first, 0, 10_000))


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _is_list_of_records(value: Any) -> bool:
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return False
    return "source" in value[0] or feed_of(value[0]) is not None


def _archive_records(stream: IO[bytes]) -> Iterator[Record]:
    """The records of every JSON file in a tar archive, one file after the other. Lines are those of the file."""
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            if not member.isfile() or not member.name.endswith(".json"):
                continue
            if member.size > _MEMBER_BYTES:
                yield Record(0, refusal=f"{member.name[:200]}: the file is larger than {_MEMBER_BYTES:,} bytes.")
                continue
            content = archive.extractfile(member)
            assert content is not None
            yield from _member_records(member.name, content.read().decode("utf-8-sig", errors="surrogateescape"))


def _member_records(name: str, text: str) -> Iterator[Record]:
    try:
        for record in document_records(io.StringIO(text)):
            yield dataclasses.replace(record, refusal=f"{name[-200:]}: {record.refusal}" if record.refusal else "")
    except ImportFileUnreadable as error:
        yield Record(0, refusal=f"{name[-200:]}: {error.detail}")
