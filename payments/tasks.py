from __future__ import annotations

import contextlib
import datetime
import uuid

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from core.batches import each_alone
from payments.enums import EventState, MovementState
from payments.errors import ProviderAway
from payments.services import earning, inbox, moving, onboarding, payouts, reconciling, syncing

_BATCH = 500
_ASKED_AGAIN = datetime.timedelta(minutes=10)
_WARNED_BEFORE = datetime.timedelta(days=14)


@shared_task
def move(movement_id: str) -> None:
    """Ask the provider for one movement."""
    moving.carry_out(movement_id=uuid.UUID(movement_id))


@shared_task
def sweep_movements() -> int:
    """Carry out the movements whose bell was lost, or whose time has come again. While the provider is away, one attempt is enough: each
    may take ten seconds, and other work waits."""
    due = moving.due_movements(limit=_BATCH)
    for number, movement_id in enumerate(due, start=1):
        if moving.carry_out(movement_id=movement_id) == MovementState.PLANNED:
            return number
    return len(due)


@shared_task
def look_into(event_id: str) -> None:
    """Look into one event of the provider."""
    inbox.look_into(event_id=uuid.UUID(event_id))


@shared_task
def sweep_events() -> int:
    """Look into the events whose bell was lost, or whose time has come again; likewise."""
    due = inbox.due_events(limit=_BATCH)
    for number, event_id in enumerate(due, start=1):
        if inbox.look_into(event_id=event_id) == EventState.WAITING:
            return number
    return len(due)


@shared_task
def look_at_undecided() -> None:
    """Ask about payments of which nothing was heard for a while."""
    undecided = syncing.undecided_payments(limit=_BATCH, asked_before=timezone.now() - _ASKED_AGAIN)
    with contextlib.suppress(ProviderAway):
        each_alone(lambda payment_id: syncing.look_at_payment(payment_id=payment_id), undecided, ends=(ProviderAway,))


@shared_task
def catch_up() -> None:
    """Look into what the provider says happened, and nobody delivered."""
    inbox.catch_up()


@shared_task
def release_earnings() -> None:
    """Release what has waited long enough, and send it where mentors can receive it."""
    while earning.release_earnings():
        pass
    earning.plan_transfers()


@shared_task
def pay_out() -> None:
    """Send what is in mentors' accounts to their banks."""
    payouts.plan_payouts(until=timezone.now() + datetime.timedelta(minutes=30))


@shared_task
def tell_held_up_earnings() -> None:
    """Tell mentors whose earnings cannot go out, and staff before money is held for too long."""
    while onboarding.tell_held_up_earnings():
        pass
    onboarding.tell_staff_of_old_holdings(before=timezone.now() - datetime.timedelta(days=settings.HOLDING_LIMIT_DAYS) + _WARNED_BEFORE)


@shared_task
def reconcile() -> None:
    """Compare the provider's books of the last two days with ours."""
    now = timezone.now()
    reconciling.reconcile(since=now - datetime.timedelta(days=2), until=now)
