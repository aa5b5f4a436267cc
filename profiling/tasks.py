from __future__ import annotations

from celery import shared_task

from profiling.services import profile


@shared_task
def embed_waiting() -> int:
    """Give vectors to profiles that have none of their present text."""
    return profile.embed_waiting_profiles()
