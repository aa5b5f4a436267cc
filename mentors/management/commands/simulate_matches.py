from __future__ import annotations

import dataclasses
from argparse import ArgumentParser
from collections.abc import Sequence
from statistics import mean
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from mentors.services.simulation import Outcome, greedy, simulate, two_sided


class Command(BaseCommand):
    help = "Try out the ranking of matches in a simulated market, beside one that only asks what the learner would like."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--runs", type=int, default=5, help="markets, each with other people")
        parser.add_argument("--mentors", type=int, default=150)
        parser.add_argument("--learners-a-day", type=int, default=25)

    def handle(self, *args: Any, runs: int, mentors: int, learners_a_day: int, **options: Any) -> None:
        rankings = {"two-sided": two_sided, "greedy": greedy}
        with tqdm(total=runs * len(rankings), desc="markets", file=self.stderr, disable=None) as bar:
            for name, ranking in rankings.items():
                outcomes = []
                for seed in range(runs):
                    outcomes.append(simulate(ranking, seed=seed, mentors=mentors, learners_a_day=learners_a_day))
                    bar.update()
                self.stdout.write(_line(name, outcomes))


def _line(name: str, outcomes: Sequence[Outcome]) -> str:
    learners, requests, accepted, value, spread, ratio = (mean(each) for each in zip(*map(dataclasses.astuple, outcomes), strict=True))
    return (
        f"{name:>9}: of {learners:.0f} learners {requests:.0f} ask, {accepted:.0f} are accepted, worth {value:.0f}; "
        f"exposure Gini {spread:.3f}, impact ratio of new mentors {ratio:.2f}"
    )
