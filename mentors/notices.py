"""What mentors are told about their work."""

from __future__ import annotations

from notifications.enums import Channel
from notifications.notices import Kind, Topic, declare

MENTORING = Topic(
    "mentoring",
    {"en": "Being a mentor", "de": "Mentor sein"},
    {"en": "Your application, your profile and your calendars.", "de": "Deine Bewerbung, dein Profil und deine Kalender."},
)

MENTOR_ACCEPTED = declare(
    Kind(
        name="mentors.mentor-accepted",
        topic=MENTORING,
        data={"note": str},
        path="/mentoring",
        examples={"note": "Welcome on board."},
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
        fixed=frozenset({Channel.EMAIL}),
    )
)
