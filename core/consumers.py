"""Base class of live sockets: sign-in, limits, and when they close. A socket only tells clients sooner; the news itself is in the
database."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, ClassVar

import structlog
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils.module_loading import import_string
from redis.exceptions import RedisError

from core.error_texts import describe
from core.sockets import group_of

logger = structlog.get_logger(__name__)

SUBPROTOCOL = "bearer"
# Close codes: those of RFC 6455, section 7.4.1, and our own, which name HTTP statuses.
UNSUPPORTED_DATA, INVALID_PAYLOAD, POLICY_VIOLATION, TRY_AGAIN_LATER = 1003, 1007, 1008, 1013
NOT_SIGNED_IN, NOT_FOUND, TOO_MANY_SOCKETS = 4401, 4404, 4429

_SIGN_IN_SECONDS = 10
CHECK_EVERY_SECONDS = 15
# Per person and server process. The front server limits those of one address.
SOCKETS_PER_PERSON = 20
FRAMES_PER_WINDOW, _WINDOW_SECONDS = 40, 10
_DEPENDENCY_AWAY = (OperationalError, InterfaceError, RedisError)

_open_sockets: Counter[uuid.UUID] = Counter()


class PersonConsumer(AsyncJsonWebsocketConsumer):
    """A socket of one person. The access token comes as the second sub-protocol after `bearer`, or in the first frame:
    `{"type": "auth", "token": ...}`. Without one it closes with 4401, and so it does when the device is signed out or the person is gone.

    Subclasses say which `groups_of(user)` wake it, and `look()` into the database when woken, and every quarter of a minute.
    """

    user: Any = None
    session_key = ""
    _is_closing = False
    _clock: asyncio.Task[None] | None = None
    _is_looking: asyncio.Lock
    groups_of: ClassVar[Callable[[Any], list[str]]]

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Close the socket instead of failing while the database or Redis is away; clients come back later."""
        if self._is_closing and message["type"] != "websocket.disconnect":
            return
        try:
            await super().dispatch(message)
        except StopConsumer:
            raise
        except _DEPENDENCY_AWAY as error:
            await self._give_up(error)

    async def connect(self) -> None:
        self._is_looking = asyncio.Lock()
        self._frames: deque[float] = deque(maxlen=FRAMES_PER_WINDOW)
        offered = self.scope["subprotocols"]
        if len(offered) == 2 and offered[0] == SUBPROTOCOL:
            await self.accept(SUBPROTOCOL)
            await self._enter(offered[1])
        else:
            await self.accept()
            self._clock = asyncio.create_task(self._close_unless_signed_in())

    async def close(self, code: int | bool | None = None, reason: str | None = None) -> None:
        """Close the socket once, although its timer and a frame may both ask for it."""
        if not self._is_closing:
            self._is_closing = True
            await super().close(code, reason)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any) -> None:
        if text_data is None:
            await self.close(UNSUPPORTED_DATA)
        elif self._is_flooded():
            await self.close(POLICY_VIOLATION)
        else:
            await super().receive(text_data=text_data, **kwargs)

    def _is_flooded(self) -> bool:
        """Whether more frames came than a window allows."""
        now = time.monotonic()
        is_full = len(self._frames) == FRAMES_PER_WINDOW and now - self._frames[0] < _WINDOW_SECONDS
        self._frames.append(now)
        return is_full

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        """The value of a frame; None if it is not JSON or is nested too deeply to be read."""
        with contextlib.suppress(ValueError, RecursionError):
            return await super().decode_json(text_data)
        return None

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        is_frame = isinstance(content, dict)
        if self.user is None:
            await self._enter(content["token"] if is_frame and content.get("type") == "auth" and "token" in content else "")
        elif is_frame:
            await self.receive_frame(content)
        else:
            await self.close(INVALID_PAYLOAD)

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
            _count_closed(self.user.pk)
            for group in self._groups():
                await self.channel_layer.group_discard(group, self.channel_name)

    async def _enter(self, token: Any) -> None:
        person_with_token = import_string(settings.SOCKET_PERSON_WITH_TOKEN)
        person = await database_sync_to_async(person_with_token)(token) if isinstance(token, str) and token else None
        if person is None:
            await self.close(NOT_SIGNED_IN)
            return
        if _open_sockets[person[0].pk] >= SOCKETS_PER_PERSON:
            await self.close(TOO_MANY_SOCKETS)
            return
        if self._clock is not None:
            self._clock.cancel()
        self.user, self.session_key = person
        _open_sockets[self.user.pk] += 1
        self._clock = asyncio.create_task(self._check_again_and_again())
        # First join, then look: what comes in between is seen twice, not never.
        for group in self._groups():
            await self.channel_layer.group_add(group, self.channel_name)
        await self.entered()

    def _groups(self) -> list[str]:
        return [group_of("person", self.user.pk), *type(self).groups_of(self.user)]

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

    async def _close_unless_signed_in(self) -> None:
        await asyncio.sleep(_SIGN_IN_SECONDS)
        await self.close(NOT_SIGNED_IN)

    async def _check_again_and_again(self) -> None:
        try:
            while True:
                await asyncio.sleep(CHECK_EVERY_SECONDS)
                await self._look()
        except _DEPENDENCY_AWAY as error:
            await self._give_up(error)

    async def _give_up(self, error: Exception) -> None:
        logger.warning("socket closed, a dependency is away", error=describe(error))
        await self.close(TRY_AGAIN_LATER)


def _count_closed(person_id: uuid.UUID) -> None:
    _open_sockets[person_id] -= 1
    if not _open_sockets[person_id]:
        del _open_sockets[person_id]


async def no_such_socket(scope: Any, receive: Any, send: Any) -> None:
    """Close a socket that was opened at an unknown path."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": NOT_FOUND})
