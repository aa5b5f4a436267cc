"""Ringing for a worker. The work stands in rows; a bell that is lost delays it until a sweep rings again."""

from __future__ import annotations

from typing import Any

import structlog
from celery import current_app
from django.core.cache import cache
from kombu.exceptions import OperationalError

from core.error_texts import describe

logger = structlog.get_logger(__name__)

_RUNG_SECONDS = 5


def ring_for(task: str, *arguments: Any) -> bool:
    """Queue a task by its dotted name, with plain arguments. False where the broker does not answer."""
    try:
        current_app.send_task(task, args=arguments)
    except OperationalError as error:
        logger.warning("broker unreachable, left to the sweep", task=task, error=describe(error))
        return False
    return True


def ring_unless_rung(task: str, *arguments: Any) -> None:
    """Queue a task unless one is on its way already: ten thousand causes need one look at the rows. The task says `answer` before it looks.
    A bell that was lost keeps others from ringing for some seconds only."""
    if cache.add(_key(task, arguments), 1, timeout=_RUNG_SECONDS):
        ring_for(task, *arguments)


def answer(task: str, *arguments: Any) -> None:
    """From now on the bell rings again: what is committed later may be missed by the look that follows."""
    cache.delete(_key(task, arguments))


def _key(task: str, arguments: tuple[Any, ...]) -> str:
    return ":".join(["bell", task, *map(str, arguments)])
