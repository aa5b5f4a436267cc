from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from catalog.services.generation import generate_opportunities


class Command(BaseCommand):
    help = "Make up opportunities for measuring; replaces those it made before. Their source is `generated`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--count", type=int, default=100_000)
        parser.add_argument("--seed", type=int, default=2026)

    def handle(self, *args: Any, count: int, seed: int, **options: Any) -> None:
        with tqdm(total=count, desc="opportunities", file=self.stderr, disable=None) as bar:
            made = generate_opportunities(count=count, seed=seed, progress=lambda done: bar.update(done - bar.n))
        self.stdout.write(f"{made} opportunities")
