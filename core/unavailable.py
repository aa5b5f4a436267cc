"""Errors that mean "not now": a dependency is away, full or has no place left. They answer 503, and say in the log why."""

from __future__ import annotations

import errno
import sys
import time

import structlog
from django.core.signals import got_request_exception
from django.db import DatabaseError, InterfaceError, InternalError, OperationalError
from django.http import HttpRequest

logger = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS = 5
_LOG_EVERY_SECONDS = 10.0
_FULL_DISK = {errno.ENOSPC: "no space is left", errno.EDQUOT: "the quota is used up", errno.EROFS: "the file system is read-only"}
# Classes and codes of https://www.postgresql.org/docs/current/errcodes-appendix.html
_READ_ONLY = "25006"
_CAUSES = {
    "53100": "the disk of the database is full",
    "53200": "the database is out of memory",
    "53300": "all connections of the database are taken",
    "53400": "a limit of the database is reached",
    "57014": "the database cancelled the statement",
    "57P01": "the database is shutting down",
    "57P02": "the database is restarting after a crash",
    "57P03": "the database is starting",
    "40001": "transactions were in each other's way",
    "40P01": "transactions were in each other's way",
    _READ_ONLY: "the database is read-only",
}

_logged_at: dict[str, float] = {}


def cause_of(error: BaseException) -> str:
    """Why this cannot be done now, in words without addresses; empty for an error that waiting will not cure."""
    if isinstance(error, OSError):
        return f"a file cannot be written: {_FULL_DISK[error.errno]}" if error.errno in _FULL_DISK else ""
    if not isinstance(error, DatabaseError | InterfaceError):
        return ""
    code = getattr(error.__cause__, "sqlstate", None) or ""
    if isinstance(error, OperationalError | InterfaceError) or (isinstance(error, InternalError) and code == _READ_ONLY):
        return _CAUSES.get(code, "") or _cause_without_code(str(error))
    return ""


def _cause_without_code(text: str) -> str:
    """The cause of a refused connection, which has a message but no code."""
    if "too many clients" in text or "connection slots" in text:
        return _CAUSES["53300"]
    return "the database does not answer"


def log_unavailable(cause: str) -> None:
    """Log a cause at most once every few seconds, however many requests it affects."""
    now = time.monotonic()
    if now - _logged_at.get(cause, -_LOG_EVERY_SECONDS) >= _LOG_EVERY_SECONDS:
        _logged_at[cause] = now
        logger.error("requests are refused", cause=cause)


def _remember(request: HttpRequest | None = None, **kwargs: object) -> None:
    error = sys.exc_info()[1]
    cause = cause_of(error) if error is not None else ""
    if request is not None and cause:
        request.unavailable_because = cause  # type: ignore[attr-defined]


def watch_requests() -> None:
    """Note on a request why it failed, wherever that was: in a view, a template, the admin or another middleware."""
    got_request_exception.connect(_remember, dispatch_uid="core.unavailable")
