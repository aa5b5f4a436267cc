"""Whose word a claim is: proven, taken back, suggested to look at again."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.enums import ConsentPurpose, ConsentSource
from accounts.models import User
from accounts.services.consents import decide
from catalog.events import SkillReplaced
from catalog.models import Skill
from conftest import Api, at_once
from profiling import tasks
from profiling.enums import ClaimKind, ClaimSource, ClaimState, SuggestionReason, SuggestionState
from profiling.errors import SuggestionDecided, SuggestionNotFound
from profiling.handlers import follow_replaced_skill
from profiling.models import Claim, Profile, Suggestion
from profiling.services import suggestions
from profiling.services.interview import start_interview, submit_answer
from profiling.services.profile import edit_profile
from profiling.services.suggestions import decide_suggestion, suggest, suggest_for
from profiling.services.verification import verify_claim, withdraw_evidence

pytestmark = pytest.mark.django_db
EVIDENCE = "certificate:1"


def say(user: User, text: str) -> None:
    position = start_interview(user=user)
    assert position.question
    submit_answer(user=user, interview_id=position.interview.pk, step=position.question.step, text=text)


def age(claim: Claim, days: int) -> None:
    Claim.objects.filter(pk=claim.pk).update(updated_at=timezone.now() - datetime.timedelta(days=days))


class TestVerified:
    def test_evidence_lifts_a_claim_and_its_end_puts_it_back(self, user: User, skills: dict[str, Skill]) -> None:
        edit_profile(user=user, labels={ClaimKind.SKILL: ["Python"]})
        claim = verify_claim(user_id=user.pk, kind=ClaimKind.SKILL, label="python", evidence=EVIDENCE)
        assert (claim.source, claim.evidence, claim.skill) == (ClaimSource.VERIFIED, EVIDENCE, skills["Python"])
        say(user, "I know Python.")
        edit_profile(user=user, labels={ClaimKind.SKILL: ["Python", "Nursing"]})
        claim.refresh_from_db()
        assert claim.source == ClaimSource.VERIFIED, "neither an engine nor an edit that keeps it touches the proof"
        assert (withdraw_evidence(evidence=EVIDENCE), withdraw_evidence(evidence=EVIDENCE)) == (1, 0)
        claim.refresh_from_db()
        assert (claim.source, claim.evidence) == (ClaimSource.MINE, "")

    def test_what_only_the_evidence_said_goes_with_it(self, user: User, skills: dict[str, Skill]) -> None:
        for _ in range(2):
            verify_claim(user_id=user.pk, kind=ClaimKind.SKILL, label="Nursing", evidence=EVIDENCE)
        assert "Nursing" in Profile.objects.get().summary
        withdraw_evidence(evidence=EVIDENCE)
        assert not Claim.objects.exists() and "Nursing" not in Profile.objects.get().text

    def test_what_the_person_rejected_stays_rejected(self, user: User, skills: dict[str, Skill]) -> None:
        edit_profile(user=user, labels={ClaimKind.SKILL: ["Python"]})
        edit_profile(user=user, labels={ClaimKind.SKILL: []})
        claim = verify_claim(user_id=user.pk, kind=ClaimKind.SKILL, label="Python", evidence=EVIDENCE)
        assert claim.state == ClaimState.REJECTED and not Claim.objects.active().exists()

    @pytest.mark.parametrize(
        "fields", [{"source": "verified"}, {"source": "mine", "evidence": "x:1"}, {"source": "mine", "state": "proposed"}]
    )
    def test_the_database_knows_the_rules(self, user: User, fields: dict[str, str]) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            Claim.objects.create(user=user, kind="skill", label="x", **fields)


class TestContradiction:
    def test_an_answer_against_ones_own_word_suggests_and_changes_nothing(
        self, user: User, skills: dict[str, Skill], signed_in: Api
    ) -> None:
        edit_profile(user=user, labels={ClaimKind.SKILL: ["Carpentry"]})
        say(user, "I am not good at carpentry.")
        assert list(Claim.objects.active().values_list("label", "source")) == [("Carpentry", "mine")]
        (shown,) = signed_in.get("ai-profiling/suggestions").json()["results"]
        assert (shown["reason"], shown["quote"], shown["claim"]["label"]) == ("contradiction", "I am not good at carpentry.", "Carpentry")
        assert "Carpentry" in shown["why"] and "not good at" in shown["why"]

    def test_what_an_engine_concluded_just_goes(self, user: User, skills: dict[str, Skill]) -> None:
        say(user, "I am good at carpentry.")
        assert Claim.objects.get(kind="skill").label == "Carpentry"
        say(user, "I am not good at carpentry any more.")
        assert not Claim.objects.filter(kind="skill").exists()
        assert not Suggestion.objects.exists()


class TestSuggestions:
    @pytest.fixture
    def claims(self, user: User, skills: dict[str, Skill]) -> list[Claim]:
        labels = {ClaimKind.GOAL: ["To teach"], ClaimKind.AVAILABILITY: ["evenings"], ClaimKind.LANGUAGE: ["English"]}
        edit_profile(user=user, labels=labels)
        return list(Claim.objects.order_by("kind"))

    def test_what_is_old_is_suggested_oldest_first_and_at_most_monthly(self, user: User, claims: list[Claim]) -> None:
        tasks.suggest_looking_again()
        assert not Suggestion.objects.exists()
        for claim, days in zip(claims, (130, 300, 5_000), strict=True):
            age(claim, days)
        tasks.suggest_looking_again()
        tasks.suggest_looking_again()
        suggestion = Suggestion.objects.get()
        assert (suggestion.claim.label, suggestion.reason) == ("To teach", SuggestionReason.AGE)
        decide_suggestion(user=user, suggestion_id=suggestion.pk, is_accepted=False)
        tasks.suggest_looking_again()
        assert Suggestion.objects.count() == 1, "not within a month"
        Suggestion.objects.update(created_at=timezone.now() - datetime.timedelta(days=31))
        tasks.suggest_looking_again()
        assert list(Suggestion.objects.open().values_list("claim__label", flat=True)) == ["evenings"]

    def test_a_no_is_remembered_for_ever(self, user: User, claims: list[Claim]) -> None:
        age(claims[1], 300)
        suggestion = suggest_for(user_id=user.pk)
        assert suggestion and suggestion.claim == claims[1]
        decide_suggestion(user=user, suggestion_id=suggestion.pk, is_accepted=False)
        Suggestion.objects.update(created_at=timezone.now() - datetime.timedelta(days=3_000))
        assert suggest_for(user_id=user.pk) is None
        assert suggest(claim=claims[1], reason=SuggestionReason.AGE) is None
        assert suggest(claim=claims[1], reason=SuggestionReason.CONTRADICTION, quote="I hate it.") is not None, (
            "another reason is another question"
        )

    def test_an_edit_makes_a_claim_young_again(self, user: User, claims: list[Claim]) -> None:
        age(claims[1], 300)
        edit_profile(user=user, labels={ClaimKind.GOAL: ["To teach"]})
        assert suggest_for(user_id=user.pk) is None

    def test_without_consent_nobody_is_asked(self, user: User, claims: list[Claim]) -> None:
        age(claims[1], 300)
        decide(user=user, purpose=ConsentPurpose.AI_PROFILING, is_granted=False, text_version=1, source=ConsentSource.SETTINGS)
        assert suggest_for(user_id=user.pk) is None

    def test_deciding_twice_is_once_and_the_other_way_round_a_conflict(self, user: User, make_user: Any, claims: list[Claim]) -> None:
        suggestion = suggest(claim=claims[0], reason=SuggestionReason.AGE)
        assert suggestion
        with pytest.raises(SuggestionNotFound):
            decide_suggestion(user=make_user(), suggestion_id=suggestion.pk, is_accepted=True)
        for _ in range(2):
            assert decide_suggestion(user=user, suggestion_id=suggestion.pk, is_accepted=True).state == SuggestionState.ACCEPTED
        with pytest.raises(SuggestionDecided):
            decide_suggestion(user=user, suggestion_id=suggestion.pk, is_accepted=False)

    def test_over_the_api(self, user: User, signed_in: Api, claims: list[Claim]) -> None:
        assert signed_in.get("ai-profiling/suggestions").json() == {"results": []}
        age(claims[1], 300)
        suggest_for(user_id=user.pk)
        (shown,) = signed_in.get("ai-profiling/suggestions").json()["results"]
        assert "To teach" in shown["why"]
        answer = signed_in.patch(f"ai-profiling/suggestions/{shown['id']}", {"accept": False})
        assert (answer.status_code, answer.json()["state"]) == (200, "declined")
        assert signed_in.patch(f"ai-profiling/suggestions/{shown['id']}", {"accept": True}).json()["code"] == "suggestion_decided"
        assert signed_in.patch(f"ai-profiling/suggestions/{shown['id']}", {}).json()["errors"][0]["field"] == "accept"
        assert signed_in.get("ai-profiling/suggestions").json() == {"results": []}

    def test_many_profiles_are_gone_through_in_pages(self, user: User, claims: list[Claim], make_user: Any) -> None:
        Profile.objects.create(user=make_user())
        first = suggestions.suggest_to_all(limit=1)
        assert first is not None
        second = suggestions.suggest_to_all(after=first, limit=1)
        assert second is not None and second > first
        assert suggestions.suggest_to_all(after=second, limit=1) is None

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_once_one_is_made(self, user: User, claims: list[Claim]) -> None:
        made = at_once(6, lambda: suggest(claim=claims[0], reason=SuggestionReason.AGE) is not None)
        assert made.count(True) == 1 and Suggestion.objects.count() == 1


def test_claims_follow_a_skill_that_was_replaced(user: User) -> None:
    old, new, third = (Skill.objects.create(source="t", source_id=name, name=name) for name in ("JS", "JavaScript", "TypeScript"))
    claim = Claim.objects.create(user=user, kind="skill", label="JS", skill=old, source="mine")
    follow_replaced_skill(SkillReplaced(old.pk, str(new.pk)))
    claim.refresh_from_db()
    assert (claim.skill, claim.label) == (new, "JS")
    follow_replaced_skill(SkillReplaced(new.pk, f"{old.pk},{third.pk}"))
    claim.refresh_from_db()
    assert (claim.skill, claim.label) == (None, "JS"), "after a split only the person could say which"
