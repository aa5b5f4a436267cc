from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Thing = dict[str, Any]


class Store:
    """All objects of the peer by id, in the order in which they were made. With a file they outlive the process; what a request changed is
    written before it is answered."""

    def __init__(self, file: Path | None = None) -> None:
        self._things: dict[str, Thing] = {}
        self._by_kind: dict[str, list[Thing]] = {}
        self._dirty: set[str] = set()
        self._database = sqlite3.connect(file, check_same_thread=False) if file else None
        self.offset = 0
        if self._database:
            self._database.execute("CREATE TABLE IF NOT EXISTS things (id TEXT PRIMARY KEY, number INTEGER, body TEXT)")
            for key, body in self._database.execute("SELECT id, body FROM things ORDER BY number"):
                self._keep(key, json.loads(body))

    def now(self) -> int:
        """Seconds of the clock, which tests put forward."""
        return int(time.time()) + self.offset

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_peer{len(self._things) + 1:010d}"

    def put(self, thing: Thing) -> Thing:
        self._keep(thing["id"], thing)
        self._dirty.add(thing["id"])
        return thing

    def get(self, key: str) -> Thing | None:
        return self._things.get(key)

    def of(self, kind: str) -> Iterator[Thing]:
        """The objects of a kind, oldest first."""
        return iter(self._by_kind.get(kind, ())[:])

    def _keep(self, key: str, thing: Thing) -> None:
        if key not in self._things:
            self._by_kind.setdefault(thing["object"], []).append(thing)
        self._things[key] = thing

    def commit(self) -> None:
        if self._database and self._dirty:
            numbers = {key: number for number, key in enumerate(self._things)}
            rows = [(key, numbers[key], json.dumps(self._things[key])) for key in self._dirty]
            with self._database:
                self._database.executemany("INSERT OR REPLACE INTO things VALUES (?, ?, ?)", rows)
        self._dirty.clear()
