"""What goes wrong: errors as Stripe words them, and a dial for the accidents of networks."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from typing import Any


class Refusal(Exception):
    """An error of the API (docs.stripe.com/api/errors)."""

    def __init__(
        self, code: str, message: str, *, status: int = 400, kind: str = "invalid_request_error", param: str = "", **more: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        error: dict[str, Any] = {"type": kind, "message": message}
        if code:
            error["code"] = code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param:
            error["param"] = param
        self.body = {"error": error | more}


class LostConnection(Exception):
    """The client gets no answer."""


@dataclasses.dataclass
class Dial:
    """How requests and webhooks go wrong. Chances are between 0 and 1, and drawn from one seeded generator.

    `before` fails a request that then was not done; `after` one that was done and whose answer is lost. `watch` is called with
    ("before" or "after", method, path) of every request that changes something, and may raise.
    """

    chance: random.Random = dataclasses.field(default_factory=lambda: random.Random(1))
    before: float = 0
    after: float = 0
    duplicate: float = 0
    lose: float = 0
    shuffle: bool = False
    watch: Callable[[str, str, str], None] = lambda when, method, path: None

    def strike(self, when: str, method: str, path: str) -> None:
        """Let an accident happen, or not."""
        if method == "GET":
            return
        self.watch(when, method, path)
        if self.chance.random() < (self.before if when == "before" else self.after):
            raise LostConnection

    def deliveries(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The events as they arrive: some twice, some not at all, perhaps in another order."""
        arriving = [event for event in events if self.chance.random() >= self.lose]
        arriving += [event for event in arriving if self.chance.random() < self.duplicate]
        if self.shuffle:
            self.chance.shuffle(arriving)
        return arriving
