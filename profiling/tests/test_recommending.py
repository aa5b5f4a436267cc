"""The pipeline of recommendations: sources, terms, mixing, chance, fall-backs, and what the cache must never serve."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.utils import timezone
from psycopg.errors import QueryCanceled
from rest_framework.renderers import JSONRenderer

from accounts.models import Block, User
from catalog.enums import OpportunityState
from catalog.models import Category, Opportunity, Reaction, Skill
from catalog.services.indexing import embed_opportunities, index_opportunities, refresh_statistics
from conftest import Api, at_once
from core.cache import computed_once
from profiling.api.v1.serializers import RecommendationSerializer
from profiling.enums import CandidateSource, ClaimKind, ReasonKind, RecommendationBasis, Term
from profiling.models import Ranker, Serving
from profiling.services import recommending
from profiling.services.candidates import Candidate
from profiling.services.profile import edit_profile
from profiling.services.ranking import Placed, order
from profiling.services.recommending import recommend_opportunities
from profiling.services.scoring import RULE_WEIGHTS, TERMS, Scored, draw_of, weights_of
from profiling.services.servings import prune_servings
from profiling.services.situation import Situation, situation_of
from profiling.services.states import state_of

pytestmark = pytest.mark.django_db
SUBJECTS = ("nurse", "welder", "teacher", "gardener", "cook", "developer", "driver", "painter")


@pytest.fixture
def catalogue(db: None) -> list[Opportunity]:
    rows = []
    for number, subject in enumerate(SUBJECTS * 5):
        category, _ = Category.objects.get_or_create(source_id=subject, slug=subject, name=subject)
        rows.append(
            Opportunity.objects.create(
                source="t",
                source_id=str(number),
                kind="job",
                title=f"{subject} {number}",
                description=f"We look for a {subject}.",
                organisation=f"Employer {number % 7}",
                category=category,
            )
        )
    index_opportunities([row.pk for row in rows])
    refresh_statistics()
    while embed_opportunities():
        pass
    return rows


@pytest.fixture
def nurse(user: User, catalogue: list[Opportunity]) -> User:
    edit_profile(user=user, labels={ClaimKind.GOAL: ["to work as a nurse"]})
    return user


def shown(user: User, limit: int = 10) -> list[Opportunity]:
    keys = [found.pk for found in recommend_opportunities(user=user, limit=limit).recommendations]
    rows = Opportunity.objects.in_bulk(keys)
    return [rows[key] for key in keys]


class TestPersonal:
    def test_people_of_whom_only_the_profile_is_known_get_their_own(self, nurse: User, make_user: Any) -> None:
        welder = make_user()
        edit_profile(user=welder, labels={ClaimKind.GOAL: ["to work as a welder"]})
        firsts = [{row.pk for row in shown(person, 5)} for person in (nurse, welder)]
        assert len(firsts[0] & firsts[1]) <= 1
        assert [row.title.split()[0] for row in shown(nurse, 4)] == ["nurse"] * 4

    def test_what_somebody_saved_and_dismissed_moves_the_rest(self, user: User, catalogue: list[Opportunity]) -> None:
        cooks = [row for row in catalogue if row.title.startswith("cook")]
        gardener = next(row for row in catalogue if row.title.startswith("gardener"))
        Reaction.objects.create(user=user, opportunity=cooks[0], saved_at=timezone.now())
        Reaction.objects.create(user=user, opportunity=gardener, dismissed_at=timezone.now())
        found = recommend_opportunities(user=user, limit=10)
        assert found.basis == RecommendationBasis.TASTE
        assert {row.pk for row in found.recommendations[:4]} <= {row.pk for row in cooks}
        assert found.recommendations[0].reasons[0].kind == ReasonKind.TASTE
        assert gardener.pk not in {row.pk for row in shown(user, 40)}

    def test_place_language_deadline_and_others(self, user: User, catalogue: list[Opportunity], make_user: Any) -> None:
        user.languages = ["no"]
        user.save()
        edit_profile(user=user, labels={ClaimKind.LOCATION: ["Oslo"], ClaimKind.GOAL: ["to work as a nurse"]})
        row = next(row for row in catalogue if row.title.startswith("nurse"))
        told = {"location": "Oslo, Norway", "language": "no", "deadline_on": timezone.now().date()}
        Opportunity.objects.filter(pk=row.pk).update(**told)
        for _ in range(3):
            Reaction.objects.create(user=make_user(), opportunity=row, saved_at=timezone.now())
        first = recommend_opportunities(user=user, limit=5).recommendations[0]
        assert first.pk == row.pk
        terms = dict(zip(TERMS, Serving.objects.get().terms[0], strict=True))
        assert (terms[Term.PLACE], terms[Term.LANGUAGE], terms[Term.FRESH]) == (1, 1, 1)
        assert terms[Term.URGENT] == pytest.approx(0.5 ** (1 / 5), abs=1e-5), "its day is over tomorrow"
        assert 0 < terms[Term.POPULAR] < 1
        assert ReasonKind.PLACE in {reason.kind for reason in first.reasons}

    def test_the_score_is_the_sum_of_its_terms(self, nurse: User) -> None:
        found = recommend_opportunities(user=nurse, limit=30).recommendations
        for recommendation, terms in zip(found, Serving.objects.get().terms, strict=True):
            total = sum(RULE_WEIGHTS[term] * value for term, value in zip(TERMS, terms, strict=True))
            assert recommendation.score == pytest.approx(total, abs=1e-5)
            assert sum(reason.share for reason in recommendation.reasons) <= 1.0001 * len(recommendation.reasons)


class TestHidden:
    @pytest.mark.parametrize("how", ["applied", "dismissed", "closed", "paused", "expired", "blocked", "retired", "deleted"])
    def test_a_kept_ranking_never_shows_what_may_not_be_shown(self, nurse: User, make_user: Any, how: str) -> None:
        poster = make_user()
        first = shown(nurse)[0]
        Opportunity.objects.filter(pk=first.pk).update(posted_by=poster)
        assert shown(nurse)[0].pk == first.pk
        rows, now = Opportunity.objects.filter(pk=first.pk), timezone.now()
        changes: dict[str, Callable[[], object]] = {
            "applied": lambda: Reaction.objects.create(user=nurse, opportunity=first, applied_at=now),
            "dismissed": lambda: Reaction.objects.create(user=nurse, opportunity=first, dismissed_at=now),
            "closed": lambda: rows.update(state=OpportunityState.CLOSED),
            "paused": lambda: rows.update(state=OpportunityState.PAUSED),
            "retired": lambda: rows.update(state=OpportunityState.RETIRED),
            "expired": lambda: rows.update(deadline_on=now.date() - datetime.timedelta(days=1)),
            "blocked": lambda: Block.objects.create(blocker=poster, blocked=nurse),
            "deleted": rows.delete,
        }
        changes[how]()
        assert first.pk not in {row.pk for row in shown(nurse)}
        assert len(shown(nurse)) == 10, "and its place is filled"

    def test_remote_only(self, nurse: User) -> None:
        Opportunity.objects.filter(title__startswith="nurse").update(is_remote=False)
        edit_profile(user=nurse, labels={ClaimKind.CONSTRAINT: ["remote only"]})
        assert not [row for row in shown(nurse, 40) if row.is_remote is False]


class TestMixing:
    def scored(self, number: int, **fields: Any) -> Scored:
        fields = {"poster": f"p{number}", "category_id": None, "sources": {CandidateSource.MEANING}, "origin": f"d {number}"} | fields
        candidate = Candidate(uuid.UUID(int=number), frozenset(fields.pop("sources")))
        return Scored(candidate=candidate, published_at=timezone.now(), terms=(), score=1 - number / 1000, **fields)

    def situation(self, user: User) -> Situation:
        return situation_of(user)

    def numbers(self, placed: list[Placed]) -> list[int]:
        return [found.scored.pk.int for found in placed]

    def test_no_poster_and_no_category_fills_a_page(self, user: User) -> None:
        one = uuid.UUID(int=9)
        crowd = [self.scored(number, poster="same", category_id=one) for number in range(20)]
        others = [self.scored(number, category_id=one) for number in range(100, 104)] + [self.scored(number) for number in range(200, 210)]
        placed = order(self.situation(user), [*crowd, *others])
        assert len(placed) == 34
        for start in range(8):
            window = placed[start : start + 10]
            assert sum(found.scored.poster == "same" for found in window) <= 3
            assert sum(found.scored.category_id == one for found in window) <= 6
        assert self.numbers(placed)[:4] == [0, 1, 2, 100], "the best that mixes comes first"

    def test_of_near_duplicates_the_best_is_shown(self, user: User) -> None:
        rows = [self.scored(1), self.scored(2, origin=f"d {uuid.UUID(int=1)}"), self.scored(3)]
        rows[0] = self.scored(1, origin=f"d {uuid.UUID(int=1)}")
        assert self.numbers(order(self.situation(user), rows)) == [1, 3]

    def test_chance_has_every_tenth_place_and_says_how_likely_it_was(self, user: User) -> None:
        rows = [self.scored(number) for number in range(30)]
        rows += [self.scored(number, sources={CandidateSource.CHANCE}) for number in range(100, 108)]
        placed = order(self.situation(user), rows)
        by_chance = {index: found.propensity for index, found in enumerate(placed) if found.is_by_chance}
        assert by_chance.items() >= {4: 1 / 8, 14: 1 / 7, 24: 1 / 6}.items()
        assert set(by_chance) <= {4, 14, 24, 34}
        assert self.numbers(placed) == self.numbers(order(self.situation(user), rows)), "the same all day"


class TestSteps:
    def slow(self, times: int) -> Any:
        real, left = recommending.find_candidates, [times]

        def find(*arguments: Any, **options: Any) -> Any:
            if left[0]:
                left[0] -= 1
                raise OperationalError from QueryCanceled()
            return real(*arguments, **options)

        return mock.patch.object(recommending, "find_candidates", find)

    @pytest.mark.parametrize(
        ("times", "basis", "fallbacks"),
        [
            (1, RecommendationBasis.WORDS, ["profile: took more than 800 ms"]),
            (2, RecommendationBasis.NEWEST, ["profile: took more than 800 ms", "words: took more than 400 ms"]),
        ],
    )
    def test_a_step_that_takes_too_long_is_left_out_by_name(
        self, nurse: User, times: int, basis: RecommendationBasis, fallbacks: list[str]
    ) -> None:
        with self.slow(times):
            found = recommend_opportunities(user=nurse, limit=10)
        assert (found.basis, list(found.fallbacks), len(found.recommendations)) == (basis, fallbacks, 10)
        assert Serving.objects.get().fallbacks == fallbacks

    def test_the_limit_is_the_databases(self, nurse: User) -> None:
        from django.db import connection

        with pytest.raises(recommending._TookTooLong), recommending._time_limit(20), connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(1)")
        with recommending._time_limit(None), connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("0",)

    def test_other_errors_are_not_taken_for_slowness(self, nurse: User) -> None:
        with mock.patch.object(recommending, "find_candidates", side_effect=OperationalError), pytest.raises(OperationalError):
            recommend_opportunities(user=nurse, limit=10)


class TestCache:
    def test_is_kept_until_something_changes(self, nurse: User) -> None:
        for change in (
            lambda: None,
            lambda: edit_profile(user=nurse, labels={ClaimKind.SKILL: ["first aid"]}),
            lambda: Reaction.objects.create(user=nurse, opportunity=Opportunity.objects.all()[0], saved_at=timezone.now()),
            lambda: User.objects.filter(pk=nurse.pk).update(updated_at=timezone.now()),
            lambda: Ranker.objects.create(version=1, weights=RULE_WEIGHTS, state="in_force", in_force_since=timezone.now()),
        ):
            change()
            shown(nurse)
            shown(nurse)
        assert list(Serving.objects.order_by("id").values_list("was_cached", flat=True)) == [False, True] * 5

    def test_many_at_once_compute_it_once(self) -> None:
        calls = []

        def compute() -> int:
            calls.append(1)
            return 7

        answers = at_once(8, lambda: computed_once("cache-test", compute, seconds=60))
        assert [value for value, _ in answers] == [7] * 8
        assert (len(calls), [was_kept for _, was_kept in answers].count(False)) == (1, 1)

    def test_who_gets_the_lock_looks_once_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cache.set("cache-test", {"value": 7}, timeout=60)
        get, looks = cache.get, iter([None])
        # The first look comes just before another one, who computes it, is done.
        monkeypatch.setattr("core.cache.cache", mock.Mock(wraps=cache, get=lambda key: next(looks, get(key))))
        assert computed_once("cache-test", lambda: 8, seconds=60) == (7, True)
        assert cache.get("cache-test:lock") is None

    def test_one_who_died_holds_nobody_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("core.cache._LOCK_SECONDS", 0.05)
        cache.add("cache-test:lock", 1, timeout=60)
        assert computed_once("cache-test", lambda: 7, seconds=60) == (7, False)


class TestServings:
    def test_what_was_shown_is_kept_and_then_pruned(self, nurse: User) -> None:
        rows = shown(nurse, 12)
        serving = Serving.objects.get()
        assert (serving.opportunity_ids, serving.ranker_version) == ([row.pk for row in rows], 0)
        assert len(serving.terms) == len(serving.propensities) == 12
        assert prune_servings() == 0
        Serving.objects.update(created_at=timezone.now() - datetime.timedelta(days=181))
        assert prune_servings() == 1


class TestRankers:
    def test_one_that_is_rolled_out_serves_its_share(self, user: User) -> None:
        now = timezone.now()
        assert state_of(user.pk).version == 0
        Ranker.objects.create(version=1, weights=RULE_WEIGHTS, state="in_force", in_force_since=now)
        rolling = Ranker.objects.create(version=2, weights=RULE_WEIGHTS, state="rolling_out", share=draw_of(user.pk, 2) + 1)
        assert state_of(user.pk).version == 2
        Ranker.objects.filter(pk=rolling.pk).update(share=draw_of(user.pk, 2))
        assert state_of(user.pk).version == 1
        Ranker.objects.filter(version=1).delete()
        assert state_of(user.pk).version == 0
        assert (weights_of(0), weights_of(2)) == (RULE_WEIGHTS, {str(term): weight for term, weight in RULE_WEIGHTS.items()})


def test_cards_made_in_sql_are_what_the_serializer_says(signed_in: Api, nurse: User, catalogue: list[Opportunity]) -> None:
    hostile = 'Quote " back\\slash \u2028 </script> \x07 tab\t é 💩'
    for number, row in enumerate(catalogue):
        if number % 3 == 0:
            row.skills.add(*(Skill.objects.get_or_create(source="t", source_id=name, name=name)[0] for name in ("b", "a", hostile)))
        Opportunity.objects.filter(pk=row.pk).update(
            is_remote=(None, True, False)[number % 3],
            tags=[hostile, "x"] if number % 2 else [],
            description=hostile * (number % 4),
            deadline_on=datetime.date(2031, 1, 31) if number % 2 else None,
            starts_on=datetime.date(2031, 2, 1) if number % 5 else None,
            ends_on=datetime.date(2031, 12, 31) if number % 7 else None,
            category=None if number % 4 == 0 else row.category,
            url="https://example.org/?a=1&b=2" if number % 2 else "",
        )
    body = signed_in.get("opportunities/recommended?page_size=40").json()
    assert len(body["recommendations"]) == 40
    rows = {str(row.pk): row for row in Opportunity.objects.all().for_cards()}
    for found in body["recommendations"]:
        told = SimpleNamespace(opportunity=rows[found["id"]], score=found["score"], reasons=found["reasons"])
        assert json.loads(JSONRenderer().render(RecommendationSerializer(told).data)) == found
