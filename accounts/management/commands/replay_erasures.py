from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from accounts.services.erasing import replay_erasures


class Command(BaseCommand):
    help = "After a backup was restored: erase again everybody who was erased since it was made."

    def handle(self, *args: Any, **options: Any) -> None:
        count = replay_erasures()
        self.stdout.write(f"{count} {'person' if count == 1 else 'people'} erased again.")
