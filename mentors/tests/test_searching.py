"""Mentors who are free, ranked in one statement: the same ones as asking each for their slots, and never fewer."""

from __future__ import annotations

import datetime
import random
from typing import Any

import pytest
from django.utils import timezone

from ai.errors import EngineError
from ai.services.text import embed
from catalog.models import Skill
from conftest import Api
from core.querysets import columns_of
from mentors import querysets
from mentors.models import MentorProfile, MentorSkill, Offer
from mentors.querysets import Windows
from mentors.services import searching
from mentors.services.occupying import block_time
from mentors.services.profiles import embed_waiting_mentors
from mentors.services.slots import Question, slots_between
from mentors.tests.conftest import utc

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)
HOURS = ("09:00-12:00", "18:00-21:30", "00:00-24:00", "07:15-08:45")
TOPICS = ("Python and Django", "nursing", "carpentry", "law of the sea", "Python and statistics")


@pytest.fixture
def mentors(make_mentor: Any, monkeypatch: Any) -> list[MentorProfile]:
    monkeypatch.setattr(timezone, "now", lambda: utc("2026-06-01 06:00"))
    chance = random.Random(7)
    found = []
    for number in range(14):
        settings = {
            "notice_minutes": chance.choice((0, 2880)),
            "increment_minutes": chance.choice((15, 45)),
            "buffer_after_minutes": chance.choice((0, 30)),
        }
        profile = make_mentor(
            chance.choice(HOURS), zone=chance.choice(("UTC", "Asia/Tokyo")), durations=(chance.choice((30, 60)),), **settings
        )
        start = utc("2026-06-02 08:00") + chance.randrange(48) * HOUR
        block_time(person=profile.user, starts_at=start, ends_at=start + 5 * HOUR)
        MentorProfile.objects.filter(pk=profile.pk).update(bio=TOPICS[number % len(TOPICS)], content_hash=str(number))
        found.append(profile)
    assert embed_waiting_mentors() == 14
    return found


def by_slots(mentors: list[MentorProfile], windows: Windows) -> set[Any]:
    """Who has a slot whose session lies within one of the windows, mentor by mentor."""
    length = datetime.timedelta(minutes=windows.minutes)
    return {
        profile.pk
        for profile in mentors
        for start, end in windows.spans
        if any(slot + length <= end for slot in slots_between(Question(profile.pk, windows.minutes), start, end))
    }


@pytest.mark.parametrize("seed", range(6))
def test_search_and_slots_agree(mentors: list[MentorProfile], seed: int, monkeypatch: Any) -> None:
    chance = random.Random(seed)
    spans = [
        (start, start + chance.choice((1, 2, 6)) * HOUR)
        for start in sorted(utc("2026-06-01 20:00") + chance.randrange(80) * HOUR for _ in range(chance.choice((1, 2, 4))))
    ]
    windows = Windows(spans, chance.choice((30, 60)), timezone.now())
    expected = by_slots(mentors, windows)
    assert set(MentorProfile.objects.free_within(windows).values_list("pk", flat=True)) == expected
    question = embed(texts=["Django"], purpose="test")
    model, vector = question.model, question.vectors[0]
    order = [key for key, _ in MentorProfile.objects.ranked_for(vector, model=model, limit=20) if key in expected]
    assert [key for key, _ in MentorProfile.objects.ranked_for(vector, model=model, limit=20, windows=windows)] == order
    monkeypatch.setattr(querysets, "_WALKED", 3)
    few = MentorProfile.objects.ranked_for(vector, model=model, limit=4, windows=windows)
    assert [key for key, _ in few] == order[:4], "where the walk finds too few, those are found that are left"
    last = MentorProfile.objects.filter(pk__in=order[-2:])
    found = [key for key, _ in last.ranked_for(vector, model=model, limit=4, windows=windows)]
    assert found == order[-2:], "who stands behind the end of the walk is found too, and nobody who does not match"
    for nobody in (MentorProfile.objects.none(), MentorProfile.objects.filter(pk__in=[])):
        assert nobody.ranked_for(vector, model=model, windows=windows) == []


def test_a_filter_that_few_match_does_not_lengthen_the_walk(mentors: list[MentorProfile], monkeypatch: Any) -> None:
    """However few match, so many of the nearest are looked at and no more; the rest is found without the index."""
    monkeypatch.setattr(querysets, "_WALKED", 3)
    question = embed(texts=["Django"], purpose="test")
    windows = Windows([(utc("2026-06-01"), utc("2026-06-20"))], 30, timezone.now())
    order = [key for key, _ in MentorProfile.objects.ranked_for(question.vectors[0], model=question.model, limit=20)]
    expected = by_slots(mentors, windows)
    near, far = ([key for key in keys if key in expected] for keys in (order[:3], order[3:]))
    assert near and far
    walk = (question.vectors[0], windows, question.model, columns_of(question.model), 4)
    assert {key for key, _ in MentorProfile.objects.filter(pk__in=near)._walked(*walk)} == set(near)
    assert MentorProfile.objects.filter(pk__in=far)._walked(*walk) == []


def test_the_walk_alone_is_enough_where_many_match(mentors: list[MentorProfile], django_assert_num_queries: Any) -> None:
    windows = Windows([(utc("2026-06-04"), utc("2026-06-14"))], 30, timezone.now())
    assert len(by_slots(mentors, windows)) >= 4
    question = embed(texts=["Django"], purpose="test")
    with django_assert_num_queries(2):  # one of them looks up where the vectors of the model stand
        assert len(MentorProfile.objects.ranked_for(question.vectors[0], model=question.model, limit=4, windows=windows)) == 4


class TestList:
    """`GET mentors`: everybody looks, by filters, by words, and by when they have time."""

    def names(self, answer: Any) -> set[str]:
        assert answer.status_code == 200, answer.content
        return {mentor["headline"] for mentor in answer.json()["results"]}

    @pytest.fixture
    def three(self, make_mentor: Any, make_user: Any, monkeypatch: Any) -> dict[str, MentorProfile]:
        monkeypatch.setattr(timezone, "now", lambda: utc("2026-06-01 06:00"))
        care = Skill.objects.create(source="t", source_id="1", name="Care", keys=["care"])
        found = {
            "day": make_mentor("09:00-17:00", languages=["en"], bio="I nurse."),
            "evening": make_mentor("18:00-22:00", languages=["de", "en"], bio="I weld steel."),
            "tokyo": make_mentor("18:00-22:00", zone="Asia/Tokyo", languages=["ja"], bio="I cook."),
        }
        for name, profile in found.items():
            MentorProfile.objects.filter(pk=profile.pk).update(headline=name, content_hash=name)
        Offer.objects.filter(profile=found["day"]).update(price_amount=100)
        MentorProfile.objects.filter(pk=found["day"].pk).update(accessibility_practices=["captions", "breaks"])
        MentorSkill.objects.create(profile=found["evening"], skill=care, years=3)
        embed_waiting_mentors()
        return found

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", {"day", "evening", "tokyo"}),
            ("language=en", {"day", "evening"}),
            ("price_max=200&currency=EUR", {"day"}),
            ("price_max=99999&currency=usd", set()),
            ("currency=eur", {"day", "evening", "tokyo"}),
            ("practice=captions&practice=breaks", {"day"}),
            ("practice=captions&practice=text_only", set()),
            ("skill=Care", {"evening"}),
            ("skill=01999999-0000-7000-8000-000000000000", set()),
            ("available_from=2026-06-02T18:00:00Z&available_to=2026-06-02T20:00:00Z", {"evening"}),
            ("daily_from=18:00&daily_to=22:00&time_zone=Asia/Tokyo", {"day", "tokyo"}),
            ("daily_from=18:00&daily_to=22:00&time_zone=Europe/Berlin", {"day", "evening"}),
            ("daily_from=18:00&daily_to=24:00&time_zone=America/New_York&language=ja", set()),
            ("daily_from=21:00&daily_to=02:00&time_zone=UTC", {"evening"}),
            ("daily_from=23:00&daily_to=09:30&time_zone=UTC", set()),
            ("daily_from=23:30&daily_to=10:00&time_zone=UTC", {"day", "tokyo"}),
            ("daily_from=24:00&daily_to=10:00&time_zone=UTC", {"day", "tokyo"}),
            ("available_from=2026-06-02T18:00:00Z&duration_minutes=45", set()),
            ("available_from=2020-01-01T00:00:00Z&available_to=2020-02-01T00:00:00Z", set()),
            ("available_from=9999-12-31T00:00:00Z&daily_from=00:00&daily_to=24:00", set()),
            ("q=welding", {"day", "evening", "tokyo"}),
            ("q=welding&language=de", {"evening"}),
            ("q=welding&available_from=2026-06-02T09:00:00Z&available_to=2026-06-02T11:00:00Z", {"day", "tokyo"}),
        ],
    )
    def test_filters(self, three: Any, api: Api, query: str, expected: set[str]) -> None:
        assert self.names(api.get(f"mentors?{query}")) == expected

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("price_max=0", True),
            ("price_max=0&duration_minutes=30", True),
            ("price_max=0&duration_minutes=60", False),
            ("price_max=0&available_from=2026-06-02T00:00:00Z", False),
            ("price_max=9000&currency=EUR&duration_minutes=60", True),
            ("price_max=8999&currency=EUR&duration_minutes=60", False),
            ("price_max=9000&currency=JPY&duration_minutes=60", False),
            ("currency=JPY&duration_minutes=30", False),
            ("duration_minutes=90", False),
        ],
    )
    def test_price_currency_and_length_are_of_one_offer(self, make_mentor: Any, api: Api, query: str, expected: bool) -> None:
        profile = make_mentor(durations=(30, 60, 120))
        for minutes, amount, currency in ((30, 0, "EUR"), (60, 9000, "EUR"), (120, 9000, "JPY")):
            Offer.objects.filter(profile=profile, duration_minutes=minutes).update(price_amount=amount, price_currency=currency)
        Offer.objects.create(
            profile=profile, kind="group", title="G", duration_minutes=90, price_amount=100, price_currency="EUR", group_size=5
        )
        assert (api.get(f"mentors?{query}").json()["results"] != []) is expected

    def test_the_next_slot_is_one_of_those_that_were_asked_for(self, three: Any, api: Api) -> None:
        def next_slots_of(query: str) -> dict[str, str]:
            return {mentor["headline"]: mentor["next_slot"] for mentor in api.get(f"mentors?{query}").json()["results"]}

        evening = "available_from=2026-06-02T00:00:00Z&daily_from=16:00&daily_to=20:00&time_zone=UTC"
        expected = {"day": "2026-06-02T16:00:00Z", "evening": "2026-06-02T18:00:00Z"}
        assert next_slots_of(evening) == next_slots_of(f"{evening}&q=anything") == expected
        Offer.objects.create(
            profile=three["evening"], kind="session", title="Long", duration_minutes=120, price_amount=1, price_currency="EUR"
        )
        assert next_slots_of("duration_minutes=120&daily_from=19:30&daily_to=22:00&time_zone=UTC") == {"evening": "2026-06-01T19:30:00Z"}
        assert next_slots_of("duration_minutes=120") == {"evening": "2026-06-01T18:00:00Z"}

    def test_the_best_comes_first_and_says_how_well_it_fits(self, three: Any, api: Api) -> None:
        results = api.get("mentors?q=welding").json()["results"]
        assert results[0]["headline"] == "evening"
        assert results[0]["score"] > results[1]["score"] > results[2]["score"]
        assert [mentor["score"] for mentor in api.get("mentors").json()["results"]] == [None] * 3

    def test_without_the_engine_words_decide(self, three: Any, api: Api, monkeypatch: Any) -> None:
        def out(*_: Any, **__: Any) -> Any:
            raise EngineError

        monkeypatch.setattr(searching, "embed_query", out)
        answer = api.get("mentors?q=weld+steel")
        assert (self.names(answer), answer.json()["degraded_because"]) == ({"evening"}, "failed")
        assert self.names(api.get("mentors?q=weld&available_from=2026-06-02T09:00:00Z&available_to=2026-06-02T11:00:00Z")) == set()

    def test_pages(self, three: Any, api: Api) -> None:
        first = api.get("mentors?page_size=2").json()
        second = api.get(first["next"].partition("/api/v1/")[2]).json()
        assert (len(first["results"]), len(second["results"]), second["next"]) == (2, 1, None)

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("daily_from=18:00", "daily_to"),
            ("daily_from=18:00&daily_to=18:00", "daily_to"),
            ("daily_from=24:00&daily_to=00:00", "daily_to"),
            ("price_max=200", "currency"),
            ("price_max=200&currency=EURO", "currency"),
            ("daily_from=six&daily_to=17:00", "daily_from"),
            ("available_from=2026-06-02T00:00:00Z&available_to=2026-06-01T00:00:00Z", "available_to"),
            ("time_zone=Nowhere/Land", "time_zone"),
            ("price_max=x", "price_max"),
            ("practice=magic", "practice"),
            ("page_size=0", "page_size"),
            ("duration_minutes=1", "duration_minutes"),
        ],
    )
    def test_bad_input_is_named(self, api: Api, db: None, query: str, field: str) -> None:
        answer = api.get(f"mentors?{query}")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
