"""What people are told about their sessions."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

from notifications.enums import Channel, Urgency
from notifications.notices import ALWAYS, DESK, Kind, Topic, Usefulness, declare, until

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
_UNTIL: dict[str, type] = {"until": datetime.datetime}
_SESSION_END = until("starts", plus_minutes="minutes")
_OUTCOME = until("starts", is_outcome=True)


def _kind(
    name: str,
    more: dict[str, type] | None = None,
    examples: dict[str, Any] | None = None,
    *,
    useful: Usefulness,
    carries_calendar: bool = False,
    **options: Any,
) -> Kind:
    options.setdefault("topic", SESSIONS)
    options.setdefault("path", "/bookings/{booking}")
    return declare(
        Kind(
            name=f"bookings.{name}",
            data={**_SESSION, **(more or {})},
            examples={**_EXAMPLE, **(examples or {})},
            useful=useful,
            carries_calendar=carries_calendar,
            **options,
        )
    )


# Questions: dropped after their deadline, when the outcome is told instead.
BOOKING_REQUESTED = _kind("booking-requested", _UNTIL, {"until": _LATER}, useful=until("until"), fixed=_EMAIL)
APPROVAL_NEEDED = _kind("approval-needed", _UNTIL, {"until": _LATER}, useful=until("until"), fixed=_EMAIL)
COUNTER_OFFERED = _kind(
    "counter-offered",
    {"proposed": datetime.datetime, **_UNTIL},
    {"proposed": _LATER, "until": _LATER},
    useful=until("until"),
    fixed=_EMAIL,
)
WAITLIST_OFFERED = _kind("waitlist-offered", _UNTIL, {"until": _LATER}, useful=until("until"), fixed=_EMAIL, urgency=Urgency.URGENT)
PAYMENT_DUE = _kind("payment-due", _UNTIL, {"until": _LATER}, useful=until("until"), fixed=_EMAIL, urgency=Urgency.URGENT)
SESSION_SOON = _kind(
    "session-soon", {"in_minutes": int}, {"in_minutes": 60}, useful=until("starts", plus_minutes="minutes"), urgency=Urgency.URGENT
)
SESSION_OVER = _kind("session-over", _UNTIL, {"until": _LATER}, useful=until("until"), fixed=_EMAIL)
STATEMENT_MADE = _kind(
    "statement-made",
    {**_UNTIL, "says": str, "note": str},
    {"until": _LATER, "says": "mentor_absent", "note": "I waited."},
    useful=until("until"),
    fixed=_EMAIL,
)
SESSION_HELD = _kind("session-held", _UNTIL, {"until": _LATER}, useful=until("until"), fixed=_EMAIL)
SESSION_MISSED = _kind("session-missed", {**_UNTIL, "who": str}, {"until": _LATER, "who": "other"}, useful=until("until"), fixed=_EMAIL)
WARD_SESSION_OVER = _kind("ward-session-over", _UNTIL, {"until": _LATER}, useful=until("until"), fixed=_EMAIL)
APPEAL_ANSWER = _kind("appeal-answer", useful=ALWAYS, fixed=_EMAIL)

# Changes of calendars.
BOOKING_CONFIRMED = _kind("booking-confirmed", useful=_SESSION_END, carries_calendar=True, fixed=_EMAIL)
BOOKING_MOVED = _kind(
    "booking-moved", {"note": str}, {"note": ""}, useful=_SESSION_END, carries_calendar=True, fixed=_EMAIL, urgency=Urgency.URGENT
)
BOOKING_CANCELLED = _kind(
    "booking-cancelled",
    {"note": str},
    {"note": "I am ill."},
    useful=_OUTCOME,
    carries_calendar=True,
    fixed=_EMAIL,
    urgency=Urgency.URGENT,
)
WARD_SESSION = _kind("ward-session", useful=_SESSION_END, carries_calendar=True, fixed=_EMAIL)
WARD_SESSION_CANCELLED = _kind("ward-session-cancelled", useful=_OUTCOME, carries_calendar=True, fixed=_EMAIL, urgency=Urgency.URGENT)

# Outcomes: told even after the start, but not so late that nothing else can be arranged.
BOOKING_DECLINED = _kind("booking-declined", {"note": str}, {"note": "I am away that week."}, useful=_OUTCOME, fixed=_EMAIL)
REQUEST_EXPIRED = _kind("request-expired", useful=_OUTCOME, fixed=_EMAIL)
PAYMENT_MISSED = _kind("payment-missed", {"released": int}, {"released": 3}, useful=_OUTCOME, fixed=_EMAIL)
REQUEST_MISSED = _kind("request-missed", useful=_OUTCOME, fixed=_EMAIL)
WAITLIST_PASSED = _kind("waitlist-passed", useful=_OUTCOME)
COUNTER_WITHDRAWN = _kind("counter-withdrawn", useful=until("starts"))
APPEAL_DECIDED = _kind(
    "appeal-decided",
    {"note": str, "decision": str},
    {"note": "The logs show both of you.", "decision": "held"},
    useful=ALWAYS,
    fixed=_EMAIL,
)
STRIKES_WARNED = _kind("strikes-warned", {"number": int}, {"number": 2}, useful=ALWAYS, fixed=_EMAIL)
APPEAL_OPEN = _kind("appeal-open", topic=DESK, path="/admin/bookings/appeal/?state__exact=open", useful=ALWAYS, fixed=_EMAIL)
ROOM_FAILED = _kind(
    "room-failed",
    topic=DESK,
    path="/admin/bookings/room/?state__exact=failed",
    useful=_SESSION_END,
    fixed=_EMAIL,
    urgency=Urgency.URGENT,
)
