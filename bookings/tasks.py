from __future__ import annotations

from celery import shared_task

from bookings.services import appeal_evidence, ending, expiring, groups, recording, reminding, removing, rooms, settling, waiting
from core.bell import answer


@shared_task
def expire_bookings() -> None:
    """End what nobody paid for, approved or answered in time."""
    while expiring.expire_bookings():
        pass


@shared_task
def follow_sessions() -> None:
    """Mark sessions as begun, decide how those that are over went, and make final what nobody contested."""
    while ending.begin_sessions():
        pass
    while ending.end_sessions():
        pass
    while ending.finalise_endings():
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
def delete_old_evidence() -> None:
    """Delete files of appeals that were decided long ago."""
    while appeal_evidence.delete_old_evidence():
        pass


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
