"""Telling people: one notification row, one delivery row per channel, written in the transaction of the cause."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.enums import ConsentPurpose, Role
from accounts.models import Block, User
from accounts.services.consents import those_who_agree
from core.calendar_entries import CalendarEntry
from notifications.enums import Channel, DeliveryState, Urgency
from notifications.models import Delivery, Notification, Phone, Preferences, PushDevice
from notifications.notices import NEWS, Kind, UndeclaredData
from notifications.services.inbox import advance, wake_inboxes
from notifications.services.preferences import choices_of, is_wanted, send_delivery_at
from notifications.services.ringing import ring


class NotifiedOutsideTransaction(Exception):
    """A notice must not outlive a cause that was rolled back."""


def notify_staff(*, kind: Kind, data: Mapping[str, Any], key: str) -> int:
    """Tell everybody of the staff who is present. See `notify`."""
    people = User.objects.present().filter(role=Role.STAFF).values_list("pk", flat=True)
    return notify(kind=kind, user_ids=list(people), data=data, key=key)


def notify(
    *,
    kind: Kind,
    user_ids: Collection[uuid.UUID],
    data: Mapping[str, Any],
    about_id: uuid.UUID | None = None,
    key: str = "",
    collapse_key: str = "",
    calendar: CalendarEntry | None = None,
) -> int:
    """Tell these people, in the open transaction. Nobody is told who is suspended, erased, or apart from the person it is about, nor
    anybody about somebody who is gone. The same `key` tells a person once; the same `collapse_key` replaces what is unread and counts it.
    Returns how many are told.

    Raises:
        NotifiedOutsideTransaction: no transaction is open.
        UndeclaredData: the data is not what the kind declares, or the kind carries no calendar part.
    """
    if not connection.in_atomic_block:
        raise NotifiedOutsideTransaction(kind.name)
    if calendar is not None and (collapse_key or not kind.carries_calendar):
        raise UndeclaredData(f"{kind.name} carries no calendar part, or is collapsed with others.")
    stored = kind.checked(data)
    tellable = sorted(_tellable(user_ids, about_id).values_list("pk", flat=True))
    if not tellable:
        return 0
    versions = advance(tellable)
    told = _not_told(kind, tellable, key)
    counts = _replace_unread(kind, told, collapse_key, versions)
    now = timezone.now()
    rows = [
        Notification(
            user_id=user_id,
            kind=kind.name,
            topic=kind.topic.name,
            urgency=kind.urgency,
            data=stored,
            calendar=dataclasses.asdict(calendar) if calendar else None,
            about_id=about_id,
            key=key,
            collapse_key=collapse_key,
            count=counts.get(user_id, 0) + 1,
            version=versions[user_id],
            expires_at=None if kind.useful.is_outcome else kind.useful.deadline(stored, now),
        )
        for user_id in told
    ]
    Notification.objects.bulk_create(rows)
    deliveries = _deliveries(kind, rows, now)
    Delivery.objects.bulk_create(deliveries)
    due = {delivery.channel for delivery in deliveries if delivery.state == DeliveryState.QUEUED}
    transaction.on_commit(lambda: ring(due))
    if kind.urgency != Urgency.BULK:
        transaction.on_commit(lambda: wake_inboxes(told))
    return len(rows)


def tellable_about(person_id: uuid.UUID) -> Q:
    """People who may hear of this one."""
    blocked = Block.objects.filter(blocker_id=person_id).values("blocked_id")
    blocking = Block.objects.filter(blocked_id=person_id).values("blocker_id")
    return ~Q(pk=person_id) & ~Q(pk__in=blocked) & ~Q(pk__in=blocking)


def may_name(*, person_id: uuid.UUID, other_id: uuid.UUID) -> bool:
    """Whether a notice to this person may name the other: both accounts exist and neither has blocked the other."""
    return _tellable([person_id], other_id).exists()


def _tellable(user_ids: Collection[uuid.UUID], about_id: uuid.UUID | None) -> QuerySet[User]:
    people = User.objects.present().filter(pk__in=list(user_ids))
    if about_id is None:
        return people
    if not User.objects.present().filter(pk=about_id).exists():
        return people.none()
    return people.filter(tellable_about(about_id))


def _not_told(kind: Kind, user_ids: Sequence[uuid.UUID], key: str) -> list[uuid.UUID]:
    """Those whom this key has not reached. Their inboxes are held, so nobody tells them at the same time."""
    if not key:
        return list(user_ids)
    told = set(Notification.objects.filter(user_id__in=user_ids, kind=kind.name, key=key).values_list("user_id", flat=True))
    return [user_id for user_id in user_ids if user_id not in told]


def _replace_unread(
    kind: Kind, user_ids: Sequence[uuid.UUID], collapse_key: str, versions: Mapping[uuid.UUID, int]
) -> dict[uuid.UUID, int]:
    """Put aside what the new ones stand for; what of it is still on its way is not sent. Returns how many each person's new one takes
    over."""
    if not collapse_key:
        return {}
    unread = Notification.objects.filter(
        user_id__in=user_ids, kind=kind.name, collapse_key=collapse_key, read_at__isnull=True, replaced_at__isnull=True
    )
    old = list(unread)
    now = timezone.now()
    for row in old:
        row.replaced_at, row.version = now, versions[row.user_id]
    Notification.objects.bulk_update(old, ["replaced_at", "version"])
    return {row.user_id: row.count for row in old}


def _deliveries(kind: Kind, rows: Sequence[Notification], now: datetime.datetime) -> list[Delivery]:
    user_ids = [row.user_id for row in rows]
    chosen = choices_of(user_ids)
    preferences = _preferences_of(user_ids)
    reachable = _reachable(kind, user_ids)
    found = []
    for row in rows:
        for channel in Channel:
            choice = chosen.get((row.user_id, kind.topic.name, channel))
            if row.user_id not in reachable[channel] or not is_wanted(kind, channel, choice):
                continue
            delivery = Delivery(notification=row, user_id=row.user_id, channel=channel, urgency=kind.urgency)
            delivery.due_at = send_delivery_at(preferences[row.user_id], delivery, now=now)
            delivery.state = DeliveryState.HELD if delivery.due_at > now else DeliveryState.QUEUED
            found.append(delivery)
    return found


def _preferences_of(user_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Preferences]:
    rows = {row.user_id: row for row in Preferences.objects.filter(user_id__in=user_ids)}
    people = User.objects.filter(pk__in=user_ids).only("pk", "time_zone")
    found = {person.pk: rows.get(person.pk) or Preferences() for person in people}
    for person in people:
        found[person.pk].user = person
    return found


def _reachable(kind: Kind, user_ids: Sequence[uuid.UUID]) -> dict[str, set[uuid.UUID]]:
    """The recipients of each channel. Managed profiles of children have no mailbox; news goes only to people who agreed to it."""
    willing = set(user_ids)
    if kind.topic == NEWS:
        willing = those_who_agree(user_ids, ConsentPurpose.MARKETING)
    found: dict[str, set[uuid.UUID]] = defaultdict(set)
    without_mailbox = User.objects.filter(pk__in=user_ids, email__endswith=".invalid").values_list("pk", flat=True)
    found[Channel.EMAIL] = willing - set(without_mailbox)
    found[Channel.PUSH] = willing & set(PushDevice.objects.filter(user_id__in=user_ids).values_list("user_id", flat=True))
    phones = Phone.objects.filter(user_id__in=user_ids, verified_at__isnull=False)
    found[Channel.SMS] = willing & set(phones.values_list("user_id", flat=True))
    return found
