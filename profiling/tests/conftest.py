from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from ai.services.text import embed
from catalog.models import Opportunity, Skill
from catalog.services.documents import title_key
from catalog.services.indexing import embed_opportunities, index_opportunities, refresh_statistics
from profiling.services.interview import Position, start_interview, submit_answer


@pytest.fixture
def skills(db: None) -> dict[str, Skill]:
    """A small taxonomy, embedded."""
    names = ("Python", "Nursing", "Carpentry", "Public speaking", "Gardening")
    vectors = embed(texts=names, purpose="test")
    rows = [
        Skill(source="t", source_id=name, name=name, keys=[title_key(name)], embedding=vector, embedding_model=vectors.model)
        for name, vector in zip(names, vectors.vectors, strict=True)
    ]
    return {row.name: row for row in Skill.objects.bulk_create(rows)}


@pytest.fixture
def opportunities(skills: dict[str, Skill]) -> dict[str, Opportunity]:
    """Indexed and embedded opportunities by title."""
    texts: tuple[tuple[str, str, dict[str, Any], tuple[str, ...]], ...] = (
        ("Django developer", "Build web sites in Python.", {"is_remote": True}, ("Python",)),
        ("Night nurse", "Look after patients.", {"is_remote": False}, ("Nursing",)),
        ("Carpenter", "Build furniture from wood.", {"is_remote": None}, ("Carpentry",)),
    )
    rows = {}
    for title, description, fields, names in texts:
        row = Opportunity.objects.create(source="t", source_id=title, kind="job", title=title, description=description, **fields)
        row.skills.set([skills[name] for name in names])
        rows[title] = row
    index_opportunities([row.pk for row in rows.values()])
    refresh_statistics()
    embed_opportunities()
    return rows


@pytest.fixture
def answer_all(skills: dict[str, Skill]) -> Callable[..., Position]:
    """Answer the whole interview; what is not given, and what is asked once more, is skipped."""

    def run(user: User, **answers: str) -> Position:
        position = start_interview(user=user)
        while position.question:
            is_asked = position.question.kind != "confirm" and position.question.slot in answers
            text = answers.pop(position.question.slot) if is_asked else "skip"
            position = submit_answer(user=user, interview_id=position.interview.pk, step=position.question.step, text=text)
        return position

    return run
