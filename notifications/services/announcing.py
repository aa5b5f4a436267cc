"""One notice to everybody: some hundred people a transaction, in the order of their ids, from where the last worker came to."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from notifications.enums import AnnouncementState
from notifications.models import Announcement
from notifications.notices import ANNOUNCED
from notifications.services.notifying import notify
from notifications.services.ringing import ring_announcer

_BATCH = 500


def start(*, announcement_id: uuid.UUID) -> bool:
    """Begin to tell everybody, or go on with what was stopped. False where it runs or is done."""
    with transaction.atomic():
        found = Announcement.objects.select_for_update().get(pk=announcement_id)
        if found.state not in (AnnouncementState.DRAFT, AnnouncementState.STOPPED):
            return False
        found.state, found.started_at = AnnouncementState.RUNNING, found.started_at or timezone.now()
        found.total = _audience(found).count() if found.last_id is None else found.total
        found.save()
        transaction.on_commit(lambda: ring_announcer(found.pk))
    return True


def stop(*, announcement_id: uuid.UUID) -> bool:
    """Tell nobody more. Those whom it reached keep it."""
    running_one = Announcement.objects.filter(pk=announcement_id, state=AnnouncementState.RUNNING)
    return bool(running_one.update(state=AnnouncementState.STOPPED, updated_at=timezone.now()))


def running() -> list[uuid.UUID]:
    """Those that are not through."""
    return list(Announcement.objects.filter(state=AnnouncementState.RUNNING).values_list("pk", flat=True))


def tell_some(*, announcement_id: uuid.UUID) -> bool:
    """Tell the next people. Whether there are more. Two workers do not tell the same: one holds the announcement, the other goes away."""
    with transaction.atomic():
        rows = Announcement.objects.select_for_update(skip_locked=True).filter(pk=announcement_id, state=AnnouncementState.RUNNING)
        announcement = rows.first()
        if announcement is None:
            return False
        audience = _audience(announcement)
        if announcement.last_id is not None:
            audience = audience.filter(pk__gt=announcement.last_id)
        ids = list(audience.order_by("pk").values_list("pk", flat=True)[:_BATCH])
        if ids:
            data = {"title": announcement.title, "text": announcement.text}
            announcement.done += notify(kind=ANNOUNCED, user_ids=ids, data=data, key=str(announcement.pk))
            announcement.last_id = ids[-1]
        if len(ids) < _BATCH:
            announcement.state, announcement.finished_at = AnnouncementState.DONE, timezone.now()
        announcement.save()
    return len(ids) == _BATCH


def _audience(announcement: Announcement) -> QuerySet[User]:
    people = User.objects.present()
    languages = [part.strip() for part in announcement.languages.split(",") if part.strip()]
    if not languages:
        return people
    wanted = Q()
    for language in languages:
        wanted |= Q(locale=language) | Q(locale__startswith=f"{language}-")
    return people.filter(wanted)
