from __future__ import annotations

import datetime
import uuid
from typing import Any

from channels.db import database_sync_to_async
from django.utils import timezone

from bookings.selectors import moves_since
from bookings.services.moving import socket_group
from core.consumers import PersonConsumer
from core.sockets import group_of
from notifications.services.inbox import changes_since

# What was written before a look may be committed after it: so much is looked at again.
_AGAIN = datetime.timedelta(minutes=2)


def _groups(user: Any) -> list[str]:
    return [socket_group(user.pk), group_of("inbox", user.pk)]


class DashboardConsumer(PersonConsumer):
    """`/ws/dashboard/`: says that something of this person's sessions, or of what they are told, has changed, by a `version` that is then
    another one. What it is stands on the pages, which ask for it."""

    groups_of = _groups
    version = ""
    known: frozenset[uuid.UUID] = frozenset()
    number = 0

    async def look(self) -> None:
        version = await database_sync_to_async(self._version)()
        if version != self.version:
            self.version = version
            await self.send_json({"type": "changed", "version": version})

    def _version(self) -> str:
        found = frozenset(moves_since(self.user, timezone.now() - _AGAIN))
        self.number += bool(found - self.known)
        self.known = found
        return f"{changes_since(user=self.user, version=2**62).version}.{self.number}"
