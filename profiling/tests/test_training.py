"""Learning the ranker on a population whose wishes are known: what is learned must be better, and what is poisoned must be refused."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy
import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Opportunity, Reaction
from core.models import AuditEntry
from profiling import tasks
from profiling.enums import RankerState, RecommendationBasis, Term
from profiling.errors import NothingToRollBackTo, TrainingIsRunning
from profiling.models import Ranker, Serving
from profiling.selectors import serving_figures
from profiling.services import training
from profiling.services.examples import pages_of_the_log, suspicious_people
from profiling.services.replay import Replay, examination, replay
from profiling.services.rollout import advance_rollout
from profiling.services.scoring import RULE_WEIGHTS, TERMS
from profiling.services.training import retrain_ranker, roll_back_ranker

pytestmark = pytest.mark.django_db
PEOPLE, PAGES, PLACES, POOL = 150, 6, 15, 45
# What these people really go by: skills and place, and hardly the words.
WISHES = numpy.array([{Term.SKILLS: 3.0, Term.PLACE: 2.0, Term.MEANING: 0.5}.get(term, 0.0) for term in TERMS])
RULE = numpy.array([RULE_WEIGHTS[term] for term in TERMS])
Judge = Callable[[numpy.ndarray, numpy.random.Generator], numpy.ndarray]


def honest(terms: numpy.ndarray, chance: numpy.random.Generator) -> numpy.ndarray:
    """How likely somebody who looks says yes."""
    return 1 / (1 + numpy.exp(-(terms @ WISHES - 3.5)))


def draw_terms(chance: numpy.random.Generator, count: int) -> numpy.ndarray:
    terms = chance.random((count, len(TERMS)))
    for term in (Term.PLACE, Term.SKILLS):
        terms[:, TERMS.index(term)] = chance.random(count) < 0.3
    return terms


class Population:
    """People, opportunities, and a log of what the ranker in force showed to them and what they did."""

    def __init__(self, seed: int) -> None:
        self.chance = numpy.random.default_rng(seed)
        now = timezone.now()
        self.rows = Opportunity.objects.bulk_create(
            Opportunity(
                source="s",
                source_id=str(number),
                kind="job",
                title="x",
                organisation=f"o{number % 40}",
                published_at=now - datetime.timedelta(days=int(self.chance.integers(0, 90))),
            )
            for number in range(400)
        )

    def live(self, people: int, judge: Judge, *, pages: int = PAGES, name: str = "p", own: list[Opportunity] | None = None) -> list[User]:
        users = User.objects.bulk_create(
            [User(email=f"{name}{number}@example.org", full_name="P") for number in range(people)], batch_size=500
        )
        servings, reactions = [], {}
        for user in users:
            for page in range(pages):
                served_at = timezone.now() - datetime.timedelta(days=30 - 4 * page, seconds=int(self.chance.integers(0, 80_000)))
                terms = draw_terms(self.chance, POOL)
                chosen = numpy.argsort(-(terms @ RULE))[:PLACES]
                rows = [self.rows[index] for index in self.chance.choice(len(self.rows), PLACES, replace=False)]
                if own:
                    rows[:5] = [own[index] for index in self.chance.choice(len(own), 5, replace=False)]
                yes = self.chance.random(PLACES) < judge(terms[chosen], self.chance) * examination(PLACES)
                servings.append(
                    Serving(
                        user=user,
                        created_at=served_at,
                        ranker_version=0,
                        basis=RecommendationBasis.PROFILE,
                        opportunity_ids=[row.pk for row in rows],
                        propensities=[1.0] * PLACES,
                        terms=terms[chosen].round(4).tolist(),
                    )
                )
                for row in (row for row, said in zip(rows, yes, strict=True) if said):
                    instant = served_at + datetime.timedelta(minutes=3)
                    reactions[(user.pk, row.pk)] = Reaction(user=user, opportunity=row, saved_at=instant)
        Serving.objects.bulk_create(servings, batch_size=500)
        Reaction.objects.bulk_create(reactions.values(), batch_size=500)
        return users


def utility(weights: numpy.ndarray, seed: int = 99) -> float:
    """What people would get from the first ten of fresh pools ranked so: the mean of the true chances of a yes, discounted by place."""
    chance = numpy.random.default_rng(seed)
    discounts = 1 / numpy.log2(numpy.arange(2, 12))
    total = 0.0
    for _ in range(400):
        terms = draw_terms(chance, POOL)
        best = terms[numpy.argsort(-(terms @ weights))[:10]]
        total += float(honest(best, chance) @ discounts)
    return total / 400


def vector(ranker: Ranker) -> numpy.ndarray:
    return numpy.array([ranker.weights[term] for term in TERMS])


class TestLearning:
    def test_what_is_learned_beats_the_rule_and_is_adopted(self) -> None:
        Population(1).live(PEOPLE, honest)
        ranker = retrain_ranker(at_once=True)
        assert ranker.report["objections"] == []
        assert ranker.state == RankerState.IN_FORCE
        measured = ranker.report["replay"]
        assert measured["gain_at_least"] > 0 and measured["people"] >= 50
        assert utility(vector(ranker)) > 1.1 * utility(RULE)
        assert ranker.weights[Term.SKILLS] == max(ranker.weights.values())
        assert ranker.weights[Term.DISTASTE] <= 0 <= min(weight for term, weight in ranker.weights.items() if term != Term.DISTASTE)

    def test_what_is_no_better_is_refused(self) -> None:
        def content(terms: numpy.ndarray, chance: numpy.random.Generator) -> numpy.ndarray:
            return 1 / (1 + numpy.exp(-(3 * (terms @ RULE) - 5)))

        Population(2).live(PEOPLE, content)
        ranker = retrain_ranker()
        # Weights in another proportion may do as well; surely better they are not.
        assert ranker.state == RankerState.REFUSED
        assert "It is not surely better on replay." in ranker.report["objections"]

    @pytest.mark.parametrize("how", ["eager", "one poster", "busy"])
    def test_a_poisoned_log_is_not_adopted(self, how: str) -> None:
        population = Population(3)
        population.live(PEOPLE, honest)
        own = population.rows[:30]
        Opportunity.objects.filter(pk__in=[row.pk for row in own]).update(organisation="Spam Ltd")

        def popular(terms: numpy.ndarray, chance: numpy.random.Generator) -> numpy.ndarray:
            return numpy.where(terms[:, TERMS.index(Term.POPULAR)] > (0.2 if how == "busy" else 0.5), 9.0, 0.0)

        def spam(terms: numpy.ndarray, chance: numpy.random.Generator) -> numpy.ndarray:
            return numpy.where(numpy.arange(len(terms)) < 5, 9.0, 0.0)

        def everything(terms: numpy.ndarray, chance: numpy.random.Generator) -> numpy.ndarray:
            return numpy.full(len(terms), 9.0)

        judge = {"eager": everything, "one poster": spam, "busy": popular}[how]
        bots = population.live(120, judge, name="bot", own=own if how == "one poster" else None, pages=12 if how == "busy" else PAGES)
        ranker = retrain_ranker(at_once=True)
        if ranker.state == RankerState.IN_FORCE:
            assert how == "busy", "these do not read like people"
            assert utility(vector(ranker)) > utility(RULE), "whoever slips through has one vote each"
        else:
            assert ranker.state == RankerState.REFUSED
            assert suspicious_people(pages_of_the_log()) >= {bot.pk for bot in bots[:3]}
        assert not Ranker.objects.filter(state=RankerState.IN_FORCE).exclude(pk=ranker.pk).exists()

    def test_a_log_whose_newer_part_says_the_contrary_is_refused(self) -> None:
        """Whoever poisons what is learned from does not convince those by whom it is judged."""
        population = Population(4)
        population.live(PEOPLE, honest)
        cut = sorted(Serving.objects.values_list("created_at", flat=True))[int(PEOPLE * PAGES * 0.7)]
        poison = numpy.zeros(len(TERMS))
        poison[TERMS.index(Term.POPULAR)] = 8.0
        Reaction.objects.filter(saved_at__lt=cut).delete()
        for serving in Serving.objects.filter(created_at__lt=cut):
            terms = numpy.array(serving.terms)
            place = int(numpy.argmax(terms @ poison))
            fields = {"user_id": serving.user_id, "opportunity_id": serving.opportunity_ids[place]}
            Reaction.objects.update_or_create(**fields, defaults={"saved_at": serving.created_at + datetime.timedelta(minutes=1)})
        ranker = retrain_ranker(at_once=True)
        assert ranker.state == RankerState.REFUSED, ranker.report

    def test_too_few_people_teach_nothing(self) -> None:
        ranker = retrain_ranker()
        assert (ranker.state, ranker.report["objections"]) == (RankerState.REFUSED, ["Only 0 people reacted; 50 are needed."])
        Population(5).live(60, honest, pages=1)
        assert retrain_ranker().state == RankerState.REFUSED

    def test_two_do_not_learn_at_once(self) -> None:
        with mock.patch.object(training, "only_here") as only_here, pytest.raises(TrainingIsRunning):
            only_here.return_value.__enter__.return_value = False
            retrain_ranker()


class TestReplay:
    def replay(self, **changes: Any) -> Replay:
        fields = {
            **{"people": 60, "before": 1.0, "after": 1.2, "gain_at_least": 0.1, "spread_before": 4.0, "spread_after": 4.0},
            **{"new_before": 5.0, "new_after": 5.0, "new_is_surely_less": False, "dismissed_before": 2.0, "dismissed_after": 2.0},
        }
        return Replay(**(fields | changes))

    @pytest.mark.parametrize(
        ("change", "objection"),
        [
            ({}, []),
            ({"gain_at_least": 0.0}, ["It is not surely better on replay."]),
            ({"spread_after": 3.7}, ["Exposure would be spread over fewer posters."]),
            ({"new_is_surely_less": True}, ["What is new would be shown less."]),
            ({"dismissed_after": 2.2}, ["People would be shown more of what they dismiss."]),
        ],
    )
    def test_every_guard_objects(self, change: dict[str, float], objection: list[str]) -> None:
        assert self.replay(**change).objections() == objection

    def test_the_same_weights_do_the_same(self) -> None:
        Population(6).live(20, honest, pages=2)
        outcome = replay(pages_of_the_log(), before=RULE_WEIGHTS, after=RULE_WEIGHTS, seed=1)
        assert (outcome.before, outcome.gain_at_least, outcome.spread_before) == (outcome.after, 0.0, outcome.spread_after)
        assert replay([], before=RULE_WEIGHTS, after=RULE_WEIGHTS, seed=1).people == 0

    def test_a_reaction_is_put_down_to_the_newest_serving_before_it(self, user: User) -> None:
        row = Opportunity.objects.create(source="s", source_id="1", kind="job", title="x")
        now = timezone.now()
        for days in (6, 3, 1):
            Serving.objects.create(
                user=user,
                created_at=now - datetime.timedelta(days=days),
                ranker_version=0,
                basis="profile",
                opportunity_ids=[row.pk],
                propensities=[1.0],
                terms=[[0.0] * len(TERMS)],
            )
        Reaction.objects.create(
            user=user,
            opportunity=row,
            opened_at=now - datetime.timedelta(days=5),
            saved_at=now - datetime.timedelta(days=2),
            applied_at=now - datetime.timedelta(days=99),
        )
        assert [page.gains.tolist() for page in pages_of_the_log()] == [[1.0], [2.0], [0.0]]


class TestBeingInForce:
    def adopted(self, version: int, state: RankerState = RankerState.IN_FORCE, **fields: Any) -> Ranker:
        return Ranker.objects.create(version=version, weights=dict(RULE_WEIGHTS), state=state, in_force_since=timezone.now(), **fields)

    def test_one_command_back(self, capsys: Any) -> None:
        with pytest.raises(NothingToRollBackTo):
            roll_back_ranker()
        first = self.adopted(1)
        second = self.adopted(2, RankerState.ROLLING_OUT, share=10)
        assert roll_back_ranker() == 1, "what is being rolled out goes first"
        training.put_in_force(second)
        first.refresh_from_db()
        assert first.state == RankerState.STANDBY
        call_command("retrain_ranker", "--roll-back")
        assert capsys.readouterr().out == "Ranker 1 serves again.\n"
        assert roll_back_ranker() == 0, "at last the one chosen by hand"
        with pytest.raises(CommandError, match="No learned ranker"):
            call_command("retrain_ranker", "--roll-back")

    def test_staff_take_it_back(self, client: Any, staff: Any) -> None:
        ranker = self.adopted(1)
        client.force_login(staff)
        for words in ("Ranker 0 serves again.", "No learned ranker was ever adopted."):
            page = client.post(
                reverse("admin:profiling_ranker_changelist"), {"action": "roll_back", "_selected_action": [str(ranker.pk)]}, follow=True
            )
            assert words in page.content.decode()
        ranker.refresh_from_db()
        assert ranker.state == RankerState.STOPPED
        assert AuditEntry.objects.filter(action="rolled back", thing_kind="profiling.Ranker").count() == 1

    def test_the_command_reports(self, capsys: Any) -> None:
        call_command("retrain_ranker")
        assert "Ranker 1 is not adopted: Only 0 people reacted; 50 are needed." in capsys.readouterr().out
        Population(7).live(PEOPLE, honest)
        call_command("retrain_ranker")
        assert "Ranker 2 is adopted and ranks for 10 % of the people." in capsys.readouterr().out
        tasks.retrain_ranker()
        assert Ranker.objects.count() == 3

    def serve(self, user: User, version: int, rows: list[Opportunity], count: int, *, dismissed: int = 0, saved: int = 0) -> None:
        for _ in range(count):
            Serving.objects.create(
                user=user, ranker_version=version, basis="profile", opportunity_ids=[row.pk for row in rows], milliseconds=7
            )
        now = timezone.now()
        for place, row in enumerate(rows[: dismissed + saved]):
            fields = {"dismissed_at": now} if place < dismissed else {"saved_at": now}
            Reaction.objects.create(user=user, opportunity=row, **fields)

    def rows(self) -> list[Opportunity]:
        return Opportunity.objects.bulk_create(
            Opportunity(source="s", source_id=str(number), kind="job", title="x") for number in range(20)
        )

    def test_a_rollout_goes_on_in_steps(self, user: User) -> None:
        assert advance_rollout() == "nothing is rolled out"
        self.adopted(1)
        ranker = self.adopted(2, RankerState.ROLLING_OUT, share=10)
        rows = self.rows()
        self.serve(user, 2, rows[:3], 201, saved=1)
        assert tasks.advance_rollout() == "waits at 10 %"
        for share in (50, 100):
            Ranker.objects.filter(pk=ranker.pk).update(updated_at=timezone.now() - datetime.timedelta(days=4))
            assert advance_rollout() == f"ranks for {share} % now"
        ranker.refresh_from_db()
        assert (ranker.state, Ranker.objects.get(version=1).state) == (RankerState.IN_FORCE, RankerState.STANDBY)
        figures = serving_figures(2)
        assert (figures.servings, figures.hit_rate, figures.fallback_rate, figures.median_milliseconds) == (201, 0.0, 0.0, 7)

    @pytest.mark.parametrize(
        ("theirs", "others", "why"),
        [
            ({"dismissed": 12}, {"dismissed": 1}, "stopped: people dismiss more of what it shows"),
            ({"saved": 1}, {"saved": 12}, "stopped: people save and apply for less of what it shows"),
        ],
    )
    def test_a_rollout_that_does_harm_stops_by_itself(
        self, user: User, make_user: Any, theirs: dict[str, int], others: dict[str, int], why: str
    ) -> None:
        ranker = self.adopted(2, RankerState.ROLLING_OUT, share=10)
        rows = self.rows()
        self.serve(user, 2, rows, 5, **theirs)
        self.serve(make_user(), 0, rows, 5, **others)
        assert advance_rollout() == why
        ranker.refresh_from_db()
        assert (ranker.state, ranker.share) == (RankerState.STOPPED, 0)
        assert json.dumps(ranker.report).count("people") == 1
