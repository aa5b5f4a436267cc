"""Readers for the bodies of signed events. They are strict: a signature says who wrote an event, not that it is whole."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from core.parsers import UnreadableJson, parse_json

# Providers have events of these years alone.
_EARLIEST = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC).timestamp()
_LATEST = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC).timestamp()


class UnreadableEvent(ValueError):
    """A signed event lacks what events of its provider have."""


def parse_event(content: bytes) -> dict[str, Any]:
    """The JSON object of a body.

    Raises:
        UnreadableEvent: it is none.
    """
    try:
        event = parse_json(content)
    except UnreadableJson as error:
        raise UnreadableEvent(str(error)) from error
    return mapping_in({"event": event}, "event")


def mapping_in(event: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The object under this name.

    Raises:
        UnreadableEvent: there is none.
    """
    value = event.get(name)
    if not isinstance(value, dict):
        raise UnreadableEvent(f"{name} is no object")
    return value


def text_in(event: Mapping[str, Any], name: str, *, longest: int, is_required: bool = True) -> str:
    """The text under this name; "" where there is none and none is required.

    Raises:
        UnreadableEvent: it is missing, no text, or longer than its column.
    """
    value = event.get(name)
    if value is None and not is_required:
        return ""
    if not isinstance(value, str) or len(value) > longest or (is_required and not value):
        raise UnreadableEvent(f"{name} is no text of up to {longest} characters")
    return value


def instant_in(event: Mapping[str, Any], name: str) -> datetime.datetime:
    """The instant under this name, in seconds since 1970.

    Raises:
        UnreadableEvent: it is no number of this century.
    """
    value = event.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not _EARLIEST <= value < _LATEST:
        raise UnreadableEvent(f"{name} is no instant of this century")
    return datetime.datetime.fromtimestamp(value, tz=datetime.UTC)
