"""What mentors are told about their work."""

from __future__ import annotations

import datetime

from notifications.enums import Channel
from notifications.notices import ALWAYS, Kind, Topic, declare, until, within

MENTORING = Topic(
    "mentoring",
    {"en": "Being a mentor", "de": "Mentor sein"},
    {
        "en": "Your application, your profile, your checks and your calendars.",
        "de": "Deine Bewerbung, dein Profil, deine Prüfungen und deine Kalender.",
    },
)
REVIEWS = Topic(
    "reviews",
    {"en": "Reviews", "de": "Bewertungen"},
    {"en": "What you can say about a session, and what others said.", "de": "Was du über ein Treffen sagen kannst und was andere sagten."},
)

MENTOR_ACCEPTED = declare(
    Kind(
        name="mentors.mentor-accepted",
        topic=MENTORING,
        data={"note": str},
        path="/mentoring",
        examples={"note": "Welcome on board."},
        carries_calendar=False,
        useful=ALWAYS,
        fixed=frozenset({Channel.EMAIL}),
    )
)
MENTOR_REJECTED = declare(
    Kind(
        name="mentors.mentor-rejected",
        topic=MENTORING,
        data={"note": str},
        path="/mentoring",
        examples={"note": "Please tell more about your work."},
        carries_calendar=False,
        useful=ALWAYS,
        fixed=frozenset({Channel.EMAIL}),
    )
)
MENTOR_SUSPENDED = declare(
    Kind(
        name="mentors.mentor-suspended",
        topic=MENTORING,
        data={"note": str},
        path="/mentoring",
        examples={"note": "Two people reported you. We look into it."},
        carries_calendar=False,
        useful=ALWAYS,
        fixed=frozenset({Channel.EMAIL}),
    )
)
CALENDAR_STALE = declare(
    Kind(
        name="mentors.calendar-stale",
        topic=MENTORING,
        data={"calendar": str, "host": str},
        path="/mentoring",
        examples={"calendar": "Work", "host": "calendar.example.org"},
        carries_calendar=False,
        useful=within(datetime.timedelta(days=1), is_outcome=True),
        fixed=frozenset({Channel.EMAIL}),
    )
)
CALENDAR_UNREAD = declare(
    Kind(
        name="mentors.calendar-unread",
        topic=MENTORING,
        data={"calendar": str, "host": str, "reason": str},
        path="/mentoring",
        examples={"calendar": "Work", "host": "calendar.example.org", "reason": "The address does not lead to a calendar file."},
        carries_calendar=False,
        useful=within(datetime.timedelta(days=1), is_outcome=True),
        fixed=frozenset({Channel.EMAIL}),
    )
)
CALENDAR_MISREAD = declare(
    Kind(
        name="mentors.calendar-misread",
        topic=MENTORING,
        data={"calendar": str, "problem": str},
        path="/mentoring",
        examples={
            "calendar": "Work",
            "problem": "“Stand-up” (line 12) names the time zone “Office Time”, which nobody knows. Choose a named time zone for it.",
        },
        carries_calendar=False,
        useful=within(datetime.timedelta(days=1), is_outcome=True),
        fixed=frozenset({Channel.EMAIL}),
    )
)
CHECK_PASSED = declare(
    Kind(
        name="mentors.check-passed",
        topic=MENTORING,
        data={"check": str, "note": str},
        path="/mentoring",
        examples={"check": "identity", "note": ""},
        carries_calendar=False,
        useful=ALWAYS,
        fixed=frozenset({Channel.EMAIL}),
    )
)
CHECK_REFUSED = declare(
    Kind(
        name="mentors.check-refused",
        topic=MENTORING,
        data={"check": str, "note": str},
        path="/mentoring",
        examples={"check": "identity", "note": "The picture cannot be read."},
        carries_calendar=False,
        useful=ALWAYS,
        fixed=frozenset({Channel.EMAIL}),
    )
)
CHECK_REVOKED = declare(
    Kind(
        name="mentors.check-revoked",
        topic=MENTORING,
        data={"check": str, "note": str},
        path="/mentoring",
        examples={"check": "employer", "note": "You work elsewhere now."},
        carries_calendar=False,
        useful=ALWAYS,
        fixed=frozenset({Channel.EMAIL}),
    )
)
CHECK_EXPIRES = declare(
    Kind(
        name="mentors.check-expires",
        topic=MENTORING,
        data={"check": str, "day": datetime.datetime},
        path="/mentoring",
        examples={"check": "background", "day": datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)},
        carries_calendar=False,
        useful=until("day"),
        fixed=frozenset({Channel.EMAIL}),
    )
)
MENTOR_AUTO_PAUSED = declare(
    Kind(
        name="mentors.mentor-auto-paused",
        topic=MENTORING,
        data={},
        path="/mentoring",
        examples={},
        carries_calendar=False,
        useful=ALWAYS,
        fixed=frozenset({Channel.EMAIL}),
    )
)
OFFER_SWITCHED_OFF = declare(
    Kind(
        name="mentors.offer-switched-off",
        topic=MENTORING,
        data={"what": str, "amount": int, "least": int, "currency": str},
        path="/dashboard/profile",
        examples={"what": "A first talk", "amount": 10, "least": 50, "currency": "EUR"},
        carries_calendar=False,
        useful=ALWAYS,
        fixed=frozenset({Channel.EMAIL}),
    )
)
REVIEW_OPEN = declare(
    Kind(
        name="mentors.review-open",
        topic=REVIEWS,
        data={"name": str, "until": datetime.datetime},
        path="/reviews",
        examples={"name": "Ada", "until": datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)},
        carries_calendar=False,
        useful=until("until"),
    )
)
REVIEW_SHOWN = declare(
    Kind(
        name="mentors.review-shown",
        topic=REVIEWS,
        data={"name": str},
        path="/reviews",
        examples={"name": "Ada"},
        carries_calendar=False,
        useful=ALWAYS,
    )
)
