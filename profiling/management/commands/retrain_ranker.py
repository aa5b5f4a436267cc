from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DomainError
from profiling.enums import RankerState
from profiling.services.training import retrain_ranker, roll_back_ranker


class Command(BaseCommand):
    help = "Learn the weights of the recommendations from what people did; adopt them only if that is surely better on replay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--at-once", action="store_true", help="Put an adopted ranker in force for everybody, without a rollout.")
        parser.add_argument("--roll-back", action="store_true", help="Take the newest adopted ranker back instead.")
        parser.add_argument("--seed", type=int, default=1, help="Of the learning and of the resampling (default: 1).")

    def handle(self, **options: Any) -> None:
        try:
            if options["roll_back"]:
                self.stdout.write(f"Ranker {roll_back_ranker()} serves again.")
                return
            ranker = retrain_ranker(seed=options["seed"], at_once=options["at_once"])
        except DomainError as refusal:
            raise CommandError(str(refusal.detail)) from refusal
        self.stdout.write(json.dumps(ranker.report, indent=2))
        if ranker.state == RankerState.REFUSED:
            self.stdout.write(f"Ranker {ranker.version} is not adopted: {' '.join(ranker.report['objections'])}")
        else:
            self.stdout.write(f"Ranker {ranker.version} is adopted and ranks for {ranker.share} % of the people.")
