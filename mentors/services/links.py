"""What a person has here, for their own calendar program, under a secret address."""

from __future__ import annotations

import datetime
import secrets
import uuid
from collections.abc import Mapping
from urllib.parse import urlsplit

import icalendar
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import User
from core.calendar_entries import CalendarEntry, calendar_of, event_of
from core.sealing import seal, unseal
from mentors.enums import TimeSource
from mentors.models import CalendarLink, OccupiedTime

_TOKEN = "mentors.calendar-link"  # noqa: S105  (the name of a purpose)
FEED_BEGINS_BEFORE = datetime.timedelta(days=90)
_MOST_ENTRIES = 5_000
_NAMES = {TimeSource.SESSION: "Session", TimeSource.HOLD: "Session (not yet confirmed)", TimeSource.BLOCK: "Blocked"}


def own_suffix() -> str:
    """How the UID of every entry of ours ends: so we know it when it comes back from outside (RFC 7986, 5.3)."""
    return f"@{urlsplit(settings.SITE_URL).hostname or 'localhost'}"


def rotate_link(*, person: User) -> str:
    """Make a new secret address, and end the one before. Returns its token."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        fields = {"sealed_token": seal(token, purpose=_TOKEN), "token_digest": _digest(token), "rotated_at": timezone.now()}
        CalendarLink.objects.update_or_create(person=person, defaults=fields)
    return token


def drop_link(*, person: User) -> None:
    """End the secret address."""
    with transaction.atomic():
        CalendarLink.objects.filter(person=person).delete()


def token_of(link: CalendarLink) -> str:
    """The token of a secret address, for its owner to see."""
    return unseal(link.sealed_token, purpose=_TOKEN)


def person_behind(token: str) -> User | None:
    """Whose secret address this is, if they are present."""
    link = CalendarLink.objects.select_related("person").filter(token_digest=_digest(token), person__is_active=True).first()
    return link.person if link else None


def feed_of(person: User, *, described: Mapping[uuid.UUID, CalendarEntry] | None = None) -> bytes:
    """Sessions, holds and blocks of the last three months and the future, as iCalendar; no outside events.

    `described` maps the reference of a booking to the entry that shows it.
    """
    rows = OccupiedTime.objects.filter(person=person, source__in=list(_NAMES), during__endswith__gt=timezone.now() - FEED_BEGINS_BEFORE)
    known = described or {}
    events = [_event(row, known.get(row.reference) if row.reference else None) for row in rows.order_by("during")[:_MOST_ENTRIES]]
    return calendar_of(events, name="Soosh")


def _event(row: OccupiedTime, described: CalendarEntry | None) -> icalendar.Event:
    when = row.session or row.during
    entry = described or CalendarEntry(
        uid=f"{row.reference or row.pk}{own_suffix()}",
        sequence=row.moves,
        starts_at=when.lower,
        ends_at=when.upper,
        summary=row.title or _NAMES[TimeSource(row.source)],
    )
    return event_of(entry, stamped_at=row.updated_at, status="TENTATIVE" if row.source == TimeSource.HOLD else "CONFIRMED")


def _digest(token: str) -> str:
    return salted_hmac(_TOKEN, token, algorithm="sha256").hexdigest()
