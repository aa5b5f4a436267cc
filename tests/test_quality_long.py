"""The quality of retrieval on the labelled development sets, beside what others do with the same texts."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from catalog.services.evaluation import evaluate, read_grades, read_queries

pytestmark = [pytest.mark.long, pytest.mark.django_db]
DATA = Path(__file__).resolve().parents[2] / "shared/data"
MARGIN = 0.02
# nDCG@10 as it was measured. A leg may lose no more than the margin.
MEASURED = {
    "occupations, full": {"lexical": 0.255, "vector": 0.356, "hybrid": 0.377},
    "occupations, light": {"lexical": 0.213, "vector": 0.253, "hybrid": 0.278},
    "mentors": {"lexical": 0.241, "vector": 0.247, "hybrid": 0.251},
    "skills, house": {"lexical": 0.550, "vector": 0.713, "hybrid": 0.740},
    "skills, tech": {"lexical": 0.598, "vector": 0.724, "hybrid": 0.744},
}
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the labelled sets are not part of this repository")


def skill_set(name: str, folder: Path) -> tuple[Path, Path, Path]:
    """Annotated spans as queries, and the labels of ESCO as documents."""
    source = DATA / "eval_dev/skill_extraction"
    corpus, queries, qrels = folder / "corpus.jsonl", folder / "queries.jsonl", folder / "qrels.tsv"
    labels = (source / "esco_1.1.0_skill_labels.txt").read_text().splitlines()
    corpus.write_text("\n".join(json.dumps({"id": label, "title": label, "description": ""}) for label in labels))
    known, wanted = set(labels), {}
    with (source / f"{name}_validation_annotations.csv").open() as file:
        for row in csv.DictReader(file):
            if row["label"] in known:
                wanted.setdefault(row["span"], set()).add(row["label"])
    numbered = list(enumerate(sorted(wanted.items())))
    queries.write_text("\n".join(json.dumps({"qid": f"q{number}", "text": span}) for number, (span, _) in numbered))
    qrels.write_text("\n".join(f"q{number}\t{label}\t1" for number, (_, found) in numbered for label in sorted(found)))
    return corpus, queries, qrels


def files(name: str, folder: Path) -> tuple[Path, Path, Path]:
    if name.startswith("skills"):
        return skill_set(name.split(", ")[1], folder)
    if name == "mentors":
        return DATA / "mentors/ols_mentors.jsonl", DATA / "eval_dev/mentors/queries.jsonl", DATA / "eval_dev/mentors/qrels.tsv"
    occupations = DATA / "eval_dev/occupations"
    return DATA / "taxonomy/onet/occupations.jsonl", occupations / "queries.jsonl", occupations / "qrels.tsv"


@needs_data
@pytest.mark.parametrize("name", MEASURED)
def test_hybrid_is_the_best_of_all(name: str, tmp_path: Path) -> None:
    corpus, queries, qrels = files(name, tmp_path)
    style = name.partition(", ")[2] if name.startswith("occupations") else ""
    chosen = [query for query in read_queries(queries) if query.id.endswith(style)]
    scores = evaluate(corpus=corpus, queries=chosen, grades=read_grades(qrels), with_peers=True)
    figures = {leg: round(score.ndcg, 4) for leg, score in scores.items()}
    print(f"{name} ({scores['hybrid'].queries} queries), nDCG@10: {figures}")
    assert figures["hybrid"] == max(figures.values())
    for leg, measured in MEASURED[name].items():
        assert figures[leg] >= measured - MARGIN, leg
