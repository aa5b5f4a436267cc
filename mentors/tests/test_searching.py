"""Mentors who are free, ranked in one statement: the same ones as asking each for their slots, and never fewer."""

from __future__ import annotations

import datetime
import random
from typing import Any

import pytest
from django.utils import timezone

from ai.services.text import embed
from mentors import querysets
from mentors.models import MentorProfile
from mentors.querysets import Windows
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
    nobody = MentorProfile.objects.none().ranked_for(vector, model=model, windows=windows)
    assert nobody == []


def test_the_walk_alone_is_enough_where_many_match(mentors: list[MentorProfile], django_assert_num_queries: Any) -> None:
    windows = Windows([(utc("2026-06-04"), utc("2026-06-14"))], 30, timezone.now())
    assert len(by_slots(mentors, windows)) >= 4
    question = embed(texts=["Django"], purpose="test")
    with django_assert_num_queries(2):  # one of them looks up where the vectors of the model stand
        assert len(MentorProfile.objects.ranked_for(question.vectors[0], model=question.model, limit=4, windows=windows)) == 4
