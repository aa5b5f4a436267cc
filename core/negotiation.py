"""Which of the media types that an operation answers with the client likes best (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpRequest
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

# Further ranges are ignored, so that a long header costs little.
_MOST_RANGES = 64


class Negotiation(DefaultContentNegotiation):
    """Like DRF's, but heeds quality values: `q=0` is a refusal."""

    def select_renderer(self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None) -> tuple[Any, str]:
        by_type = {renderer.media_type: renderer for renderer in renderers}
        media_type = preferred(request, list(by_type))
        if media_type is None:
            raise NotAcceptable
        return by_type[media_type], media_type


def accepts(request: Request | HttpRequest, media_type: str) -> bool:
    """Whether the client takes answers of this type."""
    return preferred(request, (media_type,)) is not None


def preferred(request: Request | HttpRequest, media_types: Sequence[str]) -> str | None:
    """The type that the client likes best, the first of equals; None if it takes none of them."""
    ranges = _accepted_ranges(request)
    quality, _, media_type = max((_quality(name, ranges), -position, name) for position, name in enumerate(media_types))
    return media_type if quality else None


def _accepted_ranges(request: Request | HttpRequest) -> list[tuple[str, float]]:
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
        qualities = [quality for name, quality in ranges if name == wanted]
        if qualities:
            return max(qualities)
    return 0.0
