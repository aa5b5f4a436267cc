"""What a person chose about being told things, and what follows from it."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from core.wall_time import Weekday
from notifications.enums import Cadence, Channel, DeliveryState, Urgency
from notifications.models import WAITING, Choice, Delivery, Notification, Preferences
from notifications.notices import Kind, Topic, kind_named, kinds_of, topics
from notifications.services.timing import Digest, QuietHours, end_of_quiet, next_send_at

_TIMES = ("quiet_from", "quiet_until", "cadence", "digest_at", "digest_on", "urgent_breaks_through")
# A text message rings; in most countries one may come from 8 to 21 o'clock.
_SMS_NIGHT = QuietHours(datetime.time(21), datetime.time(8))

# Topic and channel: whether it is wanted.
Choices = Mapping[tuple[str, str], bool]


def set_preferences(*, user: User, choices: Choices | None = None, **fields: Any) -> Preferences:
    """Choose anew: what is not given takes its default. What waits is held until the instant that follows from the new choice."""
    chosen = Preferences(user=user, **fields)
    with transaction.atomic():
        preferences, _ = Preferences.objects.update_or_create(user=user, defaults={name: getattr(chosen, name) for name in _TIMES})
        Choice.objects.filter(user=user).delete()
        rows = [
            Choice(user=user, topic=topic, channel=channel, is_wanted=is_wanted) for (topic, channel), is_wanted in (choices or {}).items()
        ]
        Choice.objects.bulk_create(rows)
        _hold_anew(preferences)
    return preferences


def stop_mail(*, user_id: uuid.UUID, topics: Iterable[Topic]) -> None:
    """Turn e-mail off for these topics, as far as it can be. Nothing is noted of somebody who is gone."""
    for topic in topics if User.objects.present().filter(pk=user_id).exists() else ():
        Choice.objects.update_or_create(user_id=user_id, topic=topic.name, channel=Channel.EMAIL, defaults={"is_wanted": False})


def choices_of(user_ids: Iterable[Any]) -> dict[tuple[Any, str, str], bool]:
    """What these people chose, by person, topic and channel; one query."""
    rows = Choice.objects.filter(user_id__in=list(user_ids)).values_list("user_id", "topic", "channel", "is_wanted")
    return {(user_id, topic, channel): is_wanted for user_id, topic, channel, is_wanted in rows}


def is_wanted(kind: Kind, channel: Channel, chosen: bool | None) -> bool:
    """Whether somebody is told of this kind on this channel, given what they chose for its topic."""
    if channel in kind.fixed:
        return True
    return channel in kind.channels if chosen is None else chosen


def matrix(chosen: Choices, language: str) -> list[dict[str, Any]]:
    """Every topic with whether each channel is on, and those that cannot be turned off."""
    return [
        {
            "topic": topic.name,
            "label": topic.labels[language],
            "description": topic.descriptions[language],
            "channels": {channel: chosen.get((topic.name, channel), _by_default(topic.name, channel)) for channel in Channel},
            "fixed": fixed_channels(topic.name),
        }
        for topic in topics()
    ]


def fixed_channels(topic: str) -> list[Channel]:
    """On which something of this topic must be told."""
    return [channel for channel in Channel if any(channel in kind.fixed for kind in kinds_of(topic))]


def _by_default(topic: str, channel: Channel) -> bool:
    return any(channel in kind.channels | kind.fixed for kind in kinds_of(topic))


def send_at(
    preferences: Preferences,
    *,
    now: datetime.datetime,
    urgency: Urgency = Urgency.NORMAL,
    channel: Channel = Channel.EMAIL,
    deadline: datetime.datetime | None = None,
    changes_calendar: bool = False,
    is_gathered: bool = True,
) -> datetime.datetime:
    """When a notice that arises now is sent to this person on this channel.

    E-mail that is binding or changes a calendar is sent at once: it makes no sound. Urgent notices wait for no digest, and for the end of
    quiet hours unless the person lets them through. With a `deadline` at least half of the remaining time is left to act: what would come
    later skips the digest, and as e-mail the quiet hours too. With `is_gathered` off the notice has waited for its digest already.
    """
    if channel == Channel.EMAIL and (urgency == Urgency.BINDING or changes_calendar):
        return now
    zone = ZoneInfo(preferences.user.time_zone)
    is_urgent = urgency >= Urgency.URGENT
    quiet = [] if is_urgent and preferences.urgent_breaks_through else _quiet_hours(preferences, channel)
    waits = is_gathered and not is_urgent
    digest = Digest(Cadence(preferences.cadence), preferences.digest_at, Weekday(preferences.digest_on)) if waits else Digest()
    planned = next_send_at(now, zone=zone, digest=digest, quiet=quiet)
    if deadline is None or planned <= now + (deadline - now) / 2:
        return planned
    morning = end_of_quiet(now, zone=zone, quiet=quiet)
    return now if channel == Channel.EMAIL and morning > now + (deadline - now) / 2 else morning


def send_delivery_at(
    preferences: Preferences, delivery: Delivery, *, now: datetime.datetime, is_gathered: bool = True
) -> datetime.datetime:
    """When this delivery, with its notification loaded, is sent to its person from now on. See `send_at`."""
    notification = delivery.notification
    return send_at(
        preferences,
        now=now,
        urgency=Urgency(delivery.urgency),
        channel=Channel(delivery.channel),
        deadline=deadline_of(notification),
        changes_calendar=notification.calendar is not None,
        is_gathered=is_gathered,
    )


def deadline_of(notification: Notification) -> datetime.datetime | None:
    """The instant until which the recipient can act on it; None if there is none or its kind is no longer declared."""
    kind = kind_named(notification.kind)
    return kind.useful.deadline(notification.data, notification.created_at) if kind else None


def _quiet_hours(preferences: Preferences, channel: Channel) -> list[QuietHours]:
    hours = [_SMS_NIGHT] if channel == Channel.SMS else []
    if preferences.quiet_from is not None and preferences.quiet_until is not None:
        hours.append(QuietHours(preferences.quiet_from, preferences.quiet_until))
    return hours


def _hold_anew(preferences: Preferences) -> None:
    """What waits was timed by what the person chose before."""
    now = timezone.now()
    waiting = Delivery.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        Q(user=preferences.user), state__in=WAITING, claimed_at__isnull=True, bundled_with__isnull=True, attempts=0
    )
    changed = []
    for delivery in waiting.select_related("notification"):
        delivery.due_at = send_delivery_at(preferences, delivery, now=now)
        delivery.state = DeliveryState.HELD if delivery.due_at > now else DeliveryState.QUEUED
        changed.append(delivery)
    Delivery.objects.bulk_update(changed, ["due_at", "state"])
