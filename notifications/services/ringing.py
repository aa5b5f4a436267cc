from __future__ import annotations

from collections.abc import Iterable

from core.bell import ring_for


def ring(channels: Iterable[str]) -> None:
    """Have a worker send what is due on these channels."""
    for channel in sorted(channels):
        if not ring_for("notifications.tasks.send_due", channel):
            return


def ring_announcer(announcement_id: object) -> None:
    """Have a worker go on telling everybody."""
    ring_for("notifications.tasks.announce", str(announcement_id))
