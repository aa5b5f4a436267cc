from __future__ import annotations

import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from notifications.enums import Urgency
from notifications.models import Choice, Notification, Preferences, PushDevice
from notifications.services.composing import words_for


def preferences_of(user: User) -> Preferences:
    """What this person chose, or the defaults, which are not stored."""
    return Preferences.objects.visible_to(user).select_related("user").first() or Preferences(user=user)


def choices_of_person(user: User) -> dict[tuple[str, str], bool]:
    """What this person chose, by topic and channel."""
    rows = Choice.objects.visible_to(user).values_list("topic", "channel", "is_wanted")
    return {(topic, channel): is_wanted for topic, channel, is_wanted in rows}


def inbox_of(user: User) -> QuerySet[Notification]:
    """A person's notifications with what their words need."""
    return Notification.objects.visible_to(user).select_related("user", "about")


def push_devices_of(user: User) -> QuerySet[PushDevice]:
    """The phones to which a person's pushes go."""
    rows: QuerySet[PushDevice] = PushDevice.objects.visible_to(user).select_related("device")
    return rows


def card_of(notification: Notification) -> dict[str, Any]:
    """A notification as the API and the socket show it. Of a kind that nobody declares any more only its topic is known."""
    words = words_for(notification)
    about = notification.about
    return {
        "id": str(notification.pk),
        "kind": notification.kind,
        "topic": notification.topic,
        "urgency": Urgency(notification.urgency).name.lower(),
        "title": words.title if words else "",
        "text": words.text if words else "",
        "link": words.link if words else "",
        "path": words.path if words else "",
        "about": {"id": str(about.pk), "full_name": about.full_name} if about else None,
        "count": notification.count,
        "created_at": _shown(notification.created_at),
        "read_at": _shown(notification.read_at) if notification.read_at else None,
    }


def _shown(instant: datetime.datetime) -> str:
    return instant.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
