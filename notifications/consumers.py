from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async

from core.consumers import PersonConsumer
from core.sockets import group_of
from notifications.selectors import card_of
from notifications.services.inbox import Changes, changes_since


def _groups(user: Any) -> list[str]:
    return [group_of("inbox", user.pk)]


class InboxConsumer(PersonConsumer):
    """`/ws/notifications/`: the inbox, live. Each frame has the version of the inbox, the exact number of unread ones, and what changed
    since the frame before: of two frames the one with the higher version is right, in whatever order they come. A client that was away
    says `{"type": "since", "version": n}` and gets what it missed; where that is too much, `is_whole` is false: then read the list anew.
    """

    groups_of = _groups
    version = -1

    async def entered(self) -> None:
        """The first frame has the number; what a client missed it asks for."""
        changes = await database_sync_to_async(changes_since)(user=self.user, version=2**62)
        self.version = changes.version
        await self.send_json(await database_sync_to_async(_frame)(changes))

    async def receive_frame(self, frame: dict[str, Any]) -> None:
        version = frame.get("version")
        if frame.get("type") == "since" and type(version) is int and 0 <= version < 2**62:
            self.version = version
            await self._look(even_if_nothing=True)

    async def look(self) -> None:
        await self._tell(even_if_nothing=False)

    async def _look(self, *, even_if_nothing: bool = False) -> None:
        if even_if_nothing:
            async with self._is_looking:
                await self._tell(even_if_nothing=True)
        else:
            await super()._look()

    async def _tell(self, *, even_if_nothing: bool) -> None:
        changes = await database_sync_to_async(changes_since)(user=self.user, version=self.version)
        if changes.version > self.version or even_if_nothing:
            self.version = changes.version
            await self.send_json(await database_sync_to_async(_frame)(changes))


def _frame(changes: Changes) -> dict[str, Any]:
    return {
        "type": "inbox",
        "version": changes.version,
        "unread": changes.unread,
        "notifications": [card_of(row) for row in changes.notifications],
        "is_whole": changes.is_whole,
    }
