"""How reliable a mentor is: requests answered and missed, the pause that follows, and how many people they take."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from conftest import Api
from core.events import run_delivery
from core.models import EventDelivery
from mentors.enums import PauseReason, Refusal, RequestOutcome
from mentors.models import MentorProfile, Schedule, SessionRequest
from mentors.services import profiles, requests
from mentors.services.explaining import full_reasons_against
from mentors.services.occupying import claim_time, release_claim
from mentors.services.slots import Question, next_slots, refusals_of
from mentors.tests.conftest import utc
from notifications.models import Notification

pytestmark = pytest.mark.django_db
NOW = utc("2026-06-15 12:00")
HOUR = datetime.timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock(monkeypatch: Any) -> Callable[[datetime.datetime], None]:
    def set_to(instant: datetime.datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: instant)

    set_to(NOW)
    return set_to


def asked(profile: MentorProfile, hours: int = 24) -> uuid.UUID:
    reference = uuid.uuid4()
    requests.record_request(profile=profile, reference=reference, due_at=timezone.now() + hours * HOUR)
    return reference


class TestAnswering:
    def test_is_told_from_five_on(self, make_mentor: Any, clock: Any) -> None:
        profile = make_mentor()
        outcomes = [RequestOutcome.ACCEPTED] * 3 + [RequestOutcome.DECLINED]
        for number, outcome in enumerate(outcomes):
            clock(NOW)
            reference = asked(profile)
            clock(NOW + (number + 1) * HOUR)
            requests.record_answer(reference=reference, outcome=outcome)
        assert Api().get(f"mentors/{profile.pk}").json()["answering"] is None
        withdrawn = asked(profile)
        requests.record_answer(reference=withdrawn, outcome=RequestOutcome.WITHDRAWN)
        assert Api().get(f"mentors/{profile.pk}").json()["answering"] is None
        asked(profile, hours=1)
        clock(NOW + 10 * HOUR)
        assert requests.expire_requests() == 1
        assert Api().get(f"mentors/{profile.pk}").json()["answering"] == {"number": 5, "acceptance": 0.6, "median_minutes": 150}
        clock(NOW + 31 * 24 * HOUR)
        assert Api().get(f"mentors/{profile.pk}").json()["answering"] is None

    def test_counts_once_and_ends_once(self, make_mentor: Any) -> None:
        profile = make_mentor()
        reference = asked(profile)
        requests.record_request(profile=profile, reference=reference, due_at=NOW + HOUR)
        for outcome in (RequestOutcome.ACCEPTED, RequestOutcome.DECLINED):
            requests.record_answer(reference=reference, outcome=outcome)
        assert SessionRequest.objects.get().outcome == RequestOutcome.ACCEPTED
        requests.record_answer(reference=uuid.uuid4(), outcome=RequestOutcome.ACCEPTED)


class TestAutoPause:
    def test_three_missed_in_a_row(self, make_mentor: Any, user: User, clock: Any) -> None:
        profile = make_mentor(user=user)
        asked(profile, 1)
        answered = asked(profile)
        clock(NOW + HOUR)
        requests.expire_requests()
        requests.record_answer(reference=answered, outcome=RequestOutcome.DECLINED)
        clock(NOW + 2 * HOUR)
        for hours in (1, 2):
            asked(profile, hours)
        clock(NOW + 5 * HOUR)
        assert requests.expire_requests() == 2
        profile.refresh_from_db()
        assert profile.state == "live", "one was answered in between"
        asked(profile, 1)
        clock(NOW + 6 * HOUR)
        assert (requests.expire_requests(), requests.expire_requests()) == (1, 0)
        profile.refresh_from_db()
        assert (profile.state, profile.paused_because) == ("paused", PauseReason.MISSED_REQUESTS)
        for delivery in EventDelivery.objects.filter(handler__startswith="mentors."):
            run_delivery(delivery.pk)
        assert Notification.objects.get(user=user).kind == "mentors.mentor-auto-paused"

    def test_back_with_one_tap_and_a_clean_slate(self, make_mentor: Any, user: User, signed_in: Api, clock: Any) -> None:
        profile = make_mentor(user=user)
        for _ in range(3):
            asked(profile, 1)
        clock(NOW + HOUR)
        requests.expire_requests()
        clock(NOW + 2 * HOUR)
        assert signed_in.post("mentors/me/resume").json()["state"] == "live"
        asked(profile, 1)
        clock(NOW + 3 * HOUR)
        requests.expire_requests()
        assert signed_in.get("mentors/me").json()["state"] == "live"

    def test_who_is_away_is_not_paused_again(self, make_mentor: Any, clock: Any) -> None:
        profile = make_mentor()
        for _ in range(3):
            asked(profile, 1)
        profiles.pause(profile=profile)
        clock(NOW + HOUR)
        assert requests.expire_requests() == 3
        profile.refresh_from_db()
        assert profile.paused_because == PauseReason.OWN_WISH


class TestCapacity:
    def book(self, profile: MentorProfile, learner: User, start: datetime.datetime) -> uuid.UUID:
        reference = uuid.uuid4()
        claim_time(profile=profile, learner_id=learner.pk, starts_at=start, duration_minutes=60, reference=reference)
        return reference

    def refusals(self, profile: MentorProfile, start: datetime.datetime, learner: User | None = None) -> list[Refusal]:
        return refusals_of(Question(profile.pk, 60, learner.pk if learner else None), start)

    def test_a_full_mentor_is_open_to_their_own_people_alone(self, make_mentor: Any, make_user: Any, clock: Any) -> None:
        profile = make_mentor(capacity=2)
        first, second, third = make_user(), make_user(), make_user()
        self.book(profile, first, NOW + 24 * HOUR)
        self.book(profile, first, NOW + 26 * HOUR)
        assert self.refusals(profile, NOW + 50 * HOUR, third) == []
        reference = self.book(profile, second, NOW + 48 * HOUR)
        assert self.refusals(profile, NOW + 50 * HOUR, third) == self.refusals(profile, NOW + 50 * HOUR) == [Refusal.MENTOR_FULL]
        assert self.refusals(profile, NOW + 50 * HOUR, first) == []
        assert next_slots([profile.pk], learner_id=third.pk) == {}
        assert next_slots([profile.pk], learner_id=first.pk) == {profile.pk: NOW}
        (reason,) = full_reasons_against(profile, Question(profile.pk, 60), NOW + 50 * HOUR)
        assert reason.details[0].startswith("You take 2 people at one time")
        clock(NOW + 27 * HOUR)
        assert self.refusals(profile, NOW + 50 * HOUR, third) == [], "the last session of the first one is over"
        clock(NOW)
        release_claim(reference=reference)
        assert self.refusals(profile, NOW + 50 * HOUR, third) == []

    def test_a_changed_capacity_counts_at_once(self, make_mentor: Any, user: User, make_user: Any, signed_in: Api) -> None:
        profile = make_mentor(user=user, capacity=1)
        self.book(profile, make_user(), NOW + 24 * HOUR)
        assert Schedule.objects.get().full_until == NOW + 25 * HOUR
        offer = {"kind": "session", "title": "T", "duration_minutes": 60, "price": {"amount": 100, "currency": "EUR"}}
        assert signed_in.put("mentors/me", {"capacity": 2, "offers": [offer]}).status_code == 200
        assert Schedule.objects.get().full_until is None


class TestNextSlot:
    def test_stands_on_cards(self, make_mentor: Any) -> None:
        soon, later = make_mentor("14:00-16:00"), make_mentor(notice_minutes=5 * 24 * 60)
        never = make_mentor(notice_minutes=20 * 24 * 60)
        cards = {card["id"]: card["next_slot"] for card in Api().get("mentors").json()["results"]}
        assert cards == {str(soon.pk): "2026-06-15T14:00:00Z", str(later.pk): "2026-06-20T12:00:00Z", str(never.pk): None}
        assert Api().get(f"mentors/{soon.pk}").json()["next_slot"] == "2026-06-15T14:00:00Z"
        profiles.pause(profile=soon)
        assert Api().get(f"mentors/{soon.pk}").json()["next_slot"] is None
