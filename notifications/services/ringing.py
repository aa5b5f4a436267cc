from __future__ import annotations

from collections.abc import Iterable

from core.bell import answer, ring_unless_rung

_SEND, _ANNOUNCE = "notifications.tasks.send_due", "notifications.tasks.announce"


def ring(channels: Iterable[str]) -> None:
    """Have a worker send what is due on these channels."""
    for channel in sorted(channels):
        ring_unless_rung(_SEND, str(channel))


def answer_ring(channel: str) -> None:
    """A worker is about to look."""
    answer(_SEND, str(channel))


def ring_announcer(announcement_id: object) -> None:
    """Have a worker go on telling everybody."""
    ring_unless_rung(_ANNOUNCE, str(announcement_id))


def answer_announcer(announcement_id: object) -> None:
    """A worker is about to tell some."""
    answer(_ANNOUNCE, str(announcement_id))
