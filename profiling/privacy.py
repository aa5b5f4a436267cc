"""What the tables of interviews and profiles hold: all of it is about a person. See `core.privacy`."""

from __future__ import annotations

from core.privacy import OnErasure, declare
from profiling.models import Answer, Claim, DistressFlag, Interview, Profile

declare(
    Interview,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "created_at", "updated_at", "user", "state", "step", "slot", "follow_ups", "completed_at"),
    personal=("language",),
)
# Whatever people tell about themselves may be about their health or their beliefs.
declare(
    Answer,
    subject="interview__user_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "created_at", "updated_at", "interview", "step", "slot", "engine", "model", "degraded_because", "read_at"),
    special=("question", "text"),
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
    none=("id", "created_at", "updated_at", "user", "engine", "model", "answer", "embedding_model", "source", "state"),
    special=("kind", "label", "skill", "quote", "confidence", "embedding"),
)
declare(
    Profile,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "created_at", "updated_at", "user", "is_summary_mine", "embedding_model", "embedded_hash", "content_hash"),
    special=("summary", "text", "embedding"),
)
