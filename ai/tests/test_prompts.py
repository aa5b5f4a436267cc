"""What models were told is never rewritten: results name the file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ai.providers import prompts
from ai.providers.prompts import prompt

# A new version is a new file and a new line here.
PUBLISHED = {"read-answer.1.txt": "3f4b78ddc9fb7de7cef97b500b876c29d6223ca8ce2cacd11710654ad7b38e64"}


def test_published_prompts_do_not_change() -> None:
    folder = Path(prompts.__file__).parent
    assert {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.glob("*.txt")} == PUBLISHED


def test_the_highest_version_is_in_force() -> None:
    found = prompt("read-answer")
    assert found.id == max((name.removesuffix(".txt") for name in PUBLISHED), key=lambda name: int(name.rpartition(".")[2]))
    assert "{kinds}" in found.text and "{fence}" in found.text
