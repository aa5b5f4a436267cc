from __future__ import annotations

import uuid

_SPACE = uuid.UUID("019b3f52-7c11-7b3a-9a52-2f1d5d0c5e01")


def cause_of(provider_id: str) -> uuid.UUID:
    """The cause, in the ledger, of what an object of the provider made happen."""
    return uuid.uuid5(_SPACE, provider_id)
