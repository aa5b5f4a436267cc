"""Transactional outbox: `publish` inside the transaction, one delivery row per handler, dispatch after commit.

A delivery runs its handler in its own transaction under a row lock and marks itself done in the same transaction, so an effect in
the database happens exactly once however often the delivery is queued. `core.tasks.sweep_deliveries` re-queues what a lost broker forgot.
"""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar, get_type_hints

import structlog
from django.db import connection, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from core.bell import ring_for
from core.error_texts import describe
from core.models import DeliveryState, EventDelivery, OutboxEvent

logger = structlog.get_logger(__name__)

MAX_ATTEMPTS = 8
_FIRST_RETRY_SECONDS = 5


@dataclasses.dataclass(frozen=True)
class Event:
    """Base of every event: a frozen dataclass of ids, strings, numbers, booleans and instants."""

    name: ClassVar[str]


EventType = TypeVar("EventType", bound=Event)
Handler = Callable[[Any], None]

_handlers: dict[str, list[str]] = defaultdict(list)
_functions: dict[str, tuple[type[Event], Handler]] = {}


class PublishedOutsideTransaction(Exception):
    """`publish` needs an open transaction: an event must not outlive a cause that was rolled back."""


def subscribe(event_class: type[EventType]) -> Callable[[Callable[[EventType], None]], Callable[[EventType], None]]:
    """Register a handler, under its dotted path, for an event from a lower package."""

    def register(function: Callable[[EventType], None]) -> Callable[[EventType], None]:
        path = f"{function.__module__}.{function.__qualname__}"
        if path not in _functions:
            _handlers[event_class.name].append(path)
        _functions[path] = (event_class, function)
        return function

    return register


def publish(event: Event) -> None:
    """Store the event and its deliveries in the current transaction; they are queued once it commits.

    Raises:
        PublishedOutsideTransaction: no transaction is open.
    """
    if not connection.in_atomic_block:
        raise PublishedOutsideTransaction(event.name)
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    record = OutboxEvent.objects.create(name=event.name, payload=_dump(event), request_id=request_id)
    deliveries = [EventDelivery(event=record, handler=handler) for handler in _handlers[event.name]]
    EventDelivery.objects.bulk_create(deliveries)
    if deliveries:
        transaction.on_commit(lambda: ring([delivery.id for delivery in deliveries]))


def ring(delivery_ids: Iterable[uuid.UUID]) -> None:
    """Queue deliveries on the broker. A broker that is down delays them until the sweep, and loses none."""
    for delivery_id in delivery_ids:
        if not ring_for("core.tasks.deliver", str(delivery_id)):
            return


def run_delivery(delivery_id: uuid.UUID) -> None:
    """Run one delivery if it is still pending. Safe to call any number of times, from any number of workers."""
    try:
        with transaction.atomic():
            delivery = _claim(delivery_id)
            if delivery is None:
                return
            event_class, function = _functions[delivery.handler]
            function(_load(event_class, delivery.event.payload))
            delivery.state = DeliveryState.DONE
            delivery.done_at = timezone.now()
            delivery.attempts += 1
            delivery.last_error = ""
            delivery.save()
    except Exception as error:
        logger.exception("event handler failed", delivery_id=str(delivery_id))
        record_failure(delivery_id, error)


def _claim(delivery_id: uuid.UUID) -> EventDelivery | None:
    return (
        EventDelivery.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("event")
        .filter(id=delivery_id, state=DeliveryState.PENDING)
        .first()
    )


def record_failure(delivery_id: uuid.UUID, error: Exception) -> None:
    """Count a failed attempt; after `MAX_ATTEMPTS` the delivery becomes a dead letter that staff see and replay."""
    with transaction.atomic():
        delivery = _claim(delivery_id)
        if delivery is None:
            return
        delivery.attempts += 1
        delivery.last_error = describe(error)[:2000]
        delivery.due_at = timezone.now() + datetime.timedelta(seconds=_FIRST_RETRY_SECONDS * 2**delivery.attempts)
        if delivery.attempts >= MAX_ATTEMPTS:
            delivery.state = DeliveryState.DEAD
        delivery.save()


def replay_deliveries(delivery_ids: Iterable[uuid.UUID]) -> int:
    """Give dead letters a fresh set of attempts. Returns how many were dead."""
    with transaction.atomic():
        dead = EventDelivery.objects.select_for_update().filter(id__in=list(delivery_ids), state=DeliveryState.DEAD)
        ids = list(dead.values_list("id", flat=True))
        EventDelivery.objects.filter(id__in=ids).update(state=DeliveryState.PENDING, attempts=0, due_at=timezone.now())
        transaction.on_commit(lambda: ring(ids))
    return len(ids)


def _dump(event: Event) -> dict[str, Any]:
    return {field.name: _plain(getattr(event, field.name)) for field in dataclasses.fields(event)}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.datetime) else str(value) if isinstance(value, uuid.UUID) else value


def _load(event_class: type[Event], payload: dict[str, Any]) -> Event:
    hints = get_type_hints(event_class)
    parsers: dict[Any, Callable[[Any], Any]] = {uuid.UUID: uuid.UUID, datetime.datetime: parse_datetime}
    return event_class(**{name: parsers.get(hints[name], lambda value: value)(value) for name, value in payload.items()})
