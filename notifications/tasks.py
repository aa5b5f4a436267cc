from __future__ import annotations

import time
import uuid

from celery import shared_task

from notifications.enums import Channel
from notifications.services import announcing, inbox, pushing, queue, sending
from notifications.services.ringing import answer_announcer, answer_ring, ring, ring_announcer

# A task works for so long and then queues itself again, so that nothing waits long behind it.
_RUN_SECONDS = 5


@shared_task
def send_due(channel: str) -> None:
    """Send what is due on a channel, most urgent first. The queue is the rows, so a lost run loses nothing and two do no harm."""
    answer_ring(channel)
    deadline = time.monotonic() + _RUN_SECONDS
    while sending.send_some(Channel(channel)):
        if time.monotonic() >= deadline:
            ring([channel])
            return


@shared_task
def sweep_notifications() -> None:
    """Take up what dead workers left, and ring for what lost bells forgot."""
    for channel in Channel:
        sending.recover(channel=channel)
    ring(channel for channel in Channel if queue.has_due(channel))
    for announcement_id in announcing.running():
        ring_announcer(announcement_id)


@shared_task
def announce(announcement_id: str) -> None:
    """Go on telling everybody something, for a while."""
    answer_announcer(announcement_id)
    deadline = time.monotonic() + _RUN_SECONDS
    while announcing.tell_some(announcement_id=uuid.UUID(announcement_id)):
        if time.monotonic() >= deadline:
            ring_announcer(announcement_id)
            return


@shared_task
def prune_notifications() -> int:
    """Delete what people were told longer ago than `NOTIFICATION_RETENTION_DAYS`, some at a time."""
    return inbox.prune()


@shared_task
def collect_receipts() -> None:
    """Ask Expo what became of pushes."""
    while pushing.collect_receipts():
        pass
