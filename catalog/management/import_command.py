from __future__ import annotations

import resource
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from catalog.errors import RetiringRefused
from catalog.models import ImportRun
from catalog.services.retiring import ImportOptions
from core.errors import DomainError


class ImportCommand(BaseCommand):
    """Runs an import with a progress bar and prints its report."""

    run: Callable[..., ImportRun]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="Show what would happen, and change nothing.")
        parser.add_argument("--retire-missing", action="store_true", help="Retire what the file's sources no longer list, up to 20 %%.")
        parser.add_argument("--confirm", type=int, metavar="NUMBER", help="Retire exactly this number of rows, whatever share they are.")

    def handle(self, *args: Any, file: Path, dry_run: bool, retire_missing: bool, confirm: int | None, **options: Any) -> None:
        if confirm is not None and not retire_missing:
            raise CommandError("--confirm needs --retire-missing.")
        import_options = ImportOptions(retires_missing=retire_missing, confirmed=confirm, is_dry_run=dry_run)
        if not file.is_file():
            raise CommandError(f"{file} is not a file.")
        started = time.monotonic()
        with tqdm(total=file.stat().st_size, unit="B", unit_scale=True, desc=file.name, file=self.stderr, disable=None) as bar:
            try:
                run = self.run(path=file, options=import_options, progress=lambda position: bar.update(position - bar.n))
            except RetiringRefused as error:
                raise CommandError(f"{error.detail} Everything else is imported.") from error
            except DomainError as error:
                raise CommandError(f"{error.detail} The rows before that are imported; run it again with the whole file.") from error
        self._report(run, time.monotonic() - started, import_options)

    def _report(self, run: ImportRun, seconds: float, options: ImportOptions) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        counts = f"{run.added} added, {run.changed} changed, {run.unchanged} unchanged, {run.retired} retired, {run.refused} refused"
        counts += f", {run.duplicates} duplicates" if run.duplicates else ""
        self.stdout.write(f"{counts} in {seconds:.1f} s, peak memory {peak:.0f} MB")
        if options.is_dry_run:
            self.stdout.write("This was a dry run: nothing was changed.")
        if run.notes:
            self.stdout.write(run.notes)
        if run.missing and not run.retired:
            self.stdout.write(f"{run.missing} rows are not in the file and were left as they are; --retire-missing retires them:")
        for example in run.missing_examples:
            self.stdout.write(f"  {example}")
        for refusal in run.refusals.all()[:20]:
            self.stdout.write(f"  line {refusal.line}: {refusal.reason}")
        not_imported = run.refused + run.duplicates
        if not_imported > 20:
            self.stdout.write(f"  and {not_imported - 20} more; see import run {run.id} in the admin")
