from __future__ import annotations

import datetime
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from ai.services.spaces import embedding_model
from catalog.services.indexing import embed_terms
from catalog.services.reference import load_reference_catalogue
from profiling.services.report import read_baseline, regressions, review_engines, write_baseline
from profiling.services.simulation import read_people


class Command(BaseCommand):
    help = (
        "Score the engines in force on frozen sets: what the interview asks and understands of simulated people, extraction, hearing and "
        "retrieval. Writes a report and fails if a figure got worse than the accepted ones."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--people", default="50:150", help="which of the simulated people, as first:last; the first fifty were tuned on"
        )
        parser.add_argument("--data", type=Path, help="a folder with audio/ and eval_dev/, for recordings of people and larger sets")
        parser.add_argument("--report", type=Path, help="where to write the report, in Markdown")
        parser.add_argument("--accept", action="store_true", help="take these figures as what later ones are compared with")

    def handle(self, *args: Any, people: str, data: Path | None, report: Path | None, accept: bool, **options: Any) -> None:
        chosen = self._people(people)
        load_reference_catalogue()
        while embed_terms():
            pass
        with tqdm(total=2 * len(chosen), desc="interviews", file=self.stderr, disable=None) as bar:
            figures = review_engines(chosen, data=data, progress=bar.update)
        engine = str(settings.AI_CONVERSATION_ENGINE)
        worse = regressions(figures, read_baseline(engine)) if people == "50:150" and data is None else []
        text = self._text(engine, figures, worse)
        self.stdout.write(text)
        if report is not None:
            report.write_text(text, encoding="utf-8")
        if accept:
            write_baseline(engine, figures)
        elif worse:
            raise CommandError(f"{len(worse)} figures got worse: " + "; ".join(worse))

    def _people(self, people: str) -> Any:
        try:
            first, last = (int(number) for number in people.split(":"))
        except ValueError as error:
            raise CommandError("--people wants two numbers, such as 50:150.") from error
        chosen = read_people()[first:last]
        if not chosen:
            raise CommandError("There are no such people.")
        return chosen

    def _text(self, engine: str, figures: dict[str, float], worse: list[str]) -> str:
        today: datetime.date = timezone.now().date()
        lines = [f"# Review of the engines, {today}", "", f"Conversation: {engine}. Embeddings: {embedding_model()}.", ""]
        lines += ["| figure | value |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in figures.items()), ""]
        lines += ["Worse than accepted:", "", *(f"- {line}" for line in worse)] if worse else ["Nothing is worse than accepted."]
        return "\n".join(lines) + "\n"
