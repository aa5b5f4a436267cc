"""A mentor's profile: stated, applied for, decided about, paused and left; and who sees it."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Block, User
from catalog.models import Skill
from conftest import Api
from core.events import run_delivery
from core.models import EventDelivery
from mentors.enums import MentorState, PauseReason
from mentors.models import MentorProfile, Offer
from mentors.services import profiles
from mentors.tests.conftest import utc
from notifications.models import Notification

pytestmark = pytest.mark.django_db
OFFER = {"kind": "session", "title": "An hour", "duration_minutes": 60, "price": {"amount": 4500, "currency": "EUR"}}
HOURS = {"time_zone": "Europe/Berlin", "weekly": [{"weekday": 0, "start": "09:00", "end": "17:00"}]}


@pytest.fixture
def skill(db: None) -> Skill:
    return Skill.objects.create(source="t", source_id="1", name="Django")


def body(skill: Skill, **changes: Any) -> dict[str, Any]:
    full = {"headline": "I help with Django", "bio": "Ten years of it.", "languages": ["en", "de"], "offers": [OFFER]}
    return full | {"skills": [{"skill_id": str(skill.pk), "years": 10}], "accessibility_practices": ["captions"]} | changes


def deliver() -> Iterator[None]:
    for delivery in EventDelivery.objects.filter(handler__startswith="mentors."):
        run_delivery(delivery.pk)
    yield


class TestStating:
    def test_from_nothing_to_live(self, signed_in: Api, user: User, staff: User, skill: Skill, api: Api) -> None:
        assert signed_in.get("mentors/me").status_code == 404
        saved = signed_in.put("mentors/me", body(skill))
        assert saved.status_code == 200, saved.content
        assert saved.json()["skills"] == [{"id": str(skill.pk), "name": "Django", "years": 10}]
        assert saved.json()["offers"][0]["price"] == {"amount": 4500, "currency": "EUR"}
        missing = signed_in.post("mentors/me/apply")
        assert (missing.status_code, missing.json()["code"]) == (400, "profile_incomplete")
        assert [error["field"] for error in missing.json()["errors"]] == ["availability"]
        assert signed_in.put("mentors/me/availability", HOURS).status_code == 200
        assert signed_in.post("mentors/me/apply").json()["state"] == "applied"
        profile = MentorProfile.objects.get()
        assert Api().get(f"mentors/{profile.pk}").status_code == 404
        profiles.decide_application(staff=staff, profile=profile, is_accepted=True, note="Welcome.")
        assert Api().get(f"mentors/{profile.pk}").json()["full_name"] == user.full_name
        list(deliver())
        assert Notification.objects.get(user=user).data == {"note": "Welcome."}

    def test_everything_that_is_missing_is_named(self, signed_in: Api) -> None:
        assert signed_in.put("mentors/me", {}).status_code == 200
        fields = [error["field"] for error in signed_in.post("mentors/me/apply").json()["errors"]]
        assert fields == ["headline", "bio", "languages", "skills", "offers", "availability"]

    @pytest.mark.parametrize(
        ("change", "field", "code"),
        [
            ({"skills": [{"skill_id": str(uuid.uuid4())}]}, "skills.0.skill_id", "unknown_skill"),
            ({"offers": [OFFER | {"id": str(uuid.uuid4())}]}, "offers.0.id", "unknown_offer"),
            ({"offers": [OFFER | {"group_size": 3}]}, "offers.0.group_size", "wrong_group_size"),
            ({"offers": [OFFER | {"kind": "group"}]}, "offers.0.group_size", "wrong_group_size"),
            ({"offers": [OFFER | {"duration_minutes": 3}]}, "offers.0.duration_minutes", "min_value"),
            ({"offers": [OFFER | {"price": {"amount": -1, "currency": "EUR"}}]}, "offers.0.price.amount", "min_value"),
            ({"offers": [OFFER | {"price": {"amount": 1, "currency": "eur"}}]}, "offers.0.price.currency", "unknown_currency"),
            ({"languages": ["English"]}, "languages.0", "invalid"),
            ({"capacity": 0}, "capacity", "min_value"),
            ({"accessibility_practices": ["magic"]}, "accessibility_practices.0", "invalid_choice"),
            ({"state": "live"}, "state", "unknown_field"),
        ],
    )
    def test_bad_input_is_named_and_changes_nothing(self, signed_in: Api, skill: Skill, change: Any, field: str, code: str) -> None:
        answer = signed_in.put("mentors/me", body(skill, **change))
        assert answer.status_code == 400
        assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["code"]) == (field, code)
        assert not MentorProfile.objects.exists()

    def test_a_skill_twice(self, signed_in: Api, skill: Skill) -> None:
        answer = signed_in.put("mentors/me", body(skill, skills=[{"skill_id": str(skill.pk)}] * 2))
        assert answer.json()["errors"][0]["code"] == "skill_twice"

    def test_offers_are_kept_or_end(self, signed_in: Api, skill: Skill) -> None:
        first = signed_in.put("mentors/me", body(skill)).json()["offers"][0]
        kept = OFFER | {"id": first["id"], "title": "A good hour"}
        second = signed_in.put("mentors/me", body(skill, offers=[kept, OFFER | {"duration_minutes": 30}])).json()["offers"]
        assert {offer["title"] for offer in second} == {"A good hour", "An hour"}
        assert signed_in.put("mentors/me", body(skill, offers=[])).json()["offers"] == []
        assert Offer.objects.filter(is_active=False).count() == 2, "what was booked keeps its offer"

    def test_minors_do_not_mentor(self, make_user: Any, skill: Skill) -> None:
        young = make_user(birth_date=timezone.now().date() - datetime.timedelta(days=16 * 366))
        assert Api().sign_in(young).put("mentors/me", body(skill)).status_code == 403

    def test_the_vector_follows_what_is_said(self, signed_in: Api, user: User, skill: Skill) -> None:
        signed_in.put("mentors/me", body(skill))
        assert profiles.embed_waiting_mentors() == 1
        assert profiles.embed_waiting_mentors() == 0
        signed_in.put("mentors/me", body(skill, capacity=9))
        assert profiles.embed_waiting_mentors() == 0, "what it is found by did not change"
        signed_in.put("mentors/me", body(skill, bio="Twenty years of it."))
        assert (profiles.embed_waiting_mentors(), profiles.count_characters() > 0) == (1, True)


class TestStates:
    def test_pause_and_resume(self, make_mentor: Any, user: User, signed_in: Api) -> None:
        profile = make_mentor(user=user)
        assert (
            signed_in.post("mentors/me/pause").json() | {"state": "paused", "paused_because": "own_wish"}
            == signed_in.get("mentors/me").json()
        )
        assert Api().get(f"mentors/{profile.pk}").json()["is_bookable"] is False
        assert Api().get(f"mentors/{profile.pk}/slots").json()["slots"] == []
        assert signed_in.post("mentors/me/resume").json()["state"] == "live"
        assert signed_in.post("mentors/me/resume").json()["code"] == "illegal_move"
        profiles.pause(profile=profile, because=PauseReason.MISSED_REQUESTS)
        assert signed_in.get("mentors/me").json()["paused_because"] == "missed_requests"

    def test_leave_and_come_back(self, make_mentor: Any, user: User, signed_in: Api) -> None:
        profile = make_mentor(user=user)
        assert signed_in.post("mentors/me/leave").json()["state"] == "left"
        assert Api().get(f"mentors/{profile.pk}").status_code == 404
        assert signed_in.post("mentors/me/leave").status_code == 409

    def test_illegal_decisions(self, make_mentor: Any, staff: User) -> None:
        profile = make_mentor()
        with pytest.raises(profiles.IllegalMove):
            profiles.decide_application(staff=staff, profile=profile, is_accepted=True)
        with pytest.raises(profiles.IllegalMove):
            profiles.reinstate(staff=staff, profile=profile)

    def test_staff_decide_in_the_admin(self, client: Client, staff: User, make_mentor: Any) -> None:
        profile = make_mentor()
        client.force_login(staff)
        desk = reverse("admin:mentors_mentorprofile_changelist")
        for action, state in (("suspend", "suspended"), ("suspend", "suspended"), ("reinstate", "live")):
            client.post(desk, {"action": action, "_selected_action": [str(profile.pk)]})
            assert MentorProfile.objects.get().state == state
        MentorProfile.objects.update(state=MentorState.APPLIED)
        client.post(desk, {"action": "reject", "_selected_action": [str(profile.pk)]})
        assert MentorProfile.objects.get().state == MentorState.REJECTED
        MentorProfile.objects.update(state=MentorState.APPLIED)
        client.post(desk, {"action": "accept", "_selected_action": [str(profile.pk)]})
        assert MentorProfile.objects.get().state == MentorState.LIVE
        assert client.get(reverse("admin:mentors_mentorprofile_change", args=[profile.pk])).status_code == 200
        assert admin.site.is_registered(MentorProfile)
        list(deliver())
        assert set(Notification.objects.values_list("kind", flat=True)) == {
            *("mentors.mentor-suspended", "mentors.mentor-accepted", "mentors.mentor-rejected"),
        }


class TestWhoSees:
    def test_blocks_hold_both_ways(self, make_mentor: Any, make_user: Any) -> None:
        profile, viewer = make_mentor(), make_user()
        api = Api().sign_in(viewer)
        assert api.get(f"mentors/{profile.pk}").status_code == 200
        for blocker, blocked in ((viewer, profile.user), (profile.user, viewer)):
            Block.objects.create(blocker=blocker, blocked=blocked)
            assert api.get(f"mentors/{profile.pk}").status_code == 404
            assert not MentorProfile.objects.listed_for(viewer).exists()
            assert not MentorProfile.objects.bookable_for(viewer).exists()
            Block.objects.all().delete()
        assert MentorProfile.objects.bookable_for(viewer).exists()
        assert not MentorProfile.objects.bookable_for(profile.user).exists(), "nobody books themselves"

    def test_nobody_gone_and_nobody_young(self, make_mentor: Any, make_user: Any) -> None:
        profile = make_mentor()
        young = make_user(birth_date=timezone.now().date() - datetime.timedelta(days=15 * 366))
        assert Api().sign_in(young).get(f"mentors/{profile.pk}").status_code == 404
        User.objects.filter(pk=profile.user_id).update(is_active=False)
        assert Api().get(f"mentors/{profile.pk}").status_code == 404


class TestSlots:
    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(timezone, "now", lambda: utc("2026-06-01 06:00"))

    def test_are_listed_in_utc(self, make_mentor: Any, api: Api) -> None:
        profile = make_mentor("09:00-10:30", zone="Europe/Berlin", durations=(60, 30))
        answer = api.get(f"mentors/{profile.pk}/slots?from=2026-06-02T00:00:00Z&to=2026-06-03T00:00:00Z&duration_minutes=60").json()
        assert answer == {
            "slots": [
                {"start": "2026-06-02T07:00:00Z", "end": "2026-06-02T08:00:00Z"},
                {"start": "2026-06-02T07:30:00Z", "end": "2026-06-02T08:30:00Z"},
            ],
            "time_zone": "Europe/Berlin",
            "is_confirmed": True,
        }
        shortest = api.get(f"mentors/{profile.pk}/slots").json()["slots"]
        assert (len(shortest), shortest[0]["end"]) == (7 * 3, "2026-06-01T07:30:00Z")

    @pytest.mark.parametrize(
        "query", ["from=x", "to=2020-01-01T00:00:00Z", "duration_minutes=0", "from=9999-12-31T23:59:59Z&to=0001-01-01T00:00:00Z"]
    )
    def test_bad_windows(self, make_mentor: Any, api: Api, query: str) -> None:
        assert api.get(f"mentors/{make_mentor().pk}/slots?{query}").status_code == 400

    def test_the_end_of_time_is_no_error(self, make_mentor: Any, api: Api) -> None:
        answer = api.get(f"mentors/{make_mentor().pk}/slots?from=9999-12-30T00:00:00Z")
        assert (answer.status_code, answer.json()["slots"]) == (200, [])

    def test_without_offers_or_hours_there_are_none(self, make_mentor: Any, api: Api) -> None:
        profile = make_mentor()
        Offer.objects.all().delete()
        assert api.get(f"mentors/{profile.pk}/slots").json()["slots"] == []
        profile.schedule.delete()
        assert api.get(f"mentors/{profile.pk}/slots").json() == {"slots": [], "time_zone": "UTC", "is_confirmed": True}
