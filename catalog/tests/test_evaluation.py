from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from catalog.models import Lexeme, Opportunity
from catalog.services.evaluation import ndcg_at_10, read_grades, recall_at_10, reciprocal_rank
from catalog.tests.conftest import WriteLines

pytestmark = pytest.mark.django_db


def test_the_measures_by_hand() -> None:
    relevant = {"a": 3, "b": 2, "c": 1}
    assert ndcg_at_10(["a", "b", "c"], relevant) == 1
    assert ndcg_at_10(["x", "a"], relevant) == pytest.approx((3 / 1.58496) / (3 + 2 / 1.58496 + 1 / 2), rel=1e-4)
    assert recall_at_10(["a", *"1234567890", "b"], relevant) == pytest.approx(1 / 3)
    assert reciprocal_rank(["x", "y", "b"], relevant) == pytest.approx(1 / 3)
    assert reciprocal_rank(["x"], relevant) == 0


def test_grades_with_tabs_or_in_the_four_columns_of_trec(tmp_path: Path) -> None:
    file = tmp_path / "qrels"
    file.write_text("q1\tthe document with spaces\t2\nq1\tother\t0\nq2 0 d 1\n\n")
    assert read_grades(file) == {"q1": {"the document with spaces": 2}, "q2": {"d": 1}}


def test_scores_each_leg_and_leaves_the_catalogue_alone(write_lines: WriteLines, make_opportunity: object, tmp_path: Path) -> None:
    make_opportunity("Stays")  # type: ignore[operator]
    corpus = write_lines(
        [
            {"code": "n", "title": "Ward of a hospital", "description": "patients"},
            {"id": "w", "title": "Welder"},
            {"id": "m", "expertise": ["R", "Stata"]},
        ],
        "corpus.jsonl.gz",
    )
    queries = write_lines(
        [{"qid": "1-a", "text": "caring for the sick"}, {"qid": "2-a", "text": "Stata", "pool": ["m"]}, {"qid": "3-b", "text": "x"}],
        "queries.jsonl",
    )
    qrels = tmp_path / "qrels.tsv"
    qrels.write_text("1-a\tn\t1\n2-a\tm\t1\n3-b\tw\t1\n")
    out = StringIO()
    options = {"corpus": corpus, "queries": queries, "qrels": qrels}
    call_command("evaluate_retrieval", **options, style="-a", as_json=True, stdout=out)
    scores = json.loads(out.getvalue())
    assert list(scores) == ["lexical", "vector", "hybrid"]
    assert scores["hybrid"] == {"ndcg@10": 1.0, "recall@10": 1.0, "mrr": 1.0, "queries": 2}
    assert scores["lexical"]["mrr"] == 0.5, "the first query shares no word with its answer"
    assert list(Opportunity.objects.values_list("title", flat=True)) == ["Stays"]
    assert not Lexeme.objects.exists()
    call_command("evaluate_retrieval", **options, stdout=out)
    assert "nDCG@10" in out.getvalue()


def test_files_that_are_not_there_or_not_of_the_form_are_named(write_lines: WriteLines, tmp_path: Path) -> None:
    good = write_lines([{"id": "1", "title": "x"}])
    with pytest.raises(CommandError, match="none is not a file"):
        call_command("evaluate_retrieval", corpus=tmp_path / "none", queries=good, qrels=good)
    bad = write_lines([b"nonsense\n"], "bad.jsonl")
    with pytest.raises(CommandError, match="expected form"):
        call_command("evaluate_retrieval", corpus=good, queries=bad, qrels=good)
