from __future__ import annotations

from accounts import services

DEMO_PASSWORD = "find-your-way-2026"  # noqa: S105  (printed at start; only loaded while DEBUG is on)
DEMO_PEOPLE = (("staff@soosh.example", "Sam Staff", True), ("ada@soosh.example", "Ada Explorer", False))


def load() -> None:
    """The people of the demo: one of staff, one who is looking. Safe to run again."""
    for email, full_name, is_staff in DEMO_PEOPLE:
        services.create_verified_person(email=email, password=DEMO_PASSWORD, full_name=full_name, is_staff=is_staff)
