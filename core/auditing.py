"""What staff looked at and changed, as a chain: each entry's digest covers the entry before it, so that a quiet change is found."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from django.db import connection, models, transaction

from core.models import AuditEntry

# Any number will do, as long as nothing else of Soosh takes it.
_CHAIN_LOCK = 0x50D17


def record(*, actor_id: uuid.UUID, action: str, thing: models.Model | type[models.Model], fields: list[str] | None = None) -> None:
    """Add an entry. `fields` names what was changed; their values stay out, so that the log holds no personal data."""
    kind = thing._meta.label
    key = str(thing.pk) if isinstance(thing, models.Model) else ""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_CHAIN_LOCK,))
        last = AuditEntry.objects.order_by("-number").first()
        entry = AuditEntry(
            number=last.number + 1 if last else 1,
            actor_id=actor_id,
            action=action,
            thing_kind=kind,
            thing_id=key,
            fields=fields or [],
            previous_digest=last.digest if last else "",
        )
        entry.digest = digest_of(entry)
        entry.save(force_insert=True)


def digest_of(entry: AuditEntry) -> str:
    """SHA-256 over the entry's own content and the digest of the one before."""
    content: list[Any] = [
        entry.number,
        str(entry.actor_id),
        entry.action,
        entry.thing_kind,
        entry.thing_id,
        entry.fields,
        entry.happened_at.isoformat(),
        entry.previous_digest,
    ]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def first_broken_entry() -> int | None:
    """The number of the first entry that was altered, or after which one is missing. None if the whole chain holds."""
    previous, number = "", 0
    for entry in AuditEntry.objects.order_by("number").iterator():
        if entry.number != number + 1 or entry.previous_digest != previous or entry.digest != digest_of(entry):
            return entry.number
        previous, number = entry.digest, entry.number
    return None
