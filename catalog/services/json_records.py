"""Records in JSON: an object a line, or objects in an array, at the top or one level below it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO

from catalog.errors import ImportFileUnreadable
from catalog.services.import_record import MAX_LINE, Record, object_record, refusal_of_text

_CHUNK = 65_536
_SPACES = " \t\r\n"
# Python refuses to read such numbers, with an error that is not one of JSON.
_TOO_MANY_DIGITS = "a number has too many digits"


def lines_of(text: TextIO) -> Iterator[tuple[int, str, str]]:
    """(line number, line, refusal); a line that is too long is skipped without being held in memory."""
    number = 0
    while line := text.readline(MAX_LINE + 1):
        number += 1
        is_too_long = len(line) > MAX_LINE
        while is_too_long and line and not line.endswith("\n"):
            line = text.readline(_CHUNK)
        refusal = f"The line is longer than {MAX_LINE:,} characters." if is_too_long else refusal_of_text(line)
        yield number, "" if refusal else line.lstrip("\ufeff"), refusal


def line_records(text: TextIO) -> Iterator[Record]:
    for number, line, refusal in lines_of(text):
        if refusal:
            yield Record(number, refusal=refusal)
        elif line.strip():
            try:
                value = json.loads(line)
            except json.JSONDecodeError as error:
                yield Record(number, refusal=f"Column {error.colno}: not valid JSON: {error.msg}.")
            except RecursionError:
                yield Record(number, refusal="Not valid JSON: nested too deeply.")
            except ValueError:
                yield Record(number, refusal=f"Not valid JSON: {_TOO_MANY_DIGITS}.")
            else:
                yield object_record(value, line, number)


def document_records(text: TextIO) -> Iterator[Record]:
    """The objects of an array, of every array that is a member of an object, or the object itself where it has none."""
    scanner = _Scanner(text)
    if scanner.next_is("["):
        yield from _elements(scanner)
        scanner.end()
        return
    scanner.take("{")
    members: dict[str, Any] = {}
    has_array = False
    while not scanner.next_is("}"):
        name, _ = scanner.value()
        scanner.take(":")
        if scanner.next_is("["):
            has_array = True
            yield from _elements(scanner)
        else:
            members[str(name)] = scanner.value()[0]
        if not scanner.next_is("}"):
            scanner.take(",")
    scanner.take("}")
    scanner.end()
    if not has_array:
        yield object_record(members, json.dumps(members), scanner.line)


def _elements(scanner: _Scanner) -> Iterator[Record]:
    scanner.take("[")
    while not scanner.next_is("]"):
        value, source = scanner.value()
        refusal = refusal_of_text(source)
        yield Record(scanner.line, refusal=refusal) if refusal else object_record(value, source, scanner.line)
        if not scanner.next_is("]"):
            scanner.take(",")
    scanner.take("]")


class _Scanner:
    """Takes values from a JSON text of any length while it holds no more than one of them."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._decoder = json.JSONDecoder()
        self._buffer = ""
        self.line = 1

    def next_is(self, character: str) -> bool:
        """Whether this character comes next. Does not take it."""
        while True:
            rest = self._buffer.lstrip(_SPACES + "\ufeff")
            self._drop(len(self._buffer) - len(rest))
            if rest:
                return rest[0] == character
            if not self._fill():
                raise self._broken("the file ends too early")

    def take(self, character: str) -> None:
        if not self.next_is(character):
            raise self._broken(f"{character!r} is missing")
        self._drop(1)

    def end(self) -> None:
        """Check that only spaces follow.

        Raises:
            ImportFileUnreadable: something else does.
        """
        while not self._buffer.strip(_SPACES):
            self._buffer = ""
            if not self._fill():
                return
        raise self._broken("more follows after its end")

    def value(self) -> tuple[Any, str]:
        """The next value, and its text."""
        self.next_is("")
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer)
            except json.JSONDecodeError as error:
                reason = error.msg
            except (RecursionError, ValueError) as error:
                raise self._broken("nested too deeply" if isinstance(error, RecursionError) else _TOO_MANY_DIGITS) from None
            else:
                if end < len(self._buffer) or not self._fill():
                    source = self._buffer[:end]
                    self._drop(end)
                    return value, source
                continue
            if len(self._buffer) > MAX_LINE:
                raise self._broken(f"{reason}, or a value is longer than {MAX_LINE:,} characters")
            if not self._fill():
                raise self._broken(reason)

    def _fill(self) -> bool:
        more = self._text.read(_CHUNK)
        self._buffer += more
        return bool(more)

    def _drop(self, count: int) -> None:
        self.line += self._buffer.count("\n", 0, count)
        self._buffer = self._buffer[count:]

    def _broken(self, reason: str) -> ImportFileUnreadable:
        return ImportFileUnreadable(f"Line {self.line}: not valid JSON: {reason}.")
