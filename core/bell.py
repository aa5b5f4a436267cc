"""Ringing for a worker. The work stands in rows; a bell that is lost delays it until a sweep rings again."""

from __future__ import annotations

from typing import Any

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

logger = structlog.get_logger(__name__)


def ring_for(task: str, *arguments: Any) -> bool:
    """Queue a task by its dotted name, with plain arguments. False where the broker does not answer."""
    try:
        current_app.send_task(task, args=arguments)
    except OperationalError as error:
        logger.warning("broker unreachable, left to the sweep", task=task, error=str(error))
        return False
    return True
