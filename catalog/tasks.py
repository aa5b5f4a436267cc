from __future__ import annotations

import time

from celery import shared_task

from ai.services.spaces import fill_some, live_models
from catalog.services import importing, indexing, lifecycle, searches

_RUN_SECONDS = 50
_BATCHES = {"categories": 512, "skills": 512, "opportunities": 64}


@shared_task
def embed_waiting() -> int:
    """Work through the embedding queues for a while. The queue is the rows themselves, so a lost run loses nothing and two do no harm."""
    done = 0
    deadline = time.monotonic() + _RUN_SECONDS
    while time.monotonic() < deadline:
        step = sum(_embed_some(model) for model in live_models())
        if not step:
            break
        done += step
    return done


def _embed_some(model: str) -> int:
    return sum(fill_some(name=name, model=model, limit=limit) for name, limit in _BATCHES.items())


@shared_task
def keep_in_step() -> None:
    """Mark what has expired, ask posters whether their postings still stand, and take down what they left unanswered."""
    lifecycle.expire_passed()
    lifecycle.ask_for_confirmation()
    lifecycle.pause_unconfirmed()
    importing.end_silent_runs()


@shared_task
def look_for_news() -> int:
    """Look through what was published for the searches that people keep."""
    return searches.look_for_news()


@shared_task
def refresh_statistics() -> None:
    """Count the corpus anew."""
    indexing.refresh_statistics()
