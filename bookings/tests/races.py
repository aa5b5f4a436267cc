"""Means for tests in which many want the same at the same moment."""

from __future__ import annotations

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from core.errors import DomainError
from mentors.bookable import FUNCTIONS

_CONSTRAINT = """
ALTER TABLE mentors_occupiedtime ADD CONSTRAINT nobody_is_booked_twice
EXCLUDE USING gist (person_id WITH =, during WITH &&) WHERE (source IN ('session', 'hold'))
"""
_NO_LOCK = """
CREATE OR REPLACE FUNCTION mentors_lock(p_people uuid[]) RETURNS void LANGUAGE plpgsql AS $$ BEGIN END $$
"""


def at_once(calls: Sequence[Callable[[], Any]], *, threads: int = 0) -> Counter[str]:
    """How often each answer came: "done", or the code of what was refused. All are let go together, `threads` at a time if given."""
    number = threads or len(calls)
    barrier = threading.Barrier(min(number, len(calls)))

    def one(call: Callable[[], Any]) -> str:
        with contextlib.suppress(threading.BrokenBarrierError):
            barrier.wait(timeout=5)
        try:
            call()
        except DomainError as error:
            return error.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(number) as pool:
        return Counter(pool.map(one, calls))


@contextlib.contextmanager
def without_locks() -> Iterator[None]:
    """Nobody waits for anybody."""
    with connection.cursor() as cursor:
        cursor.execute(_NO_LOCK)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(FUNCTIONS)


@contextlib.contextmanager
def without_constraint() -> Iterator[None]:
    """The database does not forbid that somebody is booked twice. Leaves the table empty."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE mentors_occupiedtime DROP CONSTRAINT nobody_is_booked_twice")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE mentors_occupiedtime")
            cursor.execute(_CONSTRAINT)


def shuffled(things: Sequence[Any], seed: int) -> list[Any]:
    found = list(things)
    random.Random(seed).shuffle(found)
    return found
