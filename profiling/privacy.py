"""What the tables of interviews and profiles hold: all of it is about a person. See `core.privacy`."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial

from core.privacy import OnErasure, declare, register_files, register_step
from profiling.models import Answer, Claim, DistressFlag, Interview, Profile, Ranker, Recording, Serving, Suggestion
from profiling.services.recordings import forget_recordings, read_recording_file, recording_files

declare(
    Interview,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=(
        *("id", "created_at", "updated_at", "user", "state", "step", "slot", "question_kind", "progress", "correcting", "confirms"),
        *("paused_at", "completed_at"),
    ),
    personal=("language",),
    # A question may quote what was answered before.
    special=("question", "options"),
)
# Whatever people tell about themselves may be about their health or their beliefs.
declare(
    Answer,
    subject="interview__user_id",
    on_erasure=OnErasure.DELETE,
    none=(
        *("id", "created_at", "updated_at", "interview", "step", "slot", "question_kind", "confirms", "engine", "model", "prompt"),
        *("degraded_because", "reading_until", "read_at"),
    ),
    special=("question", "options", "text", "meaning"),
)
declare(
    DistressFlag,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "updated_at", "answer", "seen_at", "seen_by"),
    special=("user", "created_at"),
)
declare(
    Claim,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=(
        "id",
        "created_at",
        "updated_at",
        "user",
        "engine",
        "model",
        "answer",
        "embedding_model",
        "twin_embedding_model",
        "source",
        "source_before",
        "state",
        "prompt",
    ),
    special=("kind", "label", "skill", "quote", "confidence", "embedding", "twin_embedding", "alternatives", "evidence"),
)
declare(
    Recording,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "created_at", "updated_at", "user", "answer", "expires_at"),
    personal=("file",),
)


def _recordings_for_archive(person_id: uuid.UUID) -> list[tuple[str, Callable[[], bytes]]]:
    return [(name, partial(read_recording_file, name)) for name in recording_files(person_id)]


register_files(_recordings_for_archive)
register_step(
    "profiling: recordings",
    erase=lambda person_id: forget_recordings(user_id=person_id),
    count=lambda person_id: len(recording_files(person_id)),
)
declare(
    Suggestion,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "created_at", "updated_at", "user", "claim", "reason", "state", "decided_at"),
    special=("quote",),
)
declare(Ranker, none=("id", "created_at", "updated_at", "version", "weights", "state", "share", "in_force_since", "report"))
declare(
    Serving,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "created_at", "updated_at", "user", "ranker_version", "basis", "fallbacks", "was_cached", "milliseconds"),
    special=("opportunity_ids", "propensities", "terms"),
)
declare(
    Profile,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=(
        *("id", "created_at", "updated_at", "user", "is_summary_mine", "embedding_model", "embedded_hash", "content_hash"),
        *("twin_embedding_model", "twin_embedded_hash"),
    ),
    special=("summary", "text", "embedding", "twin_embedding"),
)
