from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Block, User
from catalog.models import Opportunity, Reaction
from conftest import Api
from core.models import OutboxEvent

pytestmark = pytest.mark.django_db
Make = Callable[..., Opportunity]


@pytest.fixture
def nurse(make_opportunity: Make) -> Opportunity:
    return make_opportunity("Nurse", url="https://clinic.example/apply")


def titles(api: Api, kind: str) -> list[str]:
    return [row["opportunity"]["title"] for row in api.get(f"opportunities/{kind}").json()["results"]]


def test_save_dismiss_and_apply(signed_in: Api, user: User, nurse: Opportunity) -> None:
    path = f"opportunities/{nurse.pk}"
    saved = signed_in.post(f"{path}/save")
    assert (saved.status_code, saved.json()["opportunity_id"], bool(saved.json()["saved_at"])) == (200, str(nurse.pk), True)
    assert signed_in.post(f"{path}/save").json() == saved.json(), "again is the same"
    assert titles(signed_in, "saved") == ["Nurse"]
    dismissed = signed_in.post(f"{path}/dismiss", {"because": "wrong_place"}).json()
    assert (dismissed["saved_at"], dismissed["dismissed_because"]) == (None, "wrong_place")
    assert (titles(signed_in, "saved"), titles(signed_in, "dismissed")) == ([], ["Nurse"])
    assert signed_in.post(f"{path}/save").json()["dismissed_at"] is None
    applied = signed_in.post(f"{path}/apply").json()
    assert (applied["url"], bool(applied["applied_at"]), bool(applied["saved_at"])) == ("https://clinic.example/apply", True, True)
    kinds = OutboxEvent.objects.filter(name="catalog.opportunity-reacted-to").order_by("created_at").values_list("payload__kind", flat=True)
    assert list(kinds) == ["save", "dismiss", "save", "apply"], "each once, and in order"
    assert signed_in.delete(f"{path}/save").status_code == 204
    assert signed_in.delete(f"{path}/save").status_code == 404
    assert signed_in.delete(f"{path}/apply").status_code == 204
    assert not Reaction.objects.exists()
    assert signed_in.post(f"{path}/dismiss", {"because": "boredom"}).json()["errors"][0]["field"] == "because"
    assert signed_in.post(f"{path}/save", {"x": 1}).status_code == 400


def test_what_has_closed_stays_in_the_list_and_takes_nothing_new(signed_in: Api, nurse: Opportunity) -> None:
    path = f"opportunities/{nurse.pk}"
    signed_in.post(f"{path}/save")
    Opportunity.objects.update(deadline_on=timezone.now().date() - datetime.timedelta(days=2))
    assert titles(signed_in, "saved") == ["Nurse"]
    refused = signed_in.post(f"{path}/apply")
    assert (refused.status_code, refused.json()["code"]) == (409, "opportunity_not_open")
    assert signed_in.delete(f"{path}/save").status_code == 204
    assert signed_in.post(f"{path}/save").status_code == 404


def test_everybody_has_their_own(signed_in: Api, make_user: Any, nurse: Opportunity) -> None:
    other = Api().sign_in(make_user())
    signed_in.post(f"opportunities/{nurse.pk}/save")
    assert titles(other, "saved") == []
    assert other.delete(f"opportunities/{nurse.pk}/save").status_code == 404


def test_blocked_posters_are_met_nowhere(signed_in: Api, user: User, make_user: Any, make_opportunity: Make, index: Any) -> None:
    for number, reverse in enumerate((False, True)):
        poster = make_user()
        row = make_opportunity(f"Nurse {number}", posted_by=poster)
        index()
        assert signed_in.get(f"opportunities/{row.pk}").status_code == 200
        Block.objects.create(blocker=poster if reverse else user, blocked=user if reverse else poster)
        assert signed_in.get("opportunities").json()["results"] == []
        assert signed_in.get("opportunities/search?q=nurse").json()["results"] == []
        assert signed_in.get(f"opportunities/{row.pk}").status_code == 404
        assert signed_in.post(f"opportunities/{row.pk}/save").status_code == 404


def test_the_database_refuses_what_must_never_be(user: User, nurse: Opportunity) -> None:
    now = timezone.now()
    for fields in ({}, {"saved_at": now, "dismissed_at": now}, {"saved_at": now, "dismissed_because": "other"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Reaction.objects.create(user=user, opportunity=nurse, **fields)
    Reaction.objects.create(user=user, opportunity=nurse, saved_at=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Reaction.objects.create(user=user, opportunity=nurse, applied_at=now)
