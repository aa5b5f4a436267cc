"""A person's notifications, and their number: both change only while the inbox is held, so its version orders what happened."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import Collection, Sequence

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from core.sockets import wake
from notifications.models import Inbox, Notification

MOST_CHANGES = 100
_PRUNED_AT_ONCE = 1_000
_ADVANCE = """
INSERT INTO notifications_inbox (user_id, version) SELECT unnest(%s::uuid[]), 1
ON CONFLICT (user_id) DO UPDATE SET version = notifications_inbox.version + 1
RETURNING user_id, version
"""


@dataclasses.dataclass(frozen=True)
class Changes:
    """What changed in an inbox after some version. `is_whole` is False where more changed than is given: then read the list anew."""

    version: int
    unread: int
    notifications: Sequence[Notification]
    is_whole: bool


def advance(user_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Take hold of these inboxes until the transaction ends, and give each its next version. The order of the ids keeps two that hold
    several from waiting for each other."""
    with connection.cursor() as cursor:
        cursor.execute(_ADVANCE, (sorted(user_ids),))
        return dict(cursor.fetchall())


def read_notifications(*, user: User, ids: Collection[uuid.UUID] = (), up_to: uuid.UUID | None = None) -> int:
    """Mark some as read, or all up to one, or all. Those of others, and those read before, stay as they are. Returns how many were unread.
    Read on one device is read on all."""
    rows = Notification.objects.filter(user=user, read_at__isnull=True)
    if ids:
        rows = rows.filter(pk__in=list(ids))
    elif up_to is not None:
        rows = rows.filter(pk__lte=up_to)
    with transaction.atomic():
        version = advance([user.pk])[user.pk]
        count = rows.update(read_at=timezone.now(), version=version)
        transaction.on_commit(lambda: wake_inboxes([user.pk]))
    return count


def unread_count(user: User) -> int:
    """How many a person has not read."""
    return Notification.objects.visible_to(user).unread().count()


def changes_since(*, user: User, version: int) -> Changes:
    """What an open app does not know yet, in one consistent look."""
    with transaction.atomic():
        inbox = Inbox.objects.select_for_update().filter(user=user).first()
        now = inbox.version if inbox else 0
        rows = Notification.objects.visible_to(user).filter(version__gt=version).select_related("user", "about")
        found = list(rows.order_by("version", "id")[: MOST_CHANGES + 1])
        return Changes(now, unread_count(user), found[:MOST_CHANGES], len(found) <= MOST_CHANGES)


def wake_inboxes(user_ids: Collection[uuid.UUID]) -> None:
    """Tell the open apps of these people to look. What is lost on the way is seen at the next look."""
    wake([f"inbox.{user_id}" for user_id in user_ids])


def prune() -> int:
    """Delete what is older than it is kept, with its deliveries. Returns how many."""
    horizon = timezone.now() - datetime.timedelta(days=settings.NOTIFICATION_RETENTION_DAYS)
    deleted = 0
    while True:
        # Ids are in the order of creation, so the oldest are found without a search.
        ids = list(Notification.objects.filter(created_at__lt=horizon).order_by("id").values_list("pk", flat=True)[:_PRUNED_AT_ONCE])
        Notification.objects.filter(pk__in=ids).delete()
        deleted += len(ids)
        if len(ids) < _PRUNED_AT_ONCE:
            return deleted
