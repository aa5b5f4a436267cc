from __future__ import annotations

from django.conf import settings

from bookings.providers.base import Recorder, Video
from bookings.providers.daily import Daily
from bookings.providers.jitsi import Jitsi

FALLBACK: Video = Jitsi()
_DAILY = Daily()
RECORDER: Recorder = _DAILY
_ENGINES: dict[str, Video] = {"daily": _DAILY, "jitsi": FALLBACK}


def video() -> Video:
    """The provider in force."""
    return _ENGINES[settings.VIDEO_ENGINE]


def video_named(name: str) -> Video:
    """The provider that made a room."""
    return _ENGINES.get(name, FALLBACK)
