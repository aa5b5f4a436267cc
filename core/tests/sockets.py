from __future__ import annotations

import json
from typing import Any

from asgiref.testing import ApplicationCommunicator

from core.consumers import PersonConsumer


class Socket(ApplicationCommunicator):
    """A client of a socket. That of Channels comes with a server that nobody here needs."""

    def __init__(self, consumer: type[PersonConsumer], *subprotocols: str) -> None:
        super().__init__(consumer.as_asgi(), {"type": "websocket", "path": "/ws/", "subprotocols": list(subprotocols)})

    async def connect(self) -> Any:
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(5)
        assert answer["type"] == "websocket.accept"
        return answer.get("subprotocol")

    async def say(self, text: str) -> None:
        await self.send_input({"type": "websocket.receive", "text": text})

    async def hear(self) -> Any:
        return json.loads((await self.receive_output(5))["text"])

    async def closed_with(self) -> Any:
        return (await self.receive_output(5))["code"]

    async def leave(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(5)
