"""Which of the media types that an operation answers with the client likes best (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

# More ranges than this say nothing more.
_MOST_RANGES = 64


class Negotiation(DefaultContentNegotiation):
    """Like DRF's, but heeds quality values: `q=0` is a refusal."""

    def select_renderer(self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None) -> tuple[Any, str]:
        ranges = _accepted_ranges(request)
        offered = [(_quality(renderer.media_type or "", ranges), renderer) for renderer in renderers]
        quality, renderer = max(offered, key=lambda pair: pair[0])
        if not quality:
            raise NotAcceptable
        return renderer, renderer.media_type or ""


def accepts(request: Request, media_type: str) -> bool:
    """Whether the client takes answers of this type."""
    return _quality(media_type, _accepted_ranges(request)) > 0


def _accepted_ranges(request: Request) -> list[tuple[str, float]]:
    header = request.headers.get("Accept", "").strip() or "*/*"
    ranges = []
    for item in header.split(",")[:_MOST_RANGES]:
        name, *options = (part.strip().lower() for part in item.split(";"))
        quality = next((option[2:].strip() for option in options if option.startswith("q=")), "1")
        ranges.append((name, _number(quality)))
    return ranges


def _number(quality: str) -> float:
    try:
        return min(max(float(quality), 0.0), 1.0)
    except ValueError:
        return 0.0


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """How much the client wants a type: what the most specific range that contains it says."""
    kind = media_type.split("/", maxsplit=1)[0]
    for wanted in (media_type, f"{kind}/*", "*/*"):
        found = [quality for name, quality in ranges if name == wanted]
        if found:
            return max(found)
    return 0.0
