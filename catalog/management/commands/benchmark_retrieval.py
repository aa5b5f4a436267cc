from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from catalog.models import Opportunity
from catalog.services.benchmark import Measurement, measure_retrieval
from catalog.services.generation import SOURCE
from catalog.services.reference import load_reference_catalogue

_WIDTH = 13


class Command(BaseCommand):
    help = "Measure vector retrieval beside the exact scan at selectivities of 100, 10, 1 and 0.1 percent."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--count", type=int, default=100_000, help="how many opportunities to measure on")
        parser.add_argument("--rounds", type=int, default=3)

    def handle(self, *args: Any, count: int, rounds: int, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        load_reference_catalogue()
        if Opportunity.objects.filter(source=SOURCE).count() != count:
            call_command("generate_opportunities", count=count, stdout=self.stdout, stderr=self.stderr)
        columns = ("filter", "rows", "recall@10", "short", "p50 ms", "p95 ms", "exact p50", "exact p95", "ratio")
        self.stdout.write("".join(f"{column:>{_WIDTH}}" for column in columns))
        for _ in range(rounds):
            for found in measure_retrieval():
                self.stdout.write("".join(f"{cell:>{_WIDTH}}" for cell in _cells(found)))


def _cells(found: Measurement) -> tuple[object, ...]:
    latencies = (f"{value:.2f}" for value in (found.p50, found.p95, found.exact_p50, found.exact_p95, found.p50 / found.exact_p50))
    return (found.filter, found.matching, f"{found.recall:.4f}", found.shortfalls, *latencies)
