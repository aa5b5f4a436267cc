"""Takes what leads to a person out of a text before it leaves this machine, and puts it back into what returns.

Patterns find addresses of mail, phone and card numbers, account numbers (IBAN) and links. Names and street addresses have no pattern:
that is why nothing leaves without consent.
"""

from __future__ import annotations

import dataclasses
import re

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(r"\b(?:https?://|www\.)[^\s<>\"')]+", re.IGNORECASE)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"\b\d(?:[ -]?\d){12,18}\b")
# Seven digits or more, with what people write between them; years and amounts are shorter.
_PHONE = re.compile(r"(?<![\w.])(?:\+|00)?\(?\d(?:[\s()./-]{0,2}\d){6,14}(?!\w)")
_KINDS = (("email", _EMAIL), ("link", _LINK), ("account", _IBAN), ("card", _CARD), ("phone", _PHONE))


@dataclasses.dataclass(frozen=True)
class Redacted:
    """A text with placeholders such as `[phone 1]`, and what they stand for."""

    text: str
    taken_out: dict[str, str]

    def restore(self, text: str) -> str:
        """Another text with the placeholders filled in again."""
        for placeholder, original in self.taken_out.items():
            text = text.replace(placeholder, original)
        return text


def redact(text: str) -> Redacted:
    """The same thing said twice gets one placeholder."""
    taken_out: dict[str, str] = {}
    for kind, pattern in _KINDS:
        # mypy does not infer a lambda with a default, which binds this round's kind.
        text = pattern.sub(lambda found, kind=kind: _placeholder(kind, found[0], taken_out), text)  # type: ignore[misc]
    return Redacted(text, taken_out)


def _placeholder(kind: str, original: str, taken_out: dict[str, str]) -> str:
    for placeholder, known in taken_out.items():
        if known == original:
            return placeholder
    number = sum(placeholder.startswith(f"[{kind} ") for placeholder in taken_out) + 1
    taken_out[f"[{kind} {number}]"] = original
    return f"[{kind} {number}]"
