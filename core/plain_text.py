"""Text of people in places that are one plain line: subjects and headers of e-mails, titles of pushes and calendar entries, SMS."""

from __future__ import annotations

import re
import unicodedata

LONGEST_LINE = 150
_JOINERS = "\u200c\u200d"
# What looks like a blank although it counts as a letter, a mark or a symbol.
BLANK_LOOKALIKES = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# IDNA takes each of these for the dot of a domain.
_DOT = "[.\u2024\u3002\uff0e\uff61]"
_LINK = re.compile(r"(?:\b[a-z][a-z0-9+.-]*:\s*//|//|\bwww\s*\.)\S*", re.IGNORECASE)
# Two labels of two letters or more, or a short one before a path or an ending that link shorteners use.
_DOMAIN = re.compile(
    rf"(?<=[\w-]{{2}}){_DOT}(?=[^\W\d_][\w-])|(?<=\w){_DOT}(?=[^\W\d_]{{2,}}/|(?:co|com|net|org|io|me|ly|gl|gd|to|be|cc|tv|ai|app|link)\b)",
    re.IGNORECASE,
)
# Letters and emoji that this version of Python does not know yet.
_NEWER = ((0x1F000, 0x1FAFF), (0x20000, 0x3FFFD))


def one_line(text: str, *, limit: int = LONGEST_LINE) -> str:
    """The text as one visible line without addresses of the web, at most `limit` characters long.

    Control characters, directions (bidi) and invisible characters go, line breaks become spaces. Links go; the dots of a bare domain
    become spaces, so that no mail program and no phone makes a link of it.
    """
    visible = "".join(" " if character.isspace() else character for character in text if character.isspace() or is_visible(character))
    unlinked = _DOMAIN.sub(" ", _LINK.sub("…", visible))
    line = " ".join(unlinked.split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def is_visible(character: str) -> bool:
    """Whether a character shows, or joins two that show. Unassigned and private characters show as anything."""
    category = unicodedata.category(character)
    if category == "Cn":
        return any(first <= ord(character) <= last for first, last in _NEWER)
    return character in _JOINERS or (character not in BLANK_LOOKALIKES and category not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))


def has_link(text: str) -> bool:
    """Whether a mail program or a phone may make a link of a part of it."""
    return bool(_LINK.search(text) or _DOMAIN.search(text))
