from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils import timezone

from catalog.querysets import Viewer
from core.querysets import VectorQuerySet
from profiling.enums import ClaimState, SuggestionState

if TYPE_CHECKING:
    from profiling.models import Claim, Interview, Profile, Recording, Suggestion  # noqa: F401  (base classes name them as strings)


class InterviewQuerySet(models.QuerySet["Interview"]):
    def visible_to(self, user: Viewer) -> Self:
        """One's own, and nobody else's, staff included: an interview is a private conversation."""
        return self.filter(user_id=user.pk) if user.is_authenticated else self.none()


class ClaimQuerySet(models.QuerySet["Claim"]):
    def visible_to(self, user: Viewer) -> Self:
        """One's own."""
        return self.filter(user_id=user.pk) if user.is_authenticated else self.none()

    def active(self) -> Self:
        return self.filter(state=ClaimState.ACTIVE)


class RecordingQuerySet(models.QuerySet["Recording"]):
    def visible_to(self, user: Viewer) -> Self:
        """One's own, while they are kept."""
        return self.filter(user_id=user.pk, expires_at__gt=timezone.now()) if user.is_authenticated else self.none()


class SuggestionQuerySet(models.QuerySet["Suggestion"]):
    def visible_to(self, user: Viewer) -> Self:
        """One's own."""
        return self.filter(user_id=user.pk) if user.is_authenticated else self.none()

    def open(self) -> Self:
        return self.filter(state=SuggestionState.OPEN)


class ProfileQuerySet(VectorQuerySet["Profile"]):
    def visible_to(self, user: Viewer) -> Self:
        """One's own."""
        return self.filter(user_id=user.pk) if user.is_authenticated else self.none()
