"""What people are told about their sessions."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from notifications.enums import Channel, Urgency
from notifications.notices import DESK, Kind, Topic, declare

SESSIONS = Topic(
    "sessions",
    {"en": "Your sessions", "de": "Deine Treffen"},
    {
        "en": "Requests, answers, changes and reminders of sessions with mentors.",
        "de": "Anfragen, Antworten, Änderungen und Erinnerungen zu Treffen mit Mentoren.",
    },
)
_EMAIL = frozenset({Channel.EMAIL})
_SESSION: dict[str, type] = {"booking": uuid.UUID, "name": str, "what": str, "starts": datetime.datetime, "minutes": int}
_EXAMPLE: dict[str, Any] = {
    "booking": uuid.UUID("0197a000-0000-7000-8000-000000000000"),
    "name": "Ada",
    "what": "Mock interview",
    "starts": datetime.datetime(2027, 6, 1, 15, 30, tzinfo=datetime.UTC),
    "minutes": 60,
}
_LATER = datetime.datetime(2027, 6, 2, 9, 0, tzinfo=datetime.UTC)


def _kind(name: str, more: dict[str, type] | None = None, examples: dict[str, Any] | None = None, **options: Any) -> Kind:
    options.setdefault("topic", SESSIONS)
    options.setdefault("path", "/bookings/{booking}")
    return declare(Kind(name=f"bookings.{name}", data={**_SESSION, **(more or {})}, examples={**_EXAMPLE, **(examples or {})}, **options))


BOOKING_REQUESTED = _kind("booking-requested", {"until": datetime.datetime}, {"until": _LATER}, fixed=_EMAIL)
APPROVAL_NEEDED = _kind("approval-needed", fixed=_EMAIL)
WARD_SESSION = _kind("ward-session", fixed=_EMAIL)
BOOKING_CONFIRMED = _kind("booking-confirmed", fixed=_EMAIL)
BOOKING_DECLINED = _kind("booking-declined", {"note": str}, {"note": "I am away that week."}, fixed=_EMAIL)
REQUEST_EXPIRED = _kind("request-expired", fixed=_EMAIL)
BOOKING_CANCELLED = _kind("booking-cancelled", {"note": str}, {"note": "I am ill."}, fixed=_EMAIL, urgency=Urgency.URGENT)
BOOKING_MOVED = _kind("booking-moved", {"note": str}, {"note": ""}, fixed=_EMAIL, urgency=Urgency.URGENT)
COUNTER_OFFERED = _kind("counter-offered", {"proposed": datetime.datetime}, {"proposed": _LATER}, fixed=_EMAIL)
WAITLIST_OFFERED = _kind("waitlist-offered", {"until": datetime.datetime}, {"until": _LATER}, fixed=_EMAIL, urgency=Urgency.URGENT)
WAITLIST_PASSED = _kind("waitlist-passed")
COUNTER_WITHDRAWN = _kind("counter-withdrawn")
SESSION_SOON = _kind(
    "session-soon",
    {"in_minutes": int},
    {"in_minutes": 60},
    urgency=Urgency.URGENT,
    lasts=datetime.timedelta(hours=1),
)
SESSION_MISSED = _kind("session-missed", {"until": datetime.datetime}, {"until": _LATER}, fixed=_EMAIL)
APPEAL_DECIDED = _kind(
    "appeal-decided", {"note": str, "is_upheld": bool}, {"note": "The logs show you there.", "is_upheld": True}, fixed=_EMAIL
)
STRIKES_WARNED = _kind("strikes-warned", {"number": int}, {"number": 2}, fixed=_EMAIL)
APPEAL_OPEN = _kind("appeal-open", topic=DESK, path="/admin/bookings/appeal/?state__exact=open", fixed=_EMAIL)
ROOM_FAILED = _kind("room-failed", topic=DESK, path="/admin/bookings/room/?state__exact=failed", fixed=_EMAIL, urgency=Urgency.URGENT)
