from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from ai.services.review import word_edits
from catalog.services.indexing import embed_terms
from catalog.services.reference import load_reference_catalogue
from profiling.enums import Slot
from profiling.management.commands import ai_review
from profiling.models import Answer, Claim
from profiling.services import report
from profiling.services.review import Course, Review, Score, review_fixed_form, review_interview
from profiling.services.simulation import Conversation, Fact, Person, read_people

pytestmark = pytest.mark.django_db
STYLES = {"plain", "terse", "chatty", "contradictory", "off_topic"}
FACT = Fact(Slot.SKILLS, "I weld gates", "welding", ("joining parts",))


@pytest.fixture(scope="module")
def taxonomy(kept_rows: None) -> None:
    """The reference catalogue's skills, embedded."""
    load_reference_catalogue()
    while embed_terms():
        pass


def test_the_people_are_many_and_of_every_kind() -> None:
    people = read_people()
    assert len(people) >= 100 and len({person.id for person in people}) == len(people)
    assert {person.style for person in people} == STYLES
    assert all({fact.slot for fact in person.facts} >= set(Slot) - {Slot.CONSTRAINTS, Slot.ACCESS_NEEDS} for person in people)
    assert all(any(fact.is_false for fact in person.facts) == (person.style == "contradictory") for person in people)


def test_adaptive_asking_beats_the_form_at_the_same_number_of_questions(taxonomy: None) -> None:
    people = read_people()[50:65]
    interview, form = review_interview(people), review_fixed_form(people)
    assert form.questions == 9
    assert interview.score(questions=9).f1 > form.score().f1 + 0.01
    assert interview.score().precision > 0.85 and interview.score().recall > 0.75
    assert interview.questions < 14
    assert not User.objects.filter(email__endswith="review.invalid").exists()
    assert not Answer.objects.exists() and not Claim.objects.exists()


def test_scores_are_what_they_say() -> None:
    person = Person(
        "p", "plain", (FACT, Fact(Slot.GOALS, "I want to teach", "teach", ("teach",)), Fact(Slot.SKILLS, "x", "y", ("z",), "not x"))
    )
    held = frozenset({("skill", "Joining parts", "I weld gates"), ("goal", "to fly", "I want to fly"), ("skill", "z", "x")})
    score = Review((Course(person, (frozenset(), held)),)).score()
    assert (score.right, score.claims, score.found, score.facts) == (1, 3, 1, 2)
    assert (round(score.precision, 3), score.recall, round(score.f1, 3)) == (0.333, 0.5, 0.4)
    early = Review((Course(person, (frozenset(), held)),)).score(questions=1)
    assert (early.precision, early.recall, early.f1) == (1.0, 0.0, 0.0)
    assert Score().f1 == 1.0 and Review((Course(person, ()),)).score().recall == 0.0


def test_conversations_are_the_same_each_time() -> None:
    from profiling.services.interview import Question

    question = Question(1, "What can you do?", slot="skills")
    for person in read_people()[:10]:
        assert Conversation(person).answer(question) == Conversation(person).answer(question)


def test_the_reports_figures_fail_where_they_got_worse() -> None:
    before = {"interview: F1": 0.8, "interview: questions": 11.0, "hearing: invented words": 0.0, "gone": 1.0}
    assert (
        report.regressions({"interview: F1": 0.79, "interview: questions": 11.4, "hearing: invented words": 0.0, "gone": 1.0}, before) == []
    )
    worse = report.regressions({"interview: F1": 0.77, "interview: questions": 11.6, "hearing: invented words": 1.0}, before)
    assert worse.pop(0) == "gone: was 1.0, is no longer measured"
    assert [line.partition(": was")[0] for line in worse] == ["interview: F1", "interview: questions", "hearing: invented words"]


def test_the_command_reports_fails_and_accepts(taxonomy: None, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    with (
        mock.patch.object(report, "BASELINE", baseline),
        mock.patch.object(ai_review, "review_engines", return_value={"interview: F1": 0.5}),
    ):
        out = io.StringIO()
        call_command("ai_review", accept=True, report=tmp_path / "report.md", stdout=out, stderr=io.StringIO())
        assert json.loads(baseline.read_text()) == {"embedded": {"interview: F1": 0.5}}
        assert "| interview: F1 | 0.5 |" in (tmp_path / "report.md").read_text() == out.getvalue()
        ai_review.review_engines.return_value = {"interview: F1": 0.4}  # type: ignore[attr-defined]
        with pytest.raises(CommandError, match=r"interview: F1: was 0\.5, is 0\.4"):
            call_command("ai_review", stdout=io.StringIO(), stderr=io.StringIO())
        call_command("ai_review", people="0:5", stdout=io.StringIO(), stderr=io.StringIO())


@pytest.mark.parametrize("people", ["x", "1", "9:9", "500:600"])
def test_people_that_are_not_there_are_refused(people: str) -> None:
    with pytest.raises(CommandError):
        call_command("ai_review", people=people, stdout=io.StringIO(), stderr=io.StringIO())


def test_everything_is_measured(taxonomy: None) -> None:
    ticks: list[None] = []
    figures = report.review_engines(read_people()[:2], progress=lambda: ticks.append(None))
    assert len(ticks) == 4
    assert figures.keys() >= set(report.read_baseline("embedded"))
    assert figures["hearing: word error rate, clean"] <= 0.02
    assert figures["hearing: word error rate, quiet"] <= 0.05
    assert figures["hearing: invented words"] == 0
    assert figures["extraction: precision"] > 0.75
    assert figures["retrieval: skills, nDCG@10"] > 0.7


@pytest.mark.parametrize(
    ("said", "heard", "edits"),
    [("a b c", "a b c", 0), ("a b c", "a c", 1), ("a b", "a x b y", 2), ("", "a", 1), ("a", "", 1), ("a b", "b a", 2)],
)
def test_word_edits(said: str, heard: str, edits: int) -> None:
    assert word_edits(said.split(), heard.split()) == edits


def test_making_people_is_repeatable(tmp_path: Path) -> None:
    import gzip

    (tmp_path / "taxonomy" / "onet").mkdir(parents=True)
    (tmp_path / "opportunities").mkdir()
    titles = ("Welders", "Nurses", "Funeral Attendants", "CEO", "Chief Executives and Others")
    (tmp_path / "taxonomy" / "onet" / "occupations.jsonl").write_text("".join(json.dumps({"title": title}) + "\n" for title in titles))
    rows = [{"location": "Accra, Ghana"}, {"location": ""}, {}]
    (tmp_path / "opportunities" / "opportunities.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    made: list[Any] = []
    for name in ("a", "b"):
        call_command("simulate_people", tmp_path, count=10, out=tmp_path / name, stdout=io.StringIO())
        made.append((tmp_path / name).read_text())
    assert made[0] == made[1]
    people = read_people(tmp_path / "a")
    assert len(people) == 10 and people[0].facts[-1].labels == ("Accra",)
    with pytest.raises(CommandError):
        call_command("simulate_people", tmp_path / "nowhere", stdout=io.StringIO())
