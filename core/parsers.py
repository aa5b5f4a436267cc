from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser

from core.errors import BodyTooLarge

_DEEPEST = 32
_LARGEST_UPLOAD = 5_000_000
_FORM_OVERHEAD = 10_000


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


class StrictJSONParser(BaseParser):
    """JSON as RFC 8259 has it: UTF-8, an object, no NaN, no NUL character (PostgreSQL cannot store it), no absurd nesting."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> dict[str, Any]:
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        content = stream.read(limit + 1)
        if len(content) > limit:
            raise BodyTooLarge
        try:
            body = json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not valid JSON: {str(error)[:200]}") from error
        if not isinstance(body, dict):
            raise ParseError("The body must be a JSON object.")
        _refuse_unstorable(body, _DEEPEST)
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
        return super().parse(stream, media_type, parser_context)


def _refuse_unstorable(value: Any, depth: int) -> None:
    if depth == 0:
        raise ParseError("The body is nested too deeply.")
    if isinstance(value, str):
        _refuse_unstorable_text(value)
    elif isinstance(value, dict | list):
        parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value
        for part in parts:
            _refuse_unstorable(part, depth - 1)


def _refuse_unstorable_text(text: str) -> None:
    if "\x00" in text:
        raise ParseError("The body holds a NUL character, which no text of Soosh may hold.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ParseError("The body holds half a surrogate pair, which is no character.") from error
