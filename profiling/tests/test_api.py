from __future__ import annotations

import uuid
from typing import Any

import pytest

from accounts.models import User
from catalog.models import Opportunity, Skill
from conftest import Api
from profiling.models import Claim, Interview

pytestmark = pytest.mark.django_db


def test_the_whole_journey(signed_in: Api, opportunities: dict[str, Opportunity]) -> None:
    started = signed_in.post("ai-profiling/start").json()
    assert started["first_question"] == started["question"]["text"]
    assert (started["step"], started["progress"], started["question"]["options"]) == (1, 0, [])
    reply = {"next_question": started["first_question"], "step": 1}
    while reply["next_question"]:
        body = {"session_id": started["session_id"], "step": reply["step"], "answer_text": "I know Python."}
        reply = signed_in.post("ai-profiling/submit-answer", body).json()
    assert (reply["completed"], reply["progress"], reply["question"]) == (True, 1, None)
    profile = signed_in.post("ai-profiling/complete", {"session_id": started["session_id"]}).json()["profile"]
    assert "Python" in profile["skills"]
    assert profile == signed_in.get("ai-profiling/profile").json()
    found = signed_in.get("opportunities/recommended?page_size=1").json()
    assert (found["basis"], [row["title"] for row in found["recommendations"]]) == ("profile", ["Django developer"])
    assert found["recommendations"][0]["reasons"][0].keys() == {"kind", "text", "share"}


def test_a_profile_that_is_not_there_yet_is_empty(signed_in: Api) -> None:
    empty: list[str] = []
    assert signed_in.get("ai-profiling/profile").json() == {
        "summary": "",
        "skills": empty,
        "interests": empty,
        "experience": empty,
        "goals": empty,
        "constraints": empty,
        "access_needs": empty,
        "languages": empty,
        "availability": empty,
        "location": empty,
        "claims": empty,
        "unconfirmed": empty,
    }


def test_ones_own_edit_wins(signed_in: Api, skills: dict[str, Skill]) -> None:
    body = signed_in.patch("ai-profiling/profile", {"skills": ["Python", "PYTHON", "Juggling"], "summary": "Me"}).json()
    assert (sorted(body["skills"]), body["summary"]) == (["Juggling", "PYTHON"], "Me")
    assert {claim["source"] for claim in body["claims"]} == {"mine"}
    assert signed_in.patch("ai-profiling/profile", {"skills": []}).json()["skills"] == []


@pytest.mark.parametrize(
    ("path", "body", "status", "where"),
    [
        ("start", {"language": "tlh"}, 400, "language"),
        ("start", {"mode": "telepathy"}, 400, "mode"),
        ("submit-answer", {}, 400, "session_id"),
        ("submit-answer", {"session_id": str(uuid.UUID(int=7)), "step": 1, "answer_text": ""}, 400, "answer_text"),
        ("submit-answer", {"session_id": str(uuid.UUID(int=7)), "step": 1, "answer_text": "x" * 10_001}, 400, "answer_text"),
        ("submit-answer", {"session_id": "x", "step": 0, "answer_text": "x"}, 400, "step"),
        ("submit-answer", {"session_id": str(uuid.UUID(int=7)), "step": 10**30, "answer_text": "x"}, 400, "step"),
        ("submit-answer", {"session_id": str(uuid.UUID(int=7)), "step": 1, "answer_text": "x"}, 404, "interview_not_found"),
        ("complete", {"session_id": str(uuid.UUID(int=7))}, 404, "interview_not_found"),
    ],
)
def test_bad_input_is_named(signed_in: Api, path: str, body: dict[str, Any], status: int, where: str) -> None:
    response = signed_in.post(f"ai-profiling/{path}", body)
    assert response.status_code == status
    assert where in {response.json()["code"], *(error["field"] for error in response.json().get("errors", []))}


def test_conflicts_have_their_codes(signed_in: Api, user: User) -> None:
    session = signed_in.post("ai-profiling/start").json()["session_id"]
    assert signed_in.post("ai-profiling/complete", {"session_id": session}).json()["code"] == "nothing_learned"
    answer = {"session_id": session, "step": 1, "answer_text": "skip"}
    signed_in.post("ai-profiling/submit-answer", answer)
    assert signed_in.post("ai-profiling/submit-answer", answer | {"answer_text": "x"}).json()["code"] == "step_already_answered"
    assert signed_in.post("ai-profiling/submit-answer", answer | {"step": 9}).json()["code"] == "step_not_asked"
    assert signed_in.post("ai-profiling/complete", {"session_id": session}).status_code == 200
    assert signed_in.post("ai-profiling/submit-answer", answer | {"step": 2}).json()["code"] == "interview_finished"
    assert signed_in.post("ai-profiling/start").json()["session_id"] != session


def test_the_session_of_somebody_else_is_not_there_not_even_for_staff(signed_in: Api, staff_api: Api) -> None:
    session = signed_in.post("ai-profiling/start").json()["session_id"]
    body = {"session_id": session, "step": 1, "answer_text": "mine now"}
    assert staff_api.post("ai-profiling/submit-answer", body).status_code == 404
    assert Interview.objects.get().answers.count() == 0
    assert not Claim.objects.exists()
