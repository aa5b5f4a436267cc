"""Cells of tables that people open in a spreadsheet."""

from __future__ import annotations

# What a spreadsheet would take for a formula (OWASP, CSV injection).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def plain_cell(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would compute it."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def bare_cell(text: str) -> str:
    """What `plain_cell` was given."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(_FORMULA_STARTS) else text
