"""What every live socket shares: who is behind it, and that it closes when that person has signed out. A socket is a way to hear sooner;
what it says stands in the database."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from typing import Any, ClassVar

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.utils.module_loading import import_string

NOT_SIGNED_IN = 4401
SUBPROTOCOL = "bearer"
_SIGN_IN_SECONDS = 10
LOOK_EVERY_SECONDS = 30


class PersonConsumer(AsyncJsonWebsocketConsumer):
    """A socket of one person. The access token comes as the second sub-protocol after `bearer`, or in the first frame:
    `{"type": "auth", "token": ...}`. Without one it closes with 4401, and so it does when the device is signed out or the person is gone.

    Subclasses say which `groups_of(user)` wake it, and `look()` into the database when woken, and every half minute.
    """

    user: Any = None
    session_key = ""
    _clock: asyncio.Task[None] | None = None
    _is_looking: asyncio.Lock
    groups_of: ClassVar[Callable[[Any], list[str]]]

    async def connect(self) -> None:
        self._is_looking = asyncio.Lock()
        offered = self.scope["subprotocols"]
        if len(offered) == 2 and offered[0] == SUBPROTOCOL:
            await self.accept(SUBPROTOCOL)
            await self._enter(offered[1])
        else:
            await self.accept()
            self._clock = asyncio.create_task(self._leave_strangers())

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        is_frame = isinstance(content, dict)
        if self.user is None:
            await self._enter(content["token"] if is_frame and content.get("type") == "auth" and "token" in content else "")
        else:
            await self.receive_frame(content if is_frame else {})

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        with contextlib.suppress(ValueError):
            return await super().decode_json(text_data)
        return None

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any) -> None:
        """Frames of bytes are none of ours."""
        if text_data is not None:
            await super().receive(text_data=text_data, **kwargs)

    async def receive_frame(self, frame: dict[str, Any]) -> None:
        """A frame of somebody who is signed in."""

    async def look(self) -> None:
        """Send what is new."""
        raise NotImplementedError

    async def woken(self, message: dict[str, Any]) -> None:
        await self._look()

    async def disconnect(self, code: int) -> None:
        if self._clock is not None:
            self._clock.cancel()
        if self.user is not None:
            for group in type(self).groups_of(self.user):
                await self.channel_layer.group_discard(group, self.channel_name)

    async def _enter(self, token: str) -> None:
        person_with_token = import_string(settings.SOCKET_PERSON_WITH_TOKEN)
        found = await database_sync_to_async(person_with_token)(token) if isinstance(token, str) and token else None
        if found is None:
            await self.close(NOT_SIGNED_IN)
            return
        if self._clock is not None:
            self._clock.cancel()
        self.user, self.session_key = found
        # First join, then look: what comes in between is seen twice, not never.
        for group in type(self).groups_of(self.user):
            await self.channel_layer.group_add(group, self.channel_name)
        await self.entered()
        self._clock = asyncio.create_task(self._look_again_and_again())

    async def entered(self) -> None:
        """Somebody has signed in."""
        await self._look()

    async def _look(self) -> None:
        async with self._is_looking:
            is_signed_in = import_string(settings.SOCKET_IS_SIGNED_IN)
            if await database_sync_to_async(is_signed_in)(self.user.pk, self.session_key):
                await self.look()
            else:
                await self.close(NOT_SIGNED_IN)

    async def _leave_strangers(self) -> None:
        await asyncio.sleep(_SIGN_IN_SECONDS)
        await self.close(NOT_SIGNED_IN)

    async def _look_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            await self._look()


def group_of(kind: str, key: uuid.UUID | str) -> str:
    """The name of a group of sockets."""
    return f"{kind}.{key}"
