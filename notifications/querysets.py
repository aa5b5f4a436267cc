from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from accounts.models import Block, User

if TYPE_CHECKING:
    from notifications.models import Notification  # noqa: F401  (the base class names it as a string)


class NotificationQuerySet(QuerySet["Notification"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """A person's own inbox, whoever asks: without what a newer one replaced, and without what names somebody who is blocked either way,
        suspended or erased."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(user_id=user.pk, replaced_at__isnull=True).naming_nobody_hidden_from(user.pk)

    def naming_nobody_hidden_from(self, person_id: Any) -> Self:
        blocked = Block.objects.filter(blocker_id=person_id).values("blocked_id")
        blocking = Block.objects.filter(blocked_id=person_id).values("blocker_id")
        apart = Q(about__is_active=True) & ~Q(about__in=blocked) & ~Q(about__in=blocking)
        return self.filter(Q(about__isnull=True) | apart)

    def unread(self) -> Self:
        return self.filter(read_at__isnull=True)


__all__ = ("NotificationQuerySet",)
