from __future__ import annotations

import datetime
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from tqdm import tqdm

from payments.enums import EventState
from payments.models import ProviderEvent
from payments.services.inbox import look_into, replay_events

_BATCH = 500


class Command(BaseCommand):
    help = "Look once more into events of the payment provider: those that failed, or all of some days."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, help="all events of so many days, whatever became of them")

    def handle(self, *args: Any, days: int | None, **options: Any) -> None:
        rows = ProviderEvent.objects.filter(state=EventState.DEAD)
        if days is not None:
            rows = ProviderEvent.objects.filter(happened_at__gte=timezone.now() - datetime.timedelta(days=days))
        keys = list(rows.order_by("happened_at").values_list("pk", flat=True))
        states: dict[str, int] = {}
        with tqdm(total=len(keys), desc="events", file=self.stderr, disable=None) as bar:
            for start in range(0, len(keys), _BATCH):
                batch = keys[start : start + _BATCH]
                replay_events(event_ids=batch)
                for key in batch:
                    state = look_into(event_id=key)
                    states[state] = states.get(state, 0) + 1
                    bar.update()
        told = ", ".join(f"{number} {EventState(state).label}" for state, number in sorted(states.items()))
        self.stdout.write(f"{len(keys)} events: {told or 'nothing to do'}")
