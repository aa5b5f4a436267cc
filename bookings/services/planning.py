"""When a session takes place: its time in the table of occupied time, in its own row, and in its room, which always say the same."""

from __future__ import annotations

import datetime

from bookings.models import Session
from bookings.services.rooms import plan_room
from mentors.services.occupying import move_claim


def place_session(session: Session, *, starts_at: datetime.datetime) -> None:
    """Put a session to another time: the new one is taken before the present one is given back, and where it cannot be had nothing
    changes. Needs the lock of its people.

    Raises:
        SlotUnavailable: with the nearest times.
        ClaimGone: the time is held no more.
    """
    move_claim(reference=session.pk, starts_at=starts_at, duration_minutes=session.duration_minutes)
    session.starts_at = starts_at
    session.ends_at = starts_at + datetime.timedelta(minutes=session.duration_minutes)
    session.sequence += 1
    session.save()
    if hasattr(session, "room"):
        plan_room(session)
