from __future__ import annotations

import random
import uuid
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from ai.errors import EngineTimeout
from catalog.models import Opportunity, Reaction, Skill
from catalog.services.indexing import embed_opportunities, embed_terms, index_opportunities, refresh_statistics
from conftest import Api
from core.errors import NotFound
from profiling.enums import ClaimKind, ClaimState
from profiling.models import Claim
from profiling.services import counterfactuals
from profiling.services.counterfactuals import PAGE, Standing, ordinal, standing_of
from profiling.services.profile import edit_profile, embed_profile
from profiling.services.recommending import recommend_opportunities
from profiling.services.verification import verify_claim

pytestmark = pytest.mark.django_db
SKILLS = ("Welding", "Accounting", "First aid", "Gardening", "Java", "Photography", "Spanish", "Sewing")


@pytest.fixture
def catalogue(db: None) -> list[Opportunity]:
    """Forty opportunities, each asking for two or three of eight skills."""
    chance = random.Random(5)
    skills = {name: Skill.objects.create(source="t", source_id=name, name=name, keys=[name.lower()], content_hash=name) for name in SKILLS}
    embed_terms()
    rows = []
    for number in range(40):
        wanted = chance.sample(SKILLS, 3)
        row = Opportunity.objects.create(
            source="t",
            source_id=str(number),
            kind="job",
            title=f"Helper for {wanted[0].lower()} number {number}",
            description=f"A place {'in the north' if number % 2 else 'in the south'} with people who like {wanted[1].lower()}.",
        )
        row.skills.set([skills[name] for name in wanted[: 2 + number % 2]])
        rows.append(row)
    index_opportunities([row.pk for row in rows])
    refresh_statistics()
    while embed_opportunities():
        pass
    return rows


def rank_of(user: User, opportunity: Opportunity) -> int | None:
    found = [row.pk for row in recommend_opportunities(user=user, limit=100).recommendations]
    return found.index(opportunity.pk) + 1 if opportunity.pk in found else None


def prove(user: User, labels: Any) -> None:
    for label in labels:
        verify_claim(user_id=user.pk, kind=ClaimKind.SKILL, label=label, evidence=f"certificate:{label}")
    assert embed_profile(user_id=user.pk)


@pytest.mark.parametrize("told", [{ClaimKind.GOAL: ["to help old people"]}, {ClaimKind.SKILL: ["Sewing", "First aid"]}])
def test_what_is_promised_holds_exactly_and_no_less_would_do(user: User, catalogue: list[Opportunity], told: dict[Any, list[str]]) -> None:
    edit_profile(user=user, labels=told)
    promised = 0
    for opportunity in catalogue[::5]:
        standing = standing_of(user=user, opportunity_id=opportunity.pk)
        assert standing.rank == rank_of(user, opportunity)
        found = standing.counterfactual
        if found is None:
            continue
        promised += 1
        assert set(found.skills) <= {skill.name for skill in opportunity.skills.all()}
        before = list(Claim.objects.filter(user=user))
        for left_out in found.skills if len(found.skills) > 1 else ():
            prove(user, [label for label in found.skills if label != left_out])
            assert (rank_of(user, opportunity) or 999) > PAGE, "fewer would have done"
            restore(user, before)
        prove(user, found.skills)
        assert rank_of(user, opportunity) == found.rank
        restore(user, before)
    assert promised >= 2, "the test is blind"


def restore(user: User, claims: list[Claim]) -> None:
    Claim.objects.filter(user=user).delete()
    Claim.objects.bulk_create(claims)
    from django.db import transaction

    from profiling.services.profile import rebuild_profile

    with transaction.atomic():
        rebuild_profile(user_id=user.pk)
    embed_profile(user_id=user.pk)


def test_what_keeps_it_out_is_said(user: User, catalogue: list[Opportunity]) -> None:
    first, second, third, fourth = catalogue[:4]
    now = timezone.now()
    Reaction.objects.create(user=user, opportunity=first, applied_at=now)
    Reaction.objects.create(user=user, opportunity=second, dismissed_at=now)
    Reaction.objects.create(user=user, opportunity=third, saved_at=now)
    Opportunity.objects.filter(pk=third.pk).update(state="closed")
    Opportunity.objects.filter(pk=fourth.pk).update(is_remote=False)
    edit_profile(user=user, labels={ClaimKind.CONSTRAINT: ["remote only"]})
    texts = [standing_of(user=user, opportunity_id=row.pk).text for row in (first, second, third, fourth)]
    assert texts == [
        "You have applied for it already.",
        "You dismissed it.",
        "It is not open any more.",
        "You want to work remotely only, and this is not remote.",
    ]
    with pytest.raises(NotFound):
        standing_of(user=user, opportunity_id=uuid.uuid4())


def test_what_was_rejected_is_not_suggested(user: User, catalogue: list[Opportunity]) -> None:
    edit_profile(user=user, labels={ClaimKind.GOAL: ["to help old people"]})
    last = next(row for row in catalogue[::-1] if (rank_of(user, row) or 99) > 25)
    for skill in last.skills.all():
        Claim.objects.create(user=user, kind="skill", label=skill.name, skill=skill, source="mine", state=ClaimState.REJECTED)
    assert standing_of(user=user, opportunity_id=last.pk).counterfactual is None


def test_without_an_engine_nothing_is_promised(user: User, catalogue: list[Opportunity], monkeypatch: pytest.MonkeyPatch) -> None:
    edit_profile(user=user, labels={ClaimKind.GOAL: ["to help old people"]})

    def out(*arguments: Any, **options: Any) -> Any:
        raise EngineTimeout

    monkeypatch.setattr(counterfactuals, "profile_vectors", out)
    last = next(row for row in catalogue[::-1] if (rank_of(user, row) or 99) > 25)
    standing = standing_of(user=user, opportunity_id=last.pk)
    assert (standing.counterfactual, standing.rank) == (None, rank_of(user, last))


def test_nothing_is_promised_to_who_does_not_want_a_profile(user: User, catalogue: list[Opportunity]) -> None:
    standings = [standing_of(user=user, opportunity_id=row.pk) for row in catalogue[::5]]
    assert {standing.counterfactual for standing in standings} == {None}
    assert [standing.rank for standing in standings] == [rank_of(user, row) for row in catalogue[::5]]


def test_over_the_api(signed_in: Api, user: User, catalogue: list[Opportunity]) -> None:
    edit_profile(user=user, labels={ClaimKind.GOAL: ["to help old people"]})
    bodies = [signed_in.get(f"opportunities/{row.pk}/why-not").json() for row in catalogue[:12]]
    moved = next(body for body in bodies if body["counterfactual"])
    assert moved["text"].endswith(f"it would be {ordinal(moved['counterfactual']['rank'])} instead of {ordinal(moved['rank'])}.")
    assert signed_in.get(f"opportunities/{uuid.uuid4()}/why-not").status_code == 404


def test_sentences() -> None:
    assert [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th")
    ]
    assert Standing(3, 40).text == "It is your 3rd of 40."
    assert Standing(None, 120).text == "It is not among your first 120."
