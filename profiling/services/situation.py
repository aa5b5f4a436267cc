"""What is known about a person when something is recommended to them. A hypothetical one is a copy with more claims."""

from __future__ import annotations

import dataclasses
import datetime
import json
import uuid
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import User
from ai.services.spaces import serving_space
from core.querysets import Vector
from core.vectors import Space
from profiling.enums import ClaimKind, ClaimSource
from profiling.models import Claim, Profile
from profiling.services.questions import REMOTE_ONLY

# Of how many of the person's newest reactions their taste is made.
_MOST_REACTIONS = 50
# How much a skill counts by whose word it is: proven, the person's own, or concluded by an engine with its confidence.
_PROVEN, _STATED, _INFERRED = 1.0, 0.8, 0.6


@dataclasses.dataclass(frozen=True)
class Taste:
    """What the person's reactions say. The vectors are means of unit vectors, or None where there were no reactions of the kind."""

    liked: str | None = None
    disliked: str | None = None
    categories: dict[uuid.UUID, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Situation:
    """Everything that a ranking depends on, but the catalogue itself."""

    user: User
    claims: tuple[Claim, ...]
    text: str
    vector: Vector | None
    space: Space
    taste: Taste
    today: datetime.date

    @property
    def skills(self) -> dict[uuid.UUID, float]:
        """How surely the person has each skill, 0..1."""
        found: dict[uuid.UUID, float] = {}
        for claim in self.claims:
            if claim.skill_id and claim.kind in (ClaimKind.SKILL, ClaimKind.INTEREST):
                found[claim.skill_id] = max(found.get(claim.skill_id, 0.0), _strength(claim))
        return found

    @property
    def wants_remote(self) -> bool:
        return any(claim.kind == ClaimKind.CONSTRAINT and claim.label == REMOTE_ONLY for claim in self.claims)

    @property
    def places(self) -> list[str]:
        return [claim.label for claim in self.claims if claim.kind == ClaimKind.LOCATION]

    @property
    def languages(self) -> list[str]:
        """Main language codes."""
        return sorted({code.partition("-")[0] for code in self.user.languages})


def _strength(claim: Claim) -> float:
    if claim.source == ClaimSource.VERIFIED:
        return _PROVEN
    return _STATED if claim.source == ClaimSource.MINE else _INFERRED * claim.confidence


def situation_of(user: User) -> Situation:
    """What is known about a person now; five queries."""
    space = serving_space()
    profile = Profile.objects.visible_to(user).first()
    vector = getattr(profile, space.columns.vector) if profile and getattr(profile, space.columns.model) == space.model else None
    return Situation(
        user=user,
        claims=tuple(Claim.objects.visible_to(user).active()),
        text=profile.text if profile else "",
        vector=list(vector) if vector is not None else None,
        space=space,
        taste=_taste(user, space),
        today=timezone.now().date(),
    )


_TASTE = """
WITH reaction AS (
    SELECT row.{vector} AS vector, row.category_id, reaction.dismissed_at IS NULL AS is_liked,
        (reaction.saved_at IS NOT NULL OR reaction.applied_at IS NOT NULL) AS is_strong
    FROM catalog_reaction AS reaction JOIN catalog_opportunity AS row ON row.id = reaction.opportunity_id AND row.{model} = %s
    WHERE reaction.user_id = %s ORDER BY reaction.updated_at DESC LIMIT %s
)
SELECT
    (SELECT avg(vector)::text FROM reaction WHERE is_liked),
    (SELECT avg(vector)::text FROM reaction WHERE NOT is_liked),
    (SELECT json_object_agg(category_id, share) FROM (
        SELECT category_id, count(*) / sum(count(*)) OVER () AS share
        FROM reaction WHERE is_strong AND category_id IS NOT NULL GROUP BY category_id
    ) AS counted)
"""


def _taste(user: User, space: Space) -> Taste:
    with connection.cursor() as cursor:
        cursor.execute(_TASTE.format(vector=space.columns.vector, model=space.columns.model), (space.model, user.pk, _MOST_REACTIONS))
        liked, disliked, categories = cursor.fetchone()
    shares: dict[str, Any] = json.loads(categories) if isinstance(categories, str) else categories or {}
    return Taste(liked, disliked, {uuid.UUID(key): float(share) for key, share in shares.items()})
