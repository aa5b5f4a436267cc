"""One record of an import file, and what texts must be to be stored."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

# A line or a value longer than this is refused.
MAX_LINE = 1_000_000
_UNDECODED = re.compile("[\udc80-\udcff]")


@dataclasses.dataclass(frozen=True)
class Record:
    """A record of an import file, or the reason why it was refused.

    `line` is the line where it ends, `position` the bytes read so far, `note` a remark about the whole file.
    """

    line: int
    position: int = 0
    fields: dict[str, Any] | None = None
    refusal: str = ""
    note: str = ""


def refusal_of_text(text: str) -> str:
    """Why a line as it was read cannot be used; "" if it can."""
    undecoded = _UNDECODED.search(text)
    if undecoded:
        return f"Column {undecoded.start() + 1}: the line is not UTF-8."
    if "\x00" in text:
        return f"Column {text.index(chr(0)) + 1}: the line contains a NUL character."
    return ""


def object_record(value: Any, text: str, line: int) -> Record:
    """The record of a JSON value that was read from `text`."""
    if not isinstance(value, dict):
        return Record(line, refusal="The line must be a JSON object.")
    if "\\u0000" in text or "\\ud" in text.lower():
        plain = json.dumps(value, ensure_ascii=False)
        if re.search("[\ud800-\udfff]", plain):
            return Record(line, refusal="A text contains half a surrogate pair, which is not a character.")
        if "\\u0000" in plain:
            return Record(line, refusal="A text contains a NUL character.")
    return Record(line, fields=value)
