from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from conftest import Api
from core.models import AuditEntry
from profiling.models import Claim, DistressFlag
from profiling.services.distress import SUPPORT, sounds_like_distress

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "text",
    [
        "I want to die.",
        "Honestly I just wanna die",
        "Sometimes I think about suicide",
        "i feel suicidal",
        "I hurt myself when I am sad",
        "I’m going to kill myself",
        "There is no reason to live",
        "I can't go on anymore",
        "I can’t take it any more",
        "Everybody would be better off without me",
        "I wish I was dead",
        "I wish that I had never been born",
        "I want to end it all",
        "My father beats me",
        "I self-harm",
    ],
)
def test_words_of_crisis_are_seen(text: str) -> None:
    assert sounds_like_distress(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I am dying to learn Python.",
        "I build dead simple web sites.",
        "I killed the process and restarted it.",
        "I want to diet and to dye clothes.",
        "I cut hair and hang pictures.",
        "I teach myself guitar.",
        "I would like to take life drawing classes.",
        "I want to end hunger.",
        "My teacher hits the right note.",
        "I can't go on Mondays.",
        "I have no point to add.",
    ],
)
def test_everyday_words_are_not(text: str) -> None:
    assert not sounds_like_distress(text)


@pytest.mark.parametrize("engine", ["embedded", "openai"])
def test_gets_the_same_human_words_and_one_flag_on_every_engine(signed_in: Api, user: User, settings: Any, engine: str) -> None:
    settings.AI_CONVERSATION_ENGINE = engine
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    session = signed_in.post("ai-profiling/start").json()["session_id"]
    body = {"session_id": session, "step": 1, "answer_text": "Nothing. I want to die."}
    for _ in range(2):
        answer = signed_in.post("ai-profiling/submit-answer", body).json()
        assert answer["support"] == {"title": SUPPORT.title, "text": SUPPORT.text}
    assert DistressFlag.objects.get().user == user
    calm = signed_in.post("ai-profiling/submit-answer", body | {"step": 2, "answer_text": "I like plants."}).json()
    assert calm["support"] is None
    assert not Claim.objects.filter(quote__contains="die").exists(), "nobody wants to read that as a goal"


def test_staff_see_who_and_not_what(signed_in: Api, user: User, staff: User, client: Client) -> None:
    session = signed_in.post("ai-profiling/start").json()["session_id"]
    signed_in.post("ai-profiling/submit-answer", {"session_id": session, "step": 1, "answer_text": "I want to die. CANARY"})
    client.force_login(staff)
    flag = DistressFlag.objects.get()
    address = reverse("admin:profiling_distressflag_changelist")
    pages = client.get(address).content + client.get(reverse("admin:profiling_distressflag_change", args=[flag.pk])).content
    assert user.email.encode() in pages and b"CANARY" not in pages
    assert client.post(address, {"action": "mark_seen", "_selected_action": [str(flag.pk)]}).status_code == 302
    flag.refresh_from_db()
    assert flag.seen_by == staff and flag.seen_at
    assert AuditEntry.objects.filter(action="seen", thing_id=str(flag.pk)).exists()
