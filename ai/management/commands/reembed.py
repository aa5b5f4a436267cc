from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from ai.services import spaces
from ai.services.spaces import Comparison, Table
from core.errors import DomainError

_BATCH = 64
_PAUSE_SECONDS = 0.5
# So long without a single new vector, and the engine is taken to be out.
_PATIENCE_SECONDS = 120


class Command(BaseCommand):
    help = (
        "Change the embedding model while everything runs: fill the vectors of the new one in beside the old ones, compare both, switch. "
        "Broken off, it goes on where it stopped. The model before stays on standby until --clean-up."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", default="", help="id of the model; without it the one that the settings ask for")
        parser.add_argument("--dry-run", action="store_true", help="say what it would cost, and do nothing")
        parser.add_argument("--price", type=float, default=0.0, help="what a million tokens costs, for the estimate")
        parser.add_argument("--no-switch", action="store_true", help="stop after the comparison")
        parser.add_argument("--most-loss", type=float, default=0.02, help="refuse to switch if nDCG@10 falls by more")
        parser.add_argument("--roll-back", action="store_true", help="put the model before in force again")
        parser.add_argument("--clean-up", action="store_true", help="give up the model that is not in force and remove its vectors")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._handle(**options)
        except DomainError as error:
            raise CommandError(str(error.detail)) from error

    def _handle(self, *, roll_back: bool, clean_up: bool, dry_run: bool, **options: Any) -> None:
        if roll_back:
            self.stdout.write(f"In force again: {spaces.roll_back().model}")
        elif clean_up:
            self._clean_up()
        else:
            self._change(dry_run=dry_run, **options)

    def _change(self, *, model: str, dry_run: bool, price: float, no_switch: bool, most_loss: float, **options: Any) -> None:
        before, after = spaces.embedding_model(), model or spaces.configured_model()
        tokens = spaces.estimated_tokens()
        self.stdout.write(f"From {before} to {after}: about {tokens:,} tokens" + (f", {tokens / 1e6 * price:.2f} at most" if price else ""))
        if before == after:
            self.stdout.write("It is in force already. Nothing to do.")
            return
        if dry_run:
            return
        spaces.begin_space(model=after)
        for table in spaces.tables():
            self._fill(table, after)
        losses = [self._report(found) for found in spaces.compare_spaces(before=before, after=after)]
        if no_switch:
            return
        if max(losses, default=0.0) > most_loss:
            raise CommandError(f"nDCG@10 falls by {max(losses):.4f}. Nothing was switched; --most-loss allows more, --clean-up gives up.")
        self._switch(after)
        self.stdout.write(f"In force: {after}. {before} stays on standby; --roll-back goes back, --clean-up removes it.")

    def _fill(self, table: Table, model: str) -> None:
        """Until no row waits. The workers may be filling too; then this one watches."""
        total, waiting, last_progress = table.total(), table.waiting(model), time.monotonic()
        with tqdm(total=total, initial=total - waiting, desc=table.name, file=self.stderr, disable=None) as bar:
            while waiting:
                done = spaces.fill_some(name=table.name, model=model, limit=_BATCH)
                waiting, before = table.waiting(model), waiting
                bar.update(max(0, before - waiting))
                if waiting < before:
                    last_progress = time.monotonic()
                elif time.monotonic() - last_progress > _PATIENCE_SECONDS:
                    raise CommandError(f"The engine gives no vectors; {waiting} rows of {table.name} wait. Run this again to go on.")
                if not done:
                    time.sleep(_PAUSE_SECONDS)

    def _switch(self, model: str) -> None:
        """What was written a moment ago may still be missing; it is filled in, and the switch tried again."""
        for _ in range(20):
            missing = spaces.missing_rows(model=model)
            if not any(missing.values()):
                break
            for table in spaces.tables():
                if missing[table.name]:
                    self._fill(table, model)
        spaces.switch_space()

    def _report(self, found: Comparison) -> float:
        """Prints a comparison and returns by how much nDCG fell."""
        line = f"{found.what}: {found.questions} questions, overlap of the first ten {found.overlap:.3f}"
        if found.ndcg_before is None or found.ndcg_after is None:
            self.stdout.write(line)
            return 0.0
        self.stdout.write(f"{line}, nDCG@10 {found.ndcg_before:.4f} before, {found.ndcg_after:.4f} after")
        return found.ndcg_before - found.ndcg_after

    def _clean_up(self) -> None:
        dropped = spaces.drop_space()
        removed = 0
        while done := spaces.empty_columns():
            removed += done
        self.stdout.write(f"{dropped.model if dropped else 'No other model'} given up, {removed} vectors removed.")
