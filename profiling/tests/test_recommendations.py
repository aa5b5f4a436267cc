from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from catalog.models import Opportunity, Skill
from profiling.enums import ClaimKind, RecommendationBasis
from profiling.models import Profile
from profiling.services.interview import Position, complete_interview
from profiling.services.profile import edit_profile
from profiling.services.recommending import recommend_opportunities

pytestmark = pytest.mark.django_db


@pytest.fixture
def interviewed(user: User, opportunities: dict[str, Opportunity], answer_all: Callable[..., Position]) -> User:
    done = answer_all(user, skills="I write Python.", goals="I want to build web sites.")
    complete_interview(user=user, interview_id=done.interview.pk)
    return user


def titles(user: User) -> list[str]:
    return [found.fields["title"] for found in recommend_opportunities(user=user, limit=10).recommendations]


def test_the_profile_ranks_and_the_reasons_are_what_matched(interviewed: User) -> None:
    found = recommend_opportunities(user=interviewed, limit=10)
    assert found.basis == RecommendationBasis.PROFILE
    first = found.recommendations[0]
    assert first.fields["title"] == "Django developer"
    assert [(reason.kind, reason.text) for reason in first.reasons] == [
        ("meaning", "It is close in meaning to what you said: “I want to build web sites.”"),
        ("skill", "It is about Python, which is one of your strengths or interests."),
        ("newest", "It is new."),
    ]
    assert [reason.share for reason in first.reasons] == sorted((reason.share for reason in first.reasons), reverse=True)
    assert all(recommendation.reasons for recommendation in found.recommendations)


def test_words_are_only_claimed_where_they_stand_and_were_said(user: User, opportunities: dict[str, Opportunity]) -> None:
    edit_profile(user=user, labels={ClaimKind.INTEREST: ["furniture", "opera"]})
    found = recommend_opportunities(user=user, limit=10).recommendations
    reasons = {item.fields["title"]: [reason.text for reason in item.reasons if reason.kind == "words"] for item in found}
    assert reasons["Carpenter"] == ["It mentions “furniture”, as you did."]
    assert reasons["Night nurse"] == []


def test_people_with_different_profiles_get_different_answers(interviewed: User, make_user: Any, skills: dict[str, Skill]) -> None:
    other = make_user()
    edit_profile(user=other, labels={ClaimKind.SKILL: ["Nursing"]})
    assert titles(other)[0] == "Night nurse"
    assert titles(interviewed)[0] == "Django developer"


def test_remote_only_is_respected(interviewed: User) -> None:
    edit_profile(user=interviewed, labels={ClaimKind.CONSTRAINT: ["remote only"]})
    assert set(titles(interviewed)) == {"Django developer", "Carpenter"}, "what does not say is not excluded"


def test_before_the_interview_the_newest_come_first_and_say_so(user: User, opportunities: dict[str, Opportunity]) -> None:
    found = recommend_opportunities(user=user, limit=2)
    assert found.basis == RecommendationBasis.NEWEST
    assert [item.fields["title"] for item in found.recommendations] == ["Carpenter", "Night nurse"]
    assert found.recommendations[0].reasons[0].kind == "newest"


def test_without_a_vector_the_words_of_the_profile_rank(interviewed: User) -> None:
    Profile.objects.update(embedding=None, embedding_model="")
    found = recommend_opportunities(user=interviewed, limit=10)
    assert (found.basis, found.recommendations[0].fields["title"]) == (RecommendationBasis.WORDS, "Django developer")


def test_a_vector_of_another_model_is_not_used(interviewed: User) -> None:
    Profile.objects.update(embedding_model="another")
    assert recommend_opportunities(user=interviewed, limit=10).basis == RecommendationBasis.WORDS


def test_if_the_words_find_nothing_the_newest_are_shown(user: User, opportunities: dict[str, Opportunity]) -> None:
    edit_profile(user=user, labels={ClaimKind.SKILL: ["xqzt"]})
    Profile.objects.update(embedding=None, embedding_model="")
    assert recommend_opportunities(user=user, limit=10).basis == RecommendationBasis.NEWEST


def test_an_empty_catalogue_recommends_nothing(user: User) -> None:
    assert recommend_opportunities(user=user, limit=10).recommendations == []


def test_closed_ones_are_never_recommended(interviewed: User) -> None:
    Opportunity.objects.filter(title="Django developer").update(state="closed")
    assert "Django developer" not in titles(interviewed)
