from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "System"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from core.models import AuditEntry, EmbeddingSpace, EventDelivery, KeptAnswer, OutboxEvent
        from core.privacy import OnErasure, declare
        from core.unavailable import watch_requests

        watch_requests()

        # Events carry ids alone, and go after a month. Errors may quote what they failed on.
        declare(OutboxEvent, none=("id", "created_at", "updated_at", "name", "payload", "request_id"))
        declare(
            EventDelivery,
            none=("id", "created_at", "updated_at", "event", "handler", "state", "attempts", "due_at", "done_at"),
            personal=("last_error",),
        )
        # Answers may hold what somebody wrote, and go after two days.
        declare(
            KeptAnswer,
            subject="owner",
            on_erasure=OnErasure.DELETE,
            none=("id", "created_at", "updated_at", "owner", "fingerprint", "status"),
            personal=("key", "body"),
        )
        declare(EmbeddingSpace, none=("id", "created_at", "updated_at", "model", "column", "state", "in_force_since"))
        declare(
            AuditEntry,
            none=("number", "happened_at", "actor_id", "action", "thing_kind", "thing_id", "fields", "previous_digest", "digest"),
        )
