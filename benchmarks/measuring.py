"""Times, processor time, and the table of goals."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import psutil


@dataclasses.dataclass(frozen=True)
class Goal:
    """One figure that has to be reached: `measured` must not be above (or below) `limit`."""

    name: str
    measured: float
    limit: float
    at_most: bool = True

    @property
    def is_met(self) -> bool:
        return self.measured <= self.limit if self.at_most else self.measured >= self.limit

    def __str__(self) -> str:
        sign = "at most" if self.at_most else "at least"
        return f"{'met   ' if self.is_met else 'MISSED'}  {self.measured:10.3f}  ({sign} {self.limit:g})  {self.name}"


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """What a call returns, and how many milliseconds it took."""
    started = time.perf_counter()
    result = call()
    return result, (time.perf_counter() - started) * 1000


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def interleaved(calls: dict[str, Callable[[int], Any]], *, items: int, rounds: int) -> tuple[dict[str, list[float]], dict[str, list[Any]]]:
    """Run every call on every item by turns, so that a slow moment of the machine meets all of them, and each time another one first, since
    who comes first finds cold caches. Times in milliseconds of every round but a first one that warms up, results of the last."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    results: dict[str, list[Any]] = {name: [None] * items for name in calls}
    for number in range(rounds + 1):
        for item in range(items):
            first, turned = item % len(calls), item // len(calls) % 2
            order = [*calls.items()][first:] + [*calls.items()][:first]
            for name, call in reversed(order) if turned else order:
                results[name][item], taken = timed(lambda call=call, item=item: call(item))  # type: ignore[misc]  # defaults of a lambda have no types
                if number:
                    times[name].append(taken)
    return times, results


def recall(found: Iterable[Iterable[Any]], wanted: Iterable[set[Any]]) -> float:
    pairs = list(zip(found, wanted, strict=True))
    return sum(len(set(hits) & right) / len(right) for hits, right in pairs) / len(pairs)


def processor_seconds(processes: Iterable[psutil.Process]) -> float:
    """User and system time of these processes and their children, also of those that have ended meanwhile."""
    total = 0.0
    for process in processes:
        for each in (process, *process.children(recursive=True)):
            times = each.cpu_times()
            total += times.user + times.system
        total += process.cpu_times().children_user + process.cpu_times().children_system
    return total
