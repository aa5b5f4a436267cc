from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, Any, cast

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser

from core.errors import BodyTooLarge

_DEEPEST = 32
_LARGEST_UPLOAD = 5_000_000
_FORM_OVERHEAD = 10_000


class UnreadableJson(ValueError):
    """A text is not JSON that Soosh can store. Its message says why, in words for the client."""


def parse_json(content: bytes) -> Any:
    """JSON as RFC 8259 has it, in UTF-8: no NaN or infinity, no name twice in an object, no NUL character or half a surrogate pair
    (PostgreSQL stores neither), and not nested more than 32 deep.

    Raises:
        UnreadableJson: it is none.
    """
    try:
        value = json.loads(
            content.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_without_repetition
        )
    except UnreadableJson:
        raise
    except UnicodeDecodeError as error:
        raise UnreadableJson("it is not UTF-8") from error
    except RecursionError as error:
        raise UnreadableJson("it is nested too deeply") from error
    except ValueError as error:
        raise UnreadableJson(str(error)[:200]) from error
    _refuse_unstorable(value, _DEEPEST)
    return value


def _refuse_constant(name: str) -> Any:
    raise UnreadableJson(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise UnreadableJson("a number is too large")
    return number


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for name, item in pairs:
        if name in value:
            raise UnreadableJson(f"the name {name[:50]!r} is there twice in one object")
        value[name] = item
    return value


class StrictJSONParser(BaseParser):
    """A JSON object, as `parse_json` reads it."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> dict[str, Any]:
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        content = stream.read(limit + 1)
        if len(content) > limit:
            raise BodyTooLarge
        try:
            body = parse_json(content)
        except UnreadableJson as error:
            raise ParseError(f"The body is not valid JSON: {error}.") from error
        if not isinstance(body, dict):
            raise ParseError("The body must be a JSON object.")
        return body


class UploadParser(MultiPartParser):
    """Files in a form, up to `largest_upload` bytes of the view (5 MB if it names none). A longer body is refused before it is read."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        context = parser_context or {}
        limit: int = getattr(context.get("view"), "largest_upload", _LARGEST_UPLOAD) + _FORM_OVERHEAD
        try:
            length = int(context["request"].META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if length > limit:
            raise BodyTooLarge
        counted = _CountedStream(stream)
        parts = super().parse(cast(IO[bytes], counted), media_type, parser_context)
        counted.read()
        if counted.length < length:
            raise ParseError("The body is shorter than its Content-Length says.")
        return parts


class _CountedStream:
    """A body that knows how much of it was read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.length = 0

    def read(self, *size: int) -> bytes:
        content = self._stream.read(*size)
        self.length += len(content)
        return content


def _refuse_unstorable(value: Any, depth: int) -> None:
    if depth == 0:
        raise UnreadableJson("it is nested too deeply")
    if isinstance(value, str):
        _refuse_unstorable_text(value)
    elif isinstance(value, dict | list):
        parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value
        for part in parts:
            _refuse_unstorable(part, depth - 1)


def _refuse_unstorable_text(text: str) -> None:
    if "\x00" in text:
        raise UnreadableJson("it contains a NUL character, which cannot be stored")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UnreadableJson("it contains half a surrogate pair, which is not a character") from error
