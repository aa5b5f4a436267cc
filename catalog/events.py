from __future__ import annotations

import dataclasses
import uuid
from typing import ClassVar

from core.events import Event


@dataclasses.dataclass(frozen=True)
class OpportunityPublished(Event):
    """An opportunity became live, for the first time or again."""

    name: ClassVar[str] = "catalog.opportunity-published"
    opportunity_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class OpportunityUnlisted(Event):
    """A live opportunity was paused, expired, closed, or sent back to review. `state` is the new one."""

    name: ClassVar[str] = "catalog.opportunity-unlisted"
    opportunity_id: uuid.UUID
    state: str


@dataclasses.dataclass(frozen=True)
class PostingReviewed(Event):
    """Staff decided about a posting that waited for a look."""

    name: ClassVar[str] = "catalog.posting-reviewed"
    opportunity_id: uuid.UUID
    review_id: uuid.UUID
    is_approved: bool


@dataclasses.dataclass(frozen=True)
class ConfirmationAsked(Event):
    """The poster of an opportunity is asked whether it still stands; without an answer it is paused."""

    name: ClassVar[str] = "catalog.confirmation-asked"
    opportunity_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class OpportunityReactedTo(Event):
    """A person saved, dismissed or applied for an opportunity. `kind` is a `ReactionKind`."""

    name: ClassVar[str] = "catalog.opportunity-reacted-to"
    user_id: uuid.UUID
    opportunity_id: uuid.UUID
    kind: str


@dataclasses.dataclass(frozen=True)
class SkillReplaced(Event):
    """A skill was merged into another one, or split into several. `successor_ids` are separated by commas."""

    name: ClassVar[str] = "catalog.skill-replaced"
    skill_id: uuid.UUID
    successor_ids: str


@dataclasses.dataclass(frozen=True)
class SavedSearchMatched(Event):
    """Something new was published that a saved search finds."""

    name: ClassVar[str] = "catalog.saved-search-matched"
    user_id: uuid.UUID
    search_id: uuid.UUID
    count: int
