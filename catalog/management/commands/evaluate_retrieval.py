from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.services.evaluation import Score, evaluate, read_grades, read_queries


class Command(BaseCommand):
    help = "Score retrieval on a labelled set, by words, by meaning and by both. The catalogue is left alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--corpus", type=Path, required=True, help="JSON lines, gzip allowed: id or code, title, description")
        parser.add_argument("--queries", type=Path, required=True, help="JSON lines: qid, text; style and pool optional")
        parser.add_argument("--qrels", type=Path, required=True, help="query, document, grade")
        parser.add_argument("--style", default="", help="only queries whose qid ends with this, such as full or light")
        parser.add_argument("--peers", action="store_true", help="also score TF-IDF, BM25 and a plain vector on the same texts")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, corpus: Path, queries: Path, qrels: Path, style: str, peers: bool, as_json: bool, **options: Any) -> None:
        for file in (corpus, queries, qrels):
            if not file.is_file():
                raise CommandError(f"{file} is not a file.")
        try:
            chosen = [query for query in read_queries(queries) if query.id.endswith(style)]
            scores = evaluate(corpus=corpus, queries=chosen, grades=read_grades(qrels), with_peers=peers)
        except (ValueError, KeyError) as error:
            raise CommandError(f"A file is not of the expected form: {error!r}") from error
        self.stdout.write(json.dumps({leg: _as_json(score) for leg, score in scores.items()}) if as_json else _as_table(scores))


def _as_json(score: Score) -> dict[str, float | int]:
    return {"ndcg@10": round(score.ndcg, 4), "recall@10": round(score.recall, 4), "mrr": round(score.mrr, 4), "queries": score.queries}


def _as_table(scores: dict[str, Score]) -> str:
    lines = [f"{'':<8} {'nDCG@10':>8} {'recall@10':>10} {'MRR':>7} {'queries':>8}"]
    lines += [f"{leg:<8} {score.ndcg:>8.4f} {score.recall:>10.4f} {score.mrr:>7.4f} {score.queries:>8}" for leg, score in scores.items()]
    return "\n".join(lines)
