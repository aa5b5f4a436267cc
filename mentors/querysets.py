from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models import User
from accounts.policies import is_minor
from accounts.querysets import OwnedQuerySet, apart
from core.querysets import COLUMNS_OF_VECTORS, VectorQuerySet
from mentors.enums import MentorState

if TYPE_CHECKING:
    from mentors.models import MentorProfile  # noqa: F401  (the base class names it as a string)

Viewer = User | AnonymousUser
SHOWN = (MentorState.LIVE, MentorState.PAUSED)


class MentorProfileQuerySet(VectorQuerySet["MentorProfile"]):
    def shown(self) -> Self:
        """Mentors that staff took, who are present and grown up."""
        people = User.objects.present().grown_up().values("pk")
        return self.filter(state__in=SHOWN, user__in=people)

    def listed_for(self, viewer: Viewer) -> Self:
        """Whom this person, staff or not, meets in lists, searches and matches: mentors that are shown and not blocked either way. Who is
        under 18 meets nobody, as long as nobody was checked for work with minors."""
        if isinstance(viewer, User) and is_minor(viewer):
            return self.none()
        return apart(self.shown(), viewer, "user__")  # type: ignore[return-value]

    def bookable_for(self, viewer: Viewer) -> Self:
        """Of those, the mentors who take bookings now, and not the viewer."""
        found = self.listed_for(viewer).filter(state=MentorState.LIVE)
        return found.exclude(user_id=viewer.pk) if viewer.is_authenticated else found

    def visible_to(self, viewer: Viewer) -> Self:
        """Whom this person may look at by their address: who is listed for them, and themselves in every state. Staff see everybody."""
        if viewer.is_staff:
            return self
        if not viewer.is_authenticated:
            return self.listed_for(viewer)
        own = Q(user_id=viewer.pk)
        return self.filter(own | Q(pk__in=self.model._default_manager.listed_for(viewer).values("pk")))  # type: ignore[attr-defined]

    def for_cards(self) -> Self:
        """With what a card shows, and without the wide columns."""
        return self.select_related("user").prefetch_related(_skills(), _offers()).defer(*COLUMNS_OF_VECTORS)


def _skills() -> models.Prefetch[Any]:
    wide = (f"skill__{name}" for name in COLUMNS_OF_VECTORS)
    return models.Prefetch("skill_links", apps.get_model("mentors", "MentorSkill")._default_manager.select_related("skill").defer(*wide))


def _offers() -> models.Prefetch[Any]:
    active = apps.get_model("mentors", "Offer")._default_manager.filter(is_active=True)
    return models.Prefetch("offers", active, to_attr="active_offers")


class PersonsQuerySet(OwnedQuerySet):
    """Rows with a `person` that concern this one alone."""

    def visible_to(self, user: Viewer) -> Self:
        return self.filter(person_id=user.pk) if user.is_authenticated else self.none()


__all__ = ("SHOWN", "MentorProfileQuerySet", "PersonsQuerySet")
