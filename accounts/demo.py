from __future__ import annotations

from accounts.enums import Role
from accounts.services.registration import create_verified_person

DEMO_PASSWORD = "find-your-way-2026"  # noqa: S105  (printed at start; only loaded while DEBUG is on)
DEMO_MENTOR = "mara@soosh.example"
DEMO_PEOPLE = (
    ("staff@soosh.example", "Sam Staff", Role.STAFF),
    ("ada@soosh.example", "Ada Explorer", Role.MEMBER),
    (DEMO_MENTOR, "Mara Mentor", Role.MEMBER),
)


def load() -> None:
    """The people of the demo: one of staff, one who is looking, one who mentors. Safe to run again."""
    for email, full_name, role in DEMO_PEOPLE:
        create_verified_person(email=email, password=DEMO_PASSWORD, full_name=full_name, role=role)
