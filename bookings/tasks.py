from __future__ import annotations

from celery import shared_task

from bookings.services import ending, expiring, groups, recording, reminding, removing, rooms, settling, waiting
from core.bell import answer


@shared_task
def expire_bookings() -> None:
    """End what nobody paid for, approved or answered in time."""
    while expiring.expire_bookings():
        pass


@shared_task
def follow_sessions() -> None:
    """Say of sessions that they began, and how they went."""
    while ending.begin_sessions():
        pass
    while ending.end_sessions():
        pass


@shared_task
def look_for_waiting() -> None:
    """Offer what is free to those who wait for it."""
    answer(waiting.LOOK)
    while waiting.look_for_waiting():
        pass


@shared_task
def call_off_small_groups() -> None:
    """Call off the sessions of the next day that too few people have booked."""
    while groups.call_off_small_groups():
        pass


@shared_task
def settle_bookings() -> None:
    """Divide the money of bookings whose time for it has come."""
    while settling.settle_due():
        pass


@shared_task
def remind() -> None:
    """Remind people of their sessions."""
    while reminding.tell_due_reminders():
        pass


@shared_task
def look_after_recordings() -> None:
    """Stop, find and delete recordings."""
    recording.look_after_recordings()


@shared_task
def look_after_rooms() -> None:
    """Make the rooms that are needed soon, and delete those that are over."""
    rooms.look_after_rooms()


@shared_task
def look_after_removals() -> None:
    """Have those taken out of rooms who may not be there any more."""
    answer(removing.LOOK)
    while removing.tell_provider():
        pass
