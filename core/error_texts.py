"""What may be written about an exception: its kind, where it was raised, and facts about the program; never values that people entered.

Messages of exceptions quote what they failed on: a name in a template, a row in the DETAIL of PostgreSQL, an address in an answer of a mail
server. So a message is written only for kinds whose messages are known to be about code or connections.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import kombu.exceptions
import psycopg
import redis
from django.core.exceptions import ImproperlyConfigured

from core.errors import DomainError

_ROOT = Path(__file__).resolve().parent.parent
_SAFE_KINDS = (
    *(AttributeError, TypeError, NameError, ImportError, NotImplementedError, RecursionError, MemoryError, ZeroDivisionError),
    *(ImproperlyConfigured, redis.ConnectionError, redis.TimeoutError, kombu.exceptions.OperationalError),
)
# Facts that providers attach: of these kinds alone, and only where they look like a code.
_FACTS = ("code", "status", "status_code", "http_status", "request_id", "returncode")
_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def describe(error: BaseException) -> str:
    """One line about an exception, for logs and for rows that staff read."""
    return f"{_kind(error)}{_message(error)}{_place(error)}"


def describe_with_traceback(
    exc_info: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
) -> str:
    """An exception with the ones that led to it and their tracebacks, oldest first; source lines, but no values."""
    error = exc_info[1]
    if error is None:
        return ""
    return "\n\nwhich led to\n\n".join(reversed([_with_traceback(each) for each in chain(error)]))


def _with_traceback(error: BaseException) -> str:
    lines = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{lines}{_kind(error)}{_message(error)}"


def chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and those that led to it, newest first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _kind(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ in ("builtins", "exceptions") else f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException) -> str:
    if isinstance(error, DomainError):
        return f" ({error.code})"
    database = next((each for each in chain(error) if isinstance(each, psycopg.Error)), None)
    if database is not None:
        return _of_database(database)
    if isinstance(error, OSError) and error.strerror and not isinstance(error, UnicodeError):
        return f": [{error.errno}] {error.strerror}"
    if isinstance(error, _SAFE_KINDS):
        return f": {error}"[:500]
    facts = [(name, getattr(error, name, None)) for name in _FACTS]
    known = [f"{name}={value}" for name, value in facts if isinstance(value, int | str) and _CODE.fullmatch(str(value))]
    return f" ({', '.join(known)})" if known else ""


def _of_database(error: psycopg.Error) -> str:
    if error.sqlstate is None:
        # No statement was refused: the connection failed, and libpq says how.
        return f": {str(error).splitlines()[0][:300]}" if str(error) and isinstance(error, psycopg.OperationalError) else ""
    names = [
        f"{label}={value}"
        for label, value in (
            ("sqlstate", error.sqlstate),
            ("table", error.diag.table_name),
            ("column", error.diag.column_name),
            ("constraint", error.diag.constraint_name),
        )
        if value
    ]
    return f" ({', '.join(names)})"


def _place(error: BaseException) -> str:
    """The innermost line of our own code that was running."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(f"{_ROOT}/") and "site-packages" not in frame.filename]
    frame = own[-1] if own else None
    return f" at {Path(frame.filename).relative_to(_ROOT)}:{frame.lineno}" if frame else ""
