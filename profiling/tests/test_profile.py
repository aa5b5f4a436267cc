from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from accounts.enums import ConsentPurpose, ConsentSource
from accounts.models import User
from accounts.services.consents import agree_by_acting
from ai.errors import EngineTimeout
from catalog.models import Skill
from core.events import run_delivery
from core.models import EventDelivery
from profiling.enums import ClaimKind, ClaimSource
from profiling.models import Claim, Profile
from profiling.services import profile as module
from profiling.services.interview import complete_interview
from profiling.services.profile import edit_profile, embed_profile
from profiling.services.vocabulary import skills_named

pytestmark = pytest.mark.django_db


def test_an_edit_links_skills_and_makes_the_vector(user: User, skills: dict[str, Skill]) -> None:
    profile = edit_profile(user=user, summary="Me.", labels={ClaimKind.SKILL: ["python"], ClaimKind.GOAL: ["Teach"]})
    assert (profile.summary, profile.is_summary_mine) == ("Me.", True)
    assert profile.embedding is not None
    assert Claim.objects.get(label="python").skill == skills["Python"]
    assert Claim.objects.get(label="Teach").embedding is not None


def test_ones_own_summary_is_never_rewritten_until_it_is_emptied(user: User, skills: dict[str, Skill]) -> None:
    edit_profile(user=user, summary="Mine.")
    assert edit_profile(user=user, labels={ClaimKind.SKILL: ["Python"]}).summary == "Mine."
    edit_profile(user=user, summary="")
    assert edit_profile(user=user, labels={ClaimKind.SKILL: ["Nursing"]}).summary == "You can do: Nursing."


def test_emptying_everything_leaves_nothing_to_embed(user: User, skills: dict[str, Skill]) -> None:
    edit_profile(user=user, labels={ClaimKind.SKILL: ["Python"]})
    profile = edit_profile(user=user, labels={ClaimKind.SKILL: []})
    assert (profile.text, profile.content_hash, profile.summary) == ("", "", "")
    assert embed_profile(user_id=user.pk) is True


def test_without_an_engine_an_edit_is_kept_and_a_worker_finishes_it(user: User, skills: dict[str, Skill]) -> None:
    with (
        mock.patch.object(module, "embed", side_effect=EngineTimeout),
        mock.patch.object(module, "skills_named", side_effect=EngineTimeout),
    ):
        profile = edit_profile(user=user, labels={ClaimKind.SKILL: ["Python"]})
    assert (profile.embedding, Claim.objects.get().skill) == (None, None)
    delivery = EventDelivery.objects.get(handler="profiling.handlers.embed_changed_profile")
    run_delivery(delivery.pk)
    profile.refresh_from_db()
    assert profile.embedding is not None


def test_an_edit_while_embedding_is_not_overwritten(user: User, skills: dict[str, Skill]) -> None:
    edit_profile(user=user, labels={ClaimKind.SKILL: ["Python"]})
    Profile.objects.update(embedded_hash="old", embedding=None, embedding_model="")
    embed = module.embed

    def edit_first(**arguments: Any) -> Any:
        Profile.objects.update(content_hash="edited")
        return embed(**arguments)

    with mock.patch.object(module, "embed", edit_first):
        embed_profile(user_id=user.pk)
    assert Profile.objects.get().embedding is None


def test_labels_are_linked_by_name_or_by_the_same_meaning(user: User, skills: dict[str, Skill]) -> None:
    agree_by_acting(user=user, purpose=ConsentPurpose.AI_PROFILING, source=ConsentSource.SETTINGS)
    found = skills_named(["PYTHON", "gardens", "quantum chess"], user.pk)
    assert found["PYTHON"] == skills["Python"]
    assert "quantum chess" not in found


def test_one_call_deletes_what_was_inferred_and_its_vectors(signed_in: Any, user: User, skills: dict[str, Skill], answer_all: Any) -> None:
    position = answer_all(user, skills="I know Python and nursing.")
    complete_interview(user=user, interview_id=position.interview.pk)
    edit_profile(user=user, labels={ClaimKind.GOAL: ["To teach"]})
    assert Claim.objects.filter(source=ClaimSource.INFERRED).exists()
    assert signed_in.delete("ai-profiling/profile/inferred").status_code == 204
    assert set(Claim.objects.values_list("label", "source")) == {("To teach", ClaimSource.MINE)}
    profile = Profile.objects.get()
    assert profile.embedding is None and "Python" not in profile.text + profile.summary and "To teach" in profile.text
    assert embed_profile(user_id=user.pk) and Profile.objects.get().embedding is not None
    assert signed_in.delete("ai-profiling/profile/inferred").status_code == 204


def test_without_a_profile_there_is_nothing_to_delete(signed_in: Any) -> None:
    assert signed_in.delete("ai-profiling/profile/inferred").status_code == 204
    assert not Profile.objects.exists()
