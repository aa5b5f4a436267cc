from __future__ import annotations

import resource
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from catalog.models import ImportRun
from core.errors import DomainError


class ImportCommand(BaseCommand):
    """Runs an import with a progress bar and prints its report."""

    run: Callable[..., ImportRun]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        if not file.is_file():
            raise CommandError(f"{file} is not a file.")
        started = time.monotonic()
        with tqdm(total=file.stat().st_size, unit="B", unit_scale=True, desc=file.name, file=self.stderr, disable=None) as bar:
            try:
                run = self.run(path=file, progress=lambda position: bar.update(position - bar.n))
            except DomainError as error:
                raise CommandError(f"{error.detail} What was read until there is imported; run it again with the whole file.") from error
        self._report(run, time.monotonic() - started)

    def _report(self, run: ImportRun, seconds: float) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        counts = f"{run.added} added, {run.changed} changed, {run.unchanged} unchanged, {run.retired} retired, {run.refused} refused"
        self.stdout.write(f"{counts} in {seconds:.1f} s, peak memory {peak:.0f} MB")
        for refusal in run.refusals.all()[:20]:
            self.stdout.write(f"  line {refusal.line}: {refusal.reason}")
        if run.refused > 20:
            self.stdout.write(f"  and {run.refused - 20} more; see import run {run.id} in the admin")
