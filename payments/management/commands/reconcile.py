from __future__ import annotations

import datetime
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from payments.errors import ProviderAway
from payments.services.reconciling import reconcile


class Command(BaseCommand):
    help = "Compare the payment provider's books with the ledger. Differences wait for staff in the admin. Exits with 1 if any is new."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=2, help="so many days back")

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        now = timezone.now()
        try:
            run = reconcile(since=now - datetime.timedelta(days=days), until=now)
        except ProviderAway as error:
            raise CommandError(str(error.detail)) from error
        span = f"from {run.since:%Y-%m-%d %H:%M} to {run.until:%Y-%m-%d %H:%M} UTC"
        self.stdout.write(f"{run.records} bookings {span}; {run.findings} new differences")
        if run.findings:
            raise SystemExit(1)
