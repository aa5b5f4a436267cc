from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from accounts.enums import ConsentPurpose, ConsentSource
from accounts.errors import ConsentRequired
from accounts.models import ConsentDecision, Guardianship, User
from accounts.services.consents import decide
from ai.services.text import converse, embed
from catalog.models import Skill
from conftest import Api
from core.events import run_delivery
from core.models import EventDelivery
from profiling.models import Answer, Claim, Interview, Profile
from profiling.services.profile import embed_profile

pytestmark = pytest.mark.django_db
ANSWER = "I am good at Python."


def say(user: User, is_granted: bool, **more: Any) -> None:
    decide(user=user, purpose=ConsentPurpose.AI_PROFILING, is_granted=is_granted, text_version=1, source=ConsentSource.SETTINGS, **more)


def deliver_all() -> None:
    for delivery in EventDelivery.objects.filter(state="pending"):
        run_delivery(delivery.pk)


def test_the_text_comes_with_the_first_question_and_answering_is_the_yes(signed_in: Api, user: User, skills: dict[str, Skill]) -> None:
    started = signed_in.post("ai-profiling/start").json()
    assert started["consent"].keys() == {"purpose", "version", "title", "text"}
    assert "AI" in started["consent"]["title"]
    assert not ConsentDecision.objects.exists(), "being shown a text is no yes"
    body = {"session_id": started["session_id"], "step": 1, "answer_text": ANSWER}
    assert signed_in.post("ai-profiling/submit-answer", body).status_code == 200
    decision = ConsentDecision.objects.get()
    assert (decision.purpose, decision.is_granted, decision.source, decision.text_version) == ("ai_profiling", True, "interview", 1)
    assert signed_in.post("ai-profiling/start").json()["consent"] is None


def test_a_no_is_a_no_everywhere(signed_in: Api, user: User) -> None:
    started = signed_in.post("ai-profiling/start").json()
    say(user, False)
    answer = {"session_id": started["session_id"], "step": 1, "answer_text": ANSWER}
    calls = (("POST", "start", {}), ("POST", "submit-answer", answer), ("PATCH", "profile", {"skills": ["Python"]}))
    for method, path, body in calls:
        refused = signed_in.call(method, f"ai-profiling/{path}", body)
        assert (refused.status_code, refused.json()["code"], refused.json()["purpose"]) == (403, "consent_required", "ai_profiling")
    assert not Answer.objects.exists() and not Claim.objects.exists()


def test_no_engine_hears_of_a_person_without_consent(user: User) -> None:
    for call in (
        lambda: embed(texts=["CANARY"], purpose="profiling.profile", user_id=user.pk),
        lambda: converse(turn=_turn(), purpose="profiling.interview", user_id=user.pk),
    ):
        with pytest.raises(ConsentRequired):
            call()


def _turn() -> Any:
    from ai.services.text import Kind, Turn
    from profiling.enums import ClaimKind

    return Turn("What can you do?", "CANARY", (Kind(ClaimKind.SKILL, "a skill"),), lambda sentences: [frozenset() for _ in sentences])


def test_taking_it_back_deletes_answers_claims_and_the_vector(user: User, answer_all: Any) -> None:
    position = answer_all(user, skills=ANSWER)
    from profiling.services.interview import complete_interview

    complete_interview(user=user, interview_id=position.interview.pk)
    assert Profile.objects.get().embedding is not None
    say(user, False)
    deliver_all()
    assert not any(model.objects.exists() for model in (Interview, Answer, Claim, Profile))


def test_a_yes_that_came_after_the_no_keeps_the_profile(user: User, answer_all: Any) -> None:
    answer_all(user, skills=ANSWER)
    say(user, False)
    say(user, True)
    deliver_all()
    assert Claim.objects.exists()


def test_a_profile_that_is_about_to_go_is_not_embedded(user: User) -> None:
    Profile.objects.create(user=user, text="CANARY", content_hash="x")
    assert embed_profile(user_id=user.pk)
    assert Profile.objects.get().embedding is None


def test_under_18_a_guardian_says_yes(make_user: Any) -> None:
    teenager, parent = make_user(birth_date=date(2012, 1, 1)), make_user(birth_date=date(1980, 1, 1))
    api = Api().sign_in(teenager)
    for _ in range(2):
        refused = api.post("ai-profiling/start")
        assert (refused.status_code, refused.json()["code"]) == (403, "guardian_required")
        Guardianship.objects.get_or_create(ward=teenager, guardian=parent, state="active", defaults={"accepted_at": "2026-01-01T00:00Z"})
    say(teenager, True, decided_by=parent)
    assert api.post("ai-profiling/start").status_code == 201
