from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from accounts.models import User

Row = TypeVar("Row", bound=models.Model)


class OwnedQuerySet(models.QuerySet[Any]):
    """Rows with a `user` that concern this one person only."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The person's own rows; nobody else's, whoever asks: staff have the admin, where looking is logged."""
        return self.filter(user_id=user.pk) if user.is_authenticated else self.none()


class BlockQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The blocks that this person made. Whom others blocked stays theirs."""
        return self.filter(blocker_id=user.pk) if user.is_authenticated else self.none()


def apart(queryset: models.QuerySet[Row], person: User | AnonymousUser, path: str = "") -> models.QuerySet[Row]:
    """Rows of people whom `person` has not blocked and who have not blocked `person`. `path` leads from a row to its person, such as
    `user__`. Everything that lists, counts, searches or notifies other people goes through here."""
    if not person.is_authenticated:
        return queryset
    return queryset.exclude(**{f"{path}blocks_received__blocker_id": person.pk}).exclude(**{f"{path}blocks_made__blocked_id": person.pk})


class UserQuerySet(models.QuerySet["User"]):
    def present(self) -> Self:
        """People who are neither suspended nor erased."""
        return self.filter(is_active=True)

    def grown_up(self) -> Self:
        """People who are not known to be under 18 today. Somebody who turns 18 today counts from tomorrow in the west."""
        today = timezone.now().date()
        day = today.replace(day=28) if (today.month, today.day) == (2, 29) else today
        return self.filter(Q(birth_date__isnull=True) | Q(birth_date__lte=day.replace(year=day.year - 18)))

    def apart_from(self, person: User | AnonymousUser) -> Self:
        """Without those whom the person blocked, and without those who blocked the person."""
        return apart(self, person)  # type: ignore[return-value]

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """A person sees themselves and the public view of adults who are present and not blocked either way; staff see everybody."""
        if not user.is_authenticated:
            return self.none()
        if user.is_staff:
            return self
        others = self.present().grown_up().apart_from(user).values("pk")
        return self.filter(Q(pk=user.pk) | Q(pk__in=others))
