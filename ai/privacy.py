"""What the tables of the gateway hold. See `core.privacy`."""

from __future__ import annotations

from ai.models import DailyBudget, EngineSwitch, Usage
from core.privacy import OnErasure, declare

declare(
    Usage,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=(
        *("id", "created_at", "updated_at", "user", "operation", "engine", "model", "input_tokens", "output_tokens"),
        *("duration_milliseconds", "outcome", "provider_request_id", "prompt"),
    ),
    personal=("purpose",),
)
declare(EngineSwitch, none=("id", "created_at", "updated_at", "engine", "is_on", "reason"))
declare(
    DailyBudget,
    subject="user_id",
    on_erasure=OnErasure.DELETE,
    none=("id", "created_at", "updated_at", "user", "day_on", "tokens", "tokens_limit", "calls", "calls_limit"),
)
