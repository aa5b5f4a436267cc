from __future__ import annotations

import datetime
import uuid

import redis
from celery import shared_task
from django.conf import settings
from django.core.cache import cache
from django.db.models import F
from django.utils import timezone

from core import events
from core.models import DeliveryState, EventDelivery, KeptAnswer, OutboxEvent

_SWEEP_BATCH = 500
_SWEEP_GRACE = datetime.timedelta(seconds=15)
WORKER_HEARTBEAT_KEY = "core:worker-heartbeat"


@shared_task
def deliver(delivery_id: str) -> None:
    """Run one delivery of an event."""
    events.run_delivery(uuid.UUID(delivery_id))


@shared_task
def sweep_deliveries() -> int:
    """Re-queue due deliveries that the broker lost, and push each one's due instant on so that two sweeps do not queue it twice."""
    now = timezone.now()
    due = EventDelivery.objects.filter(state=DeliveryState.PENDING, due_at__lte=now - _SWEEP_GRACE)
    ids = list(due.order_by("due_at").values_list("id", flat=True)[:_SWEEP_BATCH])
    EventDelivery.objects.filter(id__in=ids).update(due_at=F("due_at") + (now - F("due_at")))
    events.ring(ids)
    return len(ids)


@shared_task
def prune_outbox() -> int:
    """Delete events whose deliveries were all done longer ago than `OUTBOX_RETENTION_DAYS`."""
    horizon = timezone.now() - datetime.timedelta(days=settings.OUTBOX_RETENTION_DAYS)
    finished = OutboxEvent.objects.filter(created_at__lt=horizon).exclude(deliveries__state__in=(DeliveryState.PENDING, DeliveryState.DEAD))
    return finished.delete()[0]


@shared_task
def prune_answers() -> int:
    """Delete the answers of requests that nobody will repeat any more."""
    horizon = timezone.now() - datetime.timedelta(hours=settings.KEPT_ANSWER_HOURS)
    return KeptAnswer.objects.filter(created_at__lt=horizon).delete()[0]


@shared_task
def beat_heart() -> None:
    """Tell `/readyz` that beat plans tasks and a worker takes them; in Redis itself, as the cache may keep it in this process."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.set(cache.make_key(WORKER_HEARTBEAT_KEY), timezone.now().isoformat(), ex=300)
