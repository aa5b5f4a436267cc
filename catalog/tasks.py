from __future__ import annotations

import time

from celery import shared_task
from django.core.cache import cache

from catalog.services import indexing

_RUN_SECONDS = 50


@shared_task
def embed_waiting() -> int:
    """Work through the embedding queue for a while. The queue is the rows themselves, so a lost run loses nothing and two do no harm."""
    # One worker at a time: two would embed the same rows. The lock ends by itself if its holder dies.
    if not cache.add("catalog:embedding", 1, timeout=_RUN_SECONDS + 30):
        return 0
    done = 0
    deadline = time.monotonic() + _RUN_SECONDS
    try:
        while time.monotonic() < deadline:
            step = indexing.embed_terms() + indexing.embed_opportunities()
            if not step:
                break
            done += step
    finally:
        cache.delete("catalog:embedding")
    return done


@shared_task
def refresh_statistics() -> None:
    """Count the corpus anew."""
    indexing.refresh_statistics()
