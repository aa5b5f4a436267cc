"""Waking open sockets. What they show is read from the database; what is lost on the way is seen at their next look."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from core.error_texts import describe

logger = structlog.get_logger(__name__)


def group_of(kind: str, key: uuid.UUID | str) -> str:
    """The name of a group of sockets."""
    return f"{kind}.{key}"


def wake(groups: Iterable[str]) -> None:
    """Have the sockets of these groups look into the database."""
    layer = get_channel_layer()

    async def send() -> None:
        for group in groups:
            await layer.group_send(group, {"type": "woken"})

    try:
        async_to_sync(send)()
    except (RedisError, OSError) as error:
        logger.warning("sockets not woken", error=describe(error))
