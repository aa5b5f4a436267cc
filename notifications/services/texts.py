"""Text messages: short, counted in the parts that they cost (3GPP TS 23.038), and never beyond the budget."""

from __future__ import annotations

import datetime
import math
import uuid
from collections.abc import Mapping, Sequence

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from notifications.enums import Channel
from notifications.models import Delivery, Notification
from notifications.services.composing import Words, frame_for, words_for

MOST_SEGMENTS = 3
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")


def segments_of(text: str) -> int:
    """How many parts an SMS has: 160 characters of the basic alphabet or 70 others in one, 153 or 67 in each of several."""
    if set(text) <= _BASIC | _EXTENDED:
        units, alone, each = len(text) + sum(sign in _EXTENDED for sign in text), 160, 153
    else:
        units, alone, each = len(text.encode("utf-16-be")) // 2, 70, 67
    return 1 if units <= alone else math.ceil(units / each)


def text_for(notifications: Sequence[Notification]) -> str:
    """One text message for these: title and address of each, as many as fit."""
    person = notifications[0].user
    known = [words for row in notifications if (words := words_for(row))]
    lines: list[str] = []
    for number, words in enumerate(known):
        rest = len(known) - number - 1
        end = [frame_for(person).more.format(count=rest)] if rest else []
        line = f"{words.title} {words.url}"
        if lines and segments_of("\n".join(["Soosh", *lines, line, *end])) > MOST_SEGMENTS:
            return "\n".join(["Soosh", *lines, frame_for(person).more.format(count=rest + 1)])
        lines.append(line)
    return "\n".join(["Soosh", *lines]) if len(lines) > 1 else _alone(known[0])


def _alone(words: Words) -> str:
    title = words.title
    while title and segments_of(f"Soosh: {title} {words.url}") > MOST_SEGMENTS:
        title = title[:-10]
    return f"Soosh: {title} {words.url}"


def spent_today() -> int:
    """The parts that were sent since midnight UTC."""
    rows = Delivery.objects.filter(channel=Channel.SMS, segments__gt=0, sent_at__gte=_midnight())
    return rows.aggregate(parts=Sum("segments"))["parts"] or 0


def spent_today_by(user_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, int]:
    """Of them, by person."""
    rows = Delivery.objects.filter(channel=Channel.SMS, segments__gt=0, sent_at__gte=_midnight(), user_id__in=user_ids)
    return dict(rows.values("user_id").annotate(parts=Sum("segments")).values_list("user_id", "parts"))


def _midnight() -> datetime.datetime:
    return timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)


def is_within_budget(segments: int, *, spent: int, spent_by_person: int) -> bool:
    """Whether so many parts more may be sent today, to this person and at all."""
    return spent + segments <= settings.SMS_SEGMENTS_PER_DAY and spent_by_person + segments <= settings.SMS_SEGMENTS_PER_PERSON_PER_DAY
