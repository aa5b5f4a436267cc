from __future__ import annotations

from typing import TYPE_CHECKING

from core.querysets import VectorQuerySet

if TYPE_CHECKING:
    from mentors.models import MentorProfile  # noqa: F401  (the base class names it as a string)


class MentorProfileQuerySet(VectorQuerySet["MentorProfile"]):
    pass
