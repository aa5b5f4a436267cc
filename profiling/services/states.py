"""What a person's ranking depends on. A kept ranking remembers the state it was made in and is shown in no other."""

from __future__ import annotations

import dataclasses
import uuid

from core.prepared import fetch_one
from profiling.services.scoring import version_for

_RANKERS = """(
    SELECT array_agg(version || ' ' || state || ' ' || share ORDER BY version) FROM profiling_ranker
    WHERE state IN ('in_force', 'rolling_out')
)"""

# Rankers, embedding space, profile, reactions, account and the day. The text of a row keeps its members apart.
STATE = f"""ROW(
    {_RANKERS},
    (SELECT model || ' ' || "column" FROM core_embeddingspace WHERE state = 'in_force'),
    (SELECT ROW(updated_at, embedded_hash, twin_embedded_hash) FROM profiling_profile WHERE user_id = %(user)s),
    (SELECT ROW(max(updated_at), count(*)) FROM catalog_reaction WHERE user_id = %(user)s),
    (SELECT updated_at FROM accounts_user WHERE id = %(user)s),
    current_date
)::text"""

_STATE_OF = f"SELECT {STATE}, {_RANKERS}"


@dataclasses.dataclass(frozen=True)
class State:
    """`version` is that of the person's ranker; `text` changes whenever anything that the ranking depends on does."""

    version: int
    text: str


def state_of(user_id: uuid.UUID) -> State:
    """The state of a person's ranking now; one query."""
    text, rows = fetch_one(_STATE_OF, {"user": user_id})
    rankers = [ranker.split() for ranker in rows or ()]
    return State(version_for(user_id, [(int(version), state, int(share)) for version, state, share in rankers]), text)
