"""Records in tables: a header, and a row for each record, with commas, semicolons, tabs or bars between the fields."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from typing import TextIO

from catalog.errors import ImportFileUnreadable
from catalog.services.import_record import MAX_LINE, Record
from catalog.services.json_records import lines_of

_DELIMITERS = (",", ";", "\t", "|")
_EXCEL_DELIMITER = re.compile(r"sep=.", re.IGNORECASE)


def delimiter_of(header: str) -> str:
    """The delimiter between the names of a header, outside quotation marks; "" if it has none of those known."""
    plain = "".join(part for number, part in enumerate(header.split('"')) if number % 2 == 0)
    counted = {delimiter: plain.count(delimiter) for delimiter in _DELIMITERS}
    best = max(counted, key=lambda delimiter: counted[delimiter])
    return best if counted[best] else ""


def table_records(text: TextIO) -> Iterator[Record]:
    csv.field_size_limit(MAX_LINE)
    lines = _Lines(text)
    header_line = _header_line(lines)
    delimiter = delimiter_of(header_line)
    if not delimiter:
        raise ImportFileUnreadable(f"Line {lines.number}: the header has no commas, semicolons, tabs or bars.")
    header = _header(next(csv.reader([header_line], delimiter=delimiter)))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        begin = lines.number + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(lines.number, refusal=_reason(error, begin, lines))
            lines.take_refusal()
            continue
        refusal = lines.take_refusal()
        if not refusal and row and len(row) != len(header):
            refusal = f"The row has {len(row)} fields, the header {len(header)}."
        if refusal:
            yield Record(lines.number, refusal=refusal)
        elif row:
            yield Record(lines.number, fields=dict(zip(header, row, strict=True)))


def _header_line(lines: _Lines) -> str:
    """The first line with something in it, after the `sep=;` with which Excel names its delimiter."""
    for line in lines:
        refusal = lines.take_refusal()
        if refusal:
            raise ImportFileUnreadable(f"Line {lines.number}: {refusal}")
        if line.strip() and not _EXCEL_DELIMITER.fullmatch(line.strip("\r\n")):
            return line
    return ""


def _header(names: list[str]) -> list[str]:
    """The column names without spaces around them, in lower case unless they are all capitals."""
    names = [name.strip().lstrip("\ufeff").strip() for name in names]
    lowered = [name if name.isupper() else name.lower() for name in names]
    twice = [name for name, number in Counter(lowered).items() if number > 1 and name]
    if twice:
        raise ImportFileUnreadable(f"Line 1: the column {twice[0]!r} is there twice.")
    return lowered


def _reason(error: csv.Error, begin: int, lines: _Lines) -> str:
    if "unexpected end of data" in str(error):
        return f"A quotation mark in the row that begins in line {begin} is never closed; everything after it was taken for one field."
    return f"Not a valid row (it begins in line {begin}): {error}."


class _Lines:
    """Feeds lines to the csv reader and remembers what was wrong with those that could not be read."""

    def __init__(self, text: TextIO) -> None:
        self._lines = lines_of(text)
        self._refusal = ""
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        self.number, line, refusal = next(self._lines)
        self._refusal = self._refusal or refusal
        # A placeholder makes the reader hand out a row for the refused line.
        return "refused\n" if refusal else line

    def take_refusal(self) -> str:
        refusal, self._refusal = self._refusal, ""
        return refusal
