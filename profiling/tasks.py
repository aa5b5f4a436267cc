from __future__ import annotations

from contextlib import suppress

from celery import shared_task

from ai.services.spaces import fill_some, live_models
from profiling.errors import TrainingIsRunning
from profiling.services import recordings, rollout, servings, suggestions, training


@shared_task
def embed_waiting() -> int:
    """Give vectors to profiles that have none of their present text."""
    return sum(fill_some(name="profiles", model=model, limit=100) for model in live_models())


@shared_task
def prune_recordings() -> None:
    """Delete recordings that were kept long enough."""
    while recordings.prune_recordings():
        pass


@shared_task
def prune_servings() -> None:
    """Forget what was recommended longer ago than anybody learns from it."""
    servings.prune_servings()


@shared_task
def retrain_ranker() -> None:
    """Learn a ranker from the last months. One that is not surely better is kept as refused, with its report."""
    with suppress(TrainingIsRunning):
        training.retrain_ranker()


@shared_task
def advance_rollout() -> str:
    """Look after the ranker that is being rolled out."""
    return rollout.advance_rollout()


@shared_task
def suggest_looking_again() -> None:
    """Look through all profiles for claims that may have outlived themselves. Safe to run twice."""
    after = suggestions.suggest_to_all()
    while after is not None:
        after = suggestions.suggest_to_all(after=after)
