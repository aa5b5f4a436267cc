"""Events of the provider: stored first, looked into after. An event says where to look and nothing more, so it may come late, twice, in any
order, or never: then it is found in the provider's own list."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Iterable, Mapping

import structlog
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from core.bell import ring_for
from core.error_texts import describe
from core.events import publish
from payments.enums import EventState
from payments.errors import ProviderRefused
from payments.events import ProviderObjectChanged
from payments.models import Payment, ProviderEvent
from payments.providers import stripe
from payments.providers.base import Notice
from payments.services.onboarding import look_at_account
from payments.services.payouts import look_at_payout
from payments.services.syncing import look_at_payment

logger = structlog.get_logger(__name__)

_TASK = "payments.tasks.look_into"
_MOST_ATTEMPTS = 12
_FIRST_RETRY_SECONDS = 5
_LONGEST_RETRY_SECONDS = 3600
# Events of one second come in any order, and some are made a little before they can be listed.
_OVERLAP = datetime.timedelta(hours=1)
_FIRST_LOOK_BACK = datetime.timedelta(days=1)


def receive_notice(*, notice: Notice) -> bool:
    """Store an event. Returns False for one that was stored before."""
    row = ProviderEvent(
        provider_id=notice.id,
        kind=notice.kind,
        account=notice.account,
        object_kind=notice.object_kind,
        object_id=notice.object_id,
        intent_id=notice.intent_id,
        happened_at=notice.happened_at,
    )
    with transaction.atomic():
        ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)
        is_new = ProviderEvent.objects.filter(pk=row.pk).exists()
        if is_new:
            transaction.on_commit(lambda: ring_for(_TASK, str(row.pk)))
    return is_new


def look_into(*, event_id: uuid.UUID) -> EventState:
    """Look into an event, if that was not done. Safe to call any number of times. Returns how it stands."""
    try:
        with transaction.atomic():
            event = ProviderEvent.objects.select_for_update().get(pk=event_id)
            if event.state == EventState.WAITING:
                event.state = _look(event)
                event.attempts += 1
                event.done_at, event.last_error = timezone.now(), ""
                event.save()
                if event.state == EventState.DONE and not event.account:
                    publish(ProviderObjectChanged(event.object_kind, event.object_id))
            return EventState(event.state)
    except Exception as error:
        logger.exception("event of the payment provider failed", event_id=str(event_id))
        return _put_off(event_id, error)


def due_events(*, limit: int) -> list[uuid.UUID]:
    """Events that wait to be looked into, the longest first."""
    rows = ProviderEvent.objects.filter(state=EventState.WAITING, due_at__lte=timezone.now())
    return list(rows.order_by("due_at").values_list("pk", flat=True)[:limit])


def catch_up() -> int:
    """Store the events that the provider lists and nobody delivered. Returns how many there were."""
    last = ProviderEvent.objects.aggregate(last=Max("happened_at"))["last"]
    since = last - _OVERLAP if last else timezone.now() - _FIRST_LOOK_BACK
    return sum(receive_notice(notice=notice) for notice in stripe.notices_since(since))


def replay_events(*, event_ids: Iterable[uuid.UUID]) -> int:
    """Look into events once more, whatever became of them. Returns how many."""
    ids = list(event_ids)
    with transaction.atomic():
        count = ProviderEvent.objects.filter(pk__in=ids).update(
            state=EventState.WAITING, attempts=0, due_at=timezone.now(), done_at=None, updated_at=timezone.now()
        )
        for event_id in ids:
            transaction.on_commit(lambda event_id=event_id: ring_for(_TASK, str(event_id)))  # type: ignore[misc]  # defaults of a lambda have no types
    return count


def _look(event: ProviderEvent) -> EventState:
    for prefix, look in _LOOKS.items():
        if event.kind.startswith(prefix):
            return look(event)
    return EventState.IGNORED


def _at_payment(event: ProviderEvent) -> EventState:
    payment_id = _payment_of(event)
    if payment_id is None:
        return EventState.IGNORED
    look_at_payment(payment_id=payment_id)
    return EventState.DONE


def _at_account(event: ProviderEvent) -> EventState:
    look_at_account(provider_id=event.account or event.object_id)
    return EventState.DONE


def _at_payout(event: ProviderEvent) -> EventState:
    look_at_payout(provider_id=event.object_id)
    return EventState.DONE


_LOOKS: Mapping[str, Callable[[ProviderEvent], EventState]] = {
    "payment_intent.": _at_payment,
    "charge.": _at_payment,
    "refund.": _at_payment,
    "account.updated": _at_account,
    "capability.updated": _at_account,
    "payout.": _at_payout,
}


def _payment_of(event: ProviderEvent) -> uuid.UUID | None:
    """The payment that an event is about. It may have come before we wrote down what our own call had made."""
    if not event.intent_id:
        return None
    found = Payment.objects.filter(provider_id=event.intent_id).values_list("pk", flat=True).first()
    if found is not None:
        return found
    try:
        named = uuid.UUID(stripe.read_intent(event.intent_id).payment_id)
    except (ValueError, ProviderRefused):
        # Somebody else's, in the same account.
        return None
    with transaction.atomic():
        payment = Payment.objects.select_for_update().filter(pk=named).first()
        if payment is None:
            return None
        if not payment.provider_id:
            payment.provider_id = event.intent_id
            payment.save()
        return payment.pk if payment.provider_id == event.intent_id else None


def _put_off(event_id: uuid.UUID, error: Exception) -> EventState:
    with transaction.atomic():
        event = ProviderEvent.objects.select_for_update().get(pk=event_id)
        if event.state == EventState.WAITING:
            event.attempts += 1
            event.last_error = describe(error)[:500]
            wait = min(_FIRST_RETRY_SECONDS * 2**event.attempts, _LONGEST_RETRY_SECONDS)
            event.due_at = timezone.now() + datetime.timedelta(seconds=wait)
            if event.attempts >= _MOST_ATTEMPTS:
                event.state = EventState.DEAD
            event.save()
        return EventState(event.state)
