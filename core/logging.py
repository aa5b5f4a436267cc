"""Structured logs: readable lines on a terminal, JSON in production, each with the id of its request."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any

import structlog

from core.error_texts import chain, describe_with_traceback

# Values of these keys never reach a log, whoever logs them.
_SECRET_KEYS = frozenset(
    "password access_token refresh_token id_token session_token token authorization secret api_key key mfa_code".split()  # noqa: SIM905
)


def mask_secrets(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor that hides the values of keys that name secrets."""
    return {name: "********" if name.lower() in _SECRET_KEYS else value for name, value in event.items()}


_SHORTEST_MESSAGE = 3
# Keys that come in addresses: a long random segment of a path, and what providers send back in a query.
_SECRET_SEGMENT = re.compile(r"/[A-Za-z0-9_-]{40,}")
_SECRET_QUERY = re.compile(r"([?&](?:code|state|key|token|id_token|access_token)=)[^&\s]+")
_MAIL_ADDRESS = re.compile(r"[^\s@<>'\"(]+@[^\s@<>'\")]+\.[^\s@<>'\")]+")


def masked(text: str) -> str:
    """A text without keys in addresses and without mail addresses, whoever wrote it: errors quote what they failed on."""
    if len(text) <= 40 and "@" not in text and "=" not in text:
        return text
    return _MAIL_ADDRESS.sub("<address>", _SECRET_QUERY.sub(r"\1********", _SECRET_SEGMENT.sub("/********", text)))


def mask_texts(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor that applies `masked` to every text of a line, its traceback included."""
    return {name: masked(value) if isinstance(value, str) and name != "logger" else value for name, value in event.items()}


def withhold_messages(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor that removes the messages of exceptions from a line's texts, where Celery and others put them.

    They quote what people entered. `core.error_texts` decides what is written about an exception instead.
    """
    error = _exception_of(event.get("exc_info")) or _exception_of(event.get("exception"))
    if error is not None:
        event["exc_info"] = error
    # Arguments of the standard library's loggers; the text contains them already.
    arguments = event.pop("positional_args", None) or ()
    errors = [each for part in (error, *arguments) if isinstance(part, BaseException) for each in chain(part)]
    quoted = {text: type(each).__name__ for each in errors for text in (repr(each), str(each))}
    for name, value in event.items():
        if isinstance(value, str) and quoted and name not in ("logger", "level", "timestamp"):
            event[name] = _without(value, quoted)
    return event


def _without(text: str, quoted: Mapping[str, str]) -> str:
    if text in quoted:
        return quoted[text]
    for message in sorted(quoted, key=len, reverse=True):
        # A shorter message may be part of any word or number.
        if len(message) >= _SHORTEST_MESSAGE:
            text = text.replace(message, quoted[message])
    return text


def _exception_of(info: Any) -> BaseException | None:
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    return error if isinstance(error, BaseException) else None


_PROBES = ("GET /healthz", "GET /readyz", "HEAD /healthz", "HEAD /readyz")


def drop_probes(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor that keeps health probes out of the request log: they come every few seconds and say nothing."""
    if event.get("request") in _PROBES:
        raise structlog.DropEvent
    return event


def keep_our_faults(record: logging.LogRecord) -> bool:
    """A filter for the live server's log: drops the tracebacks about clients that send invalid UTF-8."""
    return not record.getMessage().startswith("Invalid UTF-8 sequence")


def _formatter(renderer: Any, processors: list[Any]) -> dict[str, Any]:
    """A formatter that runs lines of the standard library's loggers through the same processors as structlog's."""
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "processor": renderer,
        "foreign_pre_chain": processors,
        "pass_foreign_args": True,
    }


def configure(*, as_json: bool) -> dict[str, Any]:
    """Set structlog up and return the matching `LOGGING` setting."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        drop_probes,
        mask_secrets,
        withhold_messages,
        structlog.processors.ExceptionRenderer(describe_with_traceback),
        mask_texts,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": _formatter(renderer, shared)},
        "filters": {"our_faults": {"()": lambda: keep_our_faults}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {
            **{
                name: {"level": "INFO"}
                for name in (
                    "soosh",
                    "core",
                    "accounts",
                    "notifications",
                    "ai",
                    "catalog",
                    "profiling",
                    "mentors",
                    "django_structlog.middlewares",
                )
            },
            # The live server's own handlers neither format lines as ours do nor mask secrets.
            "uvicorn": {"handlers": [], "propagate": True},
            "uvicorn.error": {"level": "WARNING", "filters": ["our_faults"]},
            # A request for another host is answered with 400, which the request log has; anybody could fill the log with tracebacks.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            # Every response of 4xx and 5xx is in the request log already.
            "django.request": {"level": "CRITICAL"},
        },
    }
