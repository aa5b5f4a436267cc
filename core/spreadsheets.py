"""Cells of tables that people open in a spreadsheet."""

from __future__ import annotations

# What a spreadsheet would take for a formula (OWASP, CSV injection), the wide forms of East Asian keyboards included.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def plain_cell(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would compute it."""
    return f"'{text}" if _looks_like_formula(text) else text


def bare_cell(text: str) -> str:
    """What `plain_cell` was given."""
    return text[1:] if text[:1] == "'" and _looks_like_formula(text[1:]) else text


def _looks_like_formula(text: str) -> bool:
    # Some programs cut spaces before they look.
    return text.startswith(_FORMULA_STARTS) or text.lstrip().startswith(_FORMULA_STARTS)
