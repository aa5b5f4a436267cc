"""Work that is due for many at once, each for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import InterfaceError, OperationalError

Thing = TypeVar("Thing")
Result = TypeVar("Result")


def each_alone(act: Callable[[Thing], Result], things: Iterable[Thing], *, ends: tuple[type[Exception], ...] = ()) -> list[Result]:
    """What `act`, which keeps to a transaction of its own, gives for each of these. One that fails keeps nobody else waiting: it is raised
    once all had their turn, so that it is seen, and whoever asks for more of what is due stops until the next time.

    Raises:
        OperationalError, InterfaceError, those of `ends`: something is away that all of them need; at once.
        ExceptionGroup: several failed. One alone is raised as it is.
    """
    results, failures = [], []
    for thing in things:
        try:
            results.append(act(thing))
        except (OperationalError, InterfaceError, *ends):
            raise
        except Exception as error:
            failures.append(error)
    if len(failures) > 1:
        raise ExceptionGroup(f"{len(failures)} failed, {len(results)} did not", failures)
    if failures:
        raise failures[0]
    return results
