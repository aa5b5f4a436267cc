from __future__ import annotations

import dataclasses
import uuid
from typing import ClassVar

from core.events import Event


@dataclasses.dataclass(frozen=True)
class InterviewCompleted(Event):
    """A person finished an interview."""

    name: ClassVar[str] = "profiling.interview-completed"
    user_id: uuid.UUID
    interview_id: uuid.UUID


@dataclasses.dataclass(frozen=True)
class ProfileChanged(Event):
    """The claims about a person changed, so their vector is out of date."""

    name: ClassVar[str] = "profiling.profile-changed"
    user_id: uuid.UUID
