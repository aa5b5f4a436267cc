"""Reads import files of any size in bounded memory: JSON lines or CSV, plain or gzipped. Each broken record is refused alone."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from catalog.errors import ImportFileUnreadable

# A line longer than this is refused, and skipped without being held in memory.
MAX_LINE_BYTES = 1_000_000
_SKIP_BYTES = 65_536


@dataclasses.dataclass(frozen=True)
class Record:
    """A record with the line on which it ends, or the reason why that line holds none. `position` counts bytes of the file."""

    line: int
    position: int
    fields: dict[str, Any] | None = None
    refusal: str = ""


def read_records(path: Path) -> Iterator[Record]:
    """Every record of the file in order.

    Raises:
        ImportFileUnreadable: the file cannot be opened, is not of a known form, or its compressed data ends or breaks early.
    """
    try:
        with open(path, "rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream: Any = gzip.GzipFile(fileobj=raw) if zipped else raw
            lines = _lines(stream, raw)
            yield from _csv_records(lines) if _is_csv(path) else _json_records(lines)
    except (OSError, EOFError, zlib.error) as error:
        raise ImportFileUnreadable(f"{path}: {error}") from error


def _is_csv(path: Path) -> bool:
    return ".csv" in path.suffixes


def _lines(stream: IO[bytes], raw: IO[bytes]) -> Iterator[tuple[int, int, bytes | None]]:
    """(line number, position, line); the line is None if it is too long."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        too_long = len(line) > MAX_LINE_BYTES
        while too_long and line and not line.endswith(b"\n"):
            line = stream.readline(_SKIP_BYTES)
        yield number, raw.tell(), None if too_long else line


def _decoded(line: bytes | None, number: int) -> tuple[str, str]:
    """(text, refusal)"""
    if line is None:
        return "", f"The line is longer than {MAX_LINE_BYTES:,} bytes."
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        return "", f"The line is not UTF-8: {error.reason} at byte {error.start}."
    if "\x00" in text:
        return "", "The line holds a NUL character."
    return text, ""


def _json_records(lines: Iterator[tuple[int, int, bytes | None]]) -> Iterator[Record]:
    for number, position, line in lines:
        text, refusal = _decoded(line, number)
        if refusal:
            yield Record(number, position, refusal=refusal)
        elif text.strip():
            yield _json_record(text, number, position)


def _json_record(text: str, number: int, position: int) -> Record:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Record(number, position, refusal=f"Not valid JSON: {str(error)[:200]}")
    if not isinstance(fields, dict):
        return Record(number, position, refusal="The line must be a JSON object.")
    if "\\u0000" in text or "\\ud" in text.lower():
        return _with_storable_text(fields, number, position)
    return Record(number, position, fields)


def _with_storable_text(fields: dict[str, Any], number: int, position: int) -> Record:
    try:
        plain = json.dumps(fields, ensure_ascii=False)
        plain.encode("utf-8")
    except UnicodeEncodeError:
        return Record(number, position, refusal="A text holds half a surrogate pair, which is no character.")
    if "\\u0000" in plain:
        return Record(number, position, refusal="A text holds a NUL character.")
    return Record(number, position, fields)


def _csv_records(lines: Iterator[tuple[int, int, bytes | None]]) -> Iterator[Record]:
    csv.field_size_limit(MAX_LINE_BYTES)
    state = _CsvLines(lines)
    reader = csv.reader(state)
    header = next(reader, None)
    if not header:
        return
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(state.number, state.position, refusal=f"Not valid CSV: {error}")
            continue
        refusal = state.take_refusal()
        if not refusal and row and len(row) != len(header):
            refusal = f"The row has {len(row)} fields, the header {len(header)}."
        if refusal:
            yield Record(state.number, state.position, refusal=refusal)
        elif row:
            yield Record(state.number, state.position, dict(zip(header, row, strict=True)))


class _CsvLines:
    """Feeds text lines to the csv reader and remembers what was wrong with those that could not be read."""

    def __init__(self, lines: Iterator[tuple[int, int, bytes | None]]) -> None:
        self._lines = lines
        self._refusal = ""
        self.number = 0
        self.position = 0

    def __iter__(self) -> _CsvLines:
        return self

    def __next__(self) -> str:
        self.number, self.position, line = next(self._lines)
        text, refusal = _decoded(line, self.number)
        self._refusal = self._refusal or refusal
        # A placeholder field makes the reader hand out a row for the refused line.
        return "refused\n" if refusal else text

    def take_refusal(self) -> str:
        refusal, self._refusal = self._refusal, ""
        return refusal
