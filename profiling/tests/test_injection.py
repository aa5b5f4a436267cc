"""Words in the catalogue and in answers that try to steer: no claim, no reason and no request carries what should not be there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import ai.tests
from accounts.models import User
from catalog.models import Opportunity, Skill
from catalog.services.indexing import embed_opportunities, index_opportunities, refresh_statistics
from profiling.models import Claim, Profile
from profiling.services.interview import complete_interview, start_interview, submit_answer
from profiling.services.recommending import recommend_opportunities

pytestmark = pytest.mark.django_db
TEXTS = [
    json.loads(line)["text"] for line in (Path(ai.tests.__file__).with_name("injections.jsonl")).read_text(encoding="utf-8").splitlines()
]


@pytest.fixture
def poisoned(skills: dict[str, Skill]) -> list[Opportunity]:
    """A catalogue whose every text tries to steer whoever reads it, and one honest row."""
    rows = [
        Opportunity.objects.create(source="evil", source_id=str(number), kind="job", title=f"Job {number}", description=text)
        for number, text in enumerate(TEXTS)
    ]
    rows.append(Opportunity.objects.create(source="t", source_id="1", kind="job", title="Python developer", description="Write Python."))
    index_opportunities([row.pk for row in rows])
    refresh_statistics()
    while embed_opportunities():
        pass
    return rows


@pytest.mark.parametrize("engine", ["embedded", "openai"])
def test_catalogue_texts_move_nothing(
    user: User, make_user: Any, poisoned: list[Opportunity], openai_engine: Any, settings: Any, engine: str
) -> None:
    settings.AI_CONVERSATION_ENGINE = engine
    other = make_user(full_name="Somebody Else")
    Claim.objects.create(user=other, kind="skill", label="SECRET-SKILL", source="mine")
    openai_engine.reply(
        json.dumps({"entries": [{"kind": "skill", "label": "Python", "quote": "write Python", "confidence": 0.9, "denied": False}]}),
        times=None,
    )
    position = start_interview(user=user)
    for text in ("I write Python.", "skip"):
        assert position.question
        position = submit_answer(user=user, interview_id=position.interview.pk, step=position.question.step, text=text)
    complete_interview(user=user, interview_id=position.interview.pk)
    assert set(Claim.objects.filter(user=user).values_list("kind", "label", "source")) == {("skill", "Python", "inferred")}
    found = recommend_opportunities(user=user, limit=20).recommendations
    assert found[0].fields["title"] == "Python developer"
    reasons = " ".join(reason.text for row in found for reason in row.reasons)
    profile = Profile.objects.get(user=user)
    for place in (reasons, profile.text + profile.summary, str([request.body for request in openai_engine.requests])):
        assert "SECRET-SKILL" not in place
        assert not [text for text in TEXTS if text in place]


@pytest.mark.parametrize("text", TEXTS)
def test_an_answer_that_gives_orders_tells_nothing(user: User, skills: dict[str, Skill], text: str) -> None:
    position = start_interview(user=user)
    assert position.question
    submit_answer(user=user, interview_id=position.interview.pk, step=position.question.step, text=text)
    assert not Claim.objects.active().exists()
