"""The instructions that language models are given, as files `<name>.<version>.txt`.

A file is never changed once it was in use: results are stored with its name and version. A new wording is a new file, and the highest
version is the one in force.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Prompt:
    """`id` is name and version, as results record it; `text` has `{named}` places to fill in."""

    id: str
    text: str


@cache
def prompt(name: str) -> Prompt:
    """The version of a prompt that is in force."""
    newest = max(_FOLDER.glob(f"{name}.*.txt"), key=lambda path: int(path.name.split(".")[1]))
    return Prompt(newest.stem, newest.read_text(encoding="utf-8"))
