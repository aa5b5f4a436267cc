from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import Iterator
from typing import Any, ClassVar
from unittest import mock

import pytest
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from core import events, tasks
from core.events import Event, publish, run_delivery, subscribe
from core.models import DeliveryState, EventDelivery, OutboxEvent

pytestmark = pytest.mark.django_db


@dataclasses.dataclass(frozen=True)
class Happened(Event):
    name: ClassVar[str] = "test.happened"
    thing_id: uuid.UUID
    at: datetime.datetime
    count: int = 0


seen: list[Happened] = []
failures: list[Exception] = []


rung = mock.Mock()


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    @subscribe(Happened)
    def first(event: Happened) -> None:
        OutboxEvent.objects.create(name="effect", payload={})
        if failures:
            raise failures[0]
        seen.append(event)

    with mock.patch("core.bell.current_app.send_task", rung):
        yield
    rung.reset_mock(side_effect=True)
    events._handlers.pop(Happened.name, None)
    events._functions.pop(f"{__name__}.handlers.<locals>.first", None)
    seen.clear()
    failures.clear()


def happen(count: int = 0) -> EventDelivery:
    event = Happened(uuid.uuid4(), timezone.now(), count)
    with transaction.atomic():
        publish(event)
    return EventDelivery.objects.get(event__payload__thing_id=str(event.thing_id))


@pytest.mark.django_db(transaction=True)
def test_publishing_outside_a_transaction_is_refused() -> None:
    with pytest.raises(events.PublishedOutsideTransaction):
        publish(Happened(uuid.uuid4(), timezone.now()))
    assert not OutboxEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_cause_leaves_no_event_and_queues_nothing() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        publish(Happened(uuid.uuid4(), timezone.now()))
        1 / 0  # noqa: B018
    assert not OutboxEvent.objects.exists()
    rung.assert_not_called()


@pytest.mark.django_db(transaction=True)
def test_queued_only_after_commit() -> None:
    with transaction.atomic():
        publish(Happened(uuid.uuid4(), timezone.now()))
        rung.assert_not_called()
    rung.assert_called_once()


def test_a_delivery_brings_the_event_back_typed_and_acts_once() -> None:
    delivery = happen(count=3)
    for _ in range(3):
        tasks.deliver(str(delivery.id))
    (event,) = seen
    assert isinstance(event.thing_id, uuid.UUID)
    assert isinstance(event.at, datetime.datetime)
    assert event.count == 3
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.DONE, 1)
    assert OutboxEvent.objects.filter(name="effect").count() == 1


def test_a_failing_handler_leaves_no_half_effect_and_is_retried_later() -> None:
    failures.append(RuntimeError("no\x00luck"))
    delivery = happen()
    run_delivery(delivery.id)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.PENDING, 1)
    assert delivery.last_error.startswith("RuntimeError at core/tests/test_events.py:")
    assert delivery.due_at > timezone.now()
    assert not OutboxEvent.objects.filter(name="effect").exists()


def test_after_the_last_attempt_it_is_a_dead_letter_which_staff_replay() -> None:
    failures.append(RuntimeError("broken"))
    delivery = happen()
    for _ in range(events.MAX_ATTEMPTS + 2):
        run_delivery(delivery.id)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.DEAD, events.MAX_ATTEMPTS)
    failures.clear()
    assert events.replay_deliveries([delivery.id, uuid.uuid4()]) == 1
    assert events.replay_deliveries([delivery.id]) == 0
    run_delivery(delivery.id)
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.DONE


def test_the_sweep_queues_what_the_broker_lost_and_only_that() -> None:
    lost, done, fresh = happen(), happen(), happen()
    run_delivery(done.id)
    long_ago = timezone.now() - datetime.timedelta(minutes=5)
    EventDelivery.objects.filter(id__in=[lost.id, done.id]).update(due_at=long_ago)
    rung.reset_mock()
    assert tasks.sweep_deliveries() == 1
    rung.assert_called_once_with("core.tasks.deliver", args=(str(lost.id),))
    assert tasks.sweep_deliveries() == 0, "a second sweep right after must not queue it again"
    assert fresh.state == DeliveryState.PENDING


def test_a_broker_that_is_down_costs_the_caller_nothing(django_capture_on_commit_callbacks: Any) -> None:
    rung.side_effect = OperationalError("away")
    with django_capture_on_commit_callbacks(execute=True):
        delivery = happen()
    assert delivery.state == DeliveryState.PENDING


def test_pruning_keeps_what_is_not_finished(settings: Any) -> None:
    done, pending = happen(), happen()
    run_delivery(done.id)
    OutboxEvent.objects.filter(name=Happened.name).update(
        created_at=timezone.now() - datetime.timedelta(days=settings.OUTBOX_RETENTION_DAYS + 1)
    )
    tasks.prune_outbox()
    assert list(OutboxEvent.objects.filter(name=Happened.name)) == [pending.event]


def test_an_unknown_delivery_is_nothing() -> None:
    run_delivery(uuid.uuid4())
    events.record_failure(uuid.uuid4(), RuntimeError())
