from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from conftest import Api
from notifications.models import Preferences

pytestmark = pytest.mark.django_db
PATH = "notifications/preferences"


@pytest.fixture
def at_night(user: User, monkeypatch: pytest.MonkeyPatch) -> datetime.datetime:
    """Eleven in the evening of the last night of summer time in Berlin."""
    User.objects.filter(pk=user.pk).update(time_zone="Europe/Berlin")
    now = datetime.datetime(2026, 10, 24, 21, tzinfo=datetime.UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    return now


def put(api: Api, body: Any) -> Any:
    return api.call("PUT", PATH, body)


class TestReading:
    def test_who_chose_nothing_is_told_each_thing_at_once(self, signed_in: Api, user: User) -> None:
        answer = signed_in.get(PATH).json()
        assert answer["quiet_hours"] is None
        assert answer["digest"] == {"cadence": "at_once", "at": "08:00", "on": 0}
        assert (answer["urgent_breaks_through"], answer["time_zone"]) == (False, "UTC")
        assert not Preferences.objects.exists(), "looking stores nothing"

    def test_everybody_has_their_own(self, signed_in: Api, staff_api: Api) -> None:
        put(signed_in, {"quiet_hours": {"start": "22:00", "end": "07:00"}})
        assert staff_api.get(PATH).json()["quiet_hours"] is None
        assert signed_in.get(PATH).json()["quiet_hours"] == {"start": "22:00", "end": "07:00"}

    def test_few_queries(self, signed_in: Api, django_assert_max_num_queries: Any) -> None:
        """The person, what they chose, the preferences themselves, and whether phone and mailbox can be reached."""
        put(signed_in, {})
        with django_assert_max_num_queries(5):
            signed_in.get(PATH)


class TestChoosing:
    def test_the_answer_says_when_the_next_would_be_sent(self, signed_in: Api, at_night: datetime.datetime) -> None:
        night = {"quiet_hours": {"start": "22:00", "end": "07:00"}}
        answer = put(signed_in, night).json()
        assert (answer["next_send_at"], answer["next_urgent_send_at"]) == ("2026-10-25T06:00:00Z", "2026-10-25T06:00:00Z")
        answer = put(signed_in, night | {"urgent_breaks_through": True}).json()
        assert (answer["next_send_at"], answer["next_urgent_send_at"]) == ("2026-10-25T06:00:00Z", "2026-10-24T21:00:00Z")
        answer = put(signed_in, {"digest": {"cadence": "weekly", "at": "09:30", "on": 6}}).json()
        assert (answer["next_send_at"], answer["next_urgent_send_at"]) == ("2026-10-25T08:30:00Z", "2026-10-24T21:00:00Z")

    def test_what_is_left_out_takes_its_default(self, signed_in: Api, user: User) -> None:
        put(signed_in, {"quiet_hours": {"start": "13:00", "end": "15:00"}, "digest": {"cadence": "daily"}, "urgent_breaks_through": True})
        first = Preferences.objects.get(user=user)
        assert (first.cadence, first.digest_at, first.quiet_until) == ("daily", datetime.time(8), datetime.time(15))
        assert put(signed_in, {}).status_code == 200
        second = Preferences.objects.get(user=user)
        assert (second.pk, second.cadence, second.quiet_from, second.urgent_breaks_through) == (first.pk, "at_once", None, False)

    @pytest.mark.parametrize(
        ("body", "field", "code"),
        [
            ({"quiet_hours": {"start": "22:00", "end": "22:00"}}, "quiet_hours.end", "quiet_hours_empty"),
            ({"quiet_hours": {"start": "22:00"}}, "quiet_hours.end", "required"),
            ({"quiet_hours": {"start": "25:00", "end": "07:00"}}, "quiet_hours.start", "invalid"),
            ({"quiet_hours": {"start": "22:00:30", "end": "07:00"}}, "quiet_hours.start", "invalid"),
            ({"quiet_hours": {"start": "22:00", "end": "07:00", "zone": "UTC"}}, "quiet_hours.zone", "unknown_field"),
            ({"digest": {"cadence": "yearly"}}, "digest.cadence", "invalid_choice"),
            ({"digest": {"cadence": "weekly", "on": 7}}, "digest.on", "invalid_choice"),
            ({"digest": {}}, "digest.cadence", "required"),
            ({"urgent_breaks_through": "perhaps"}, "urgent_breaks_through", "invalid"),
            ({"time_zone": "UTC"}, "time_zone", "unknown_field"),
        ],
    )
    def test_bad_input_names_the_field_and_changes_nothing(
        self, signed_in: Api, user: User, body: dict[str, Any], field: str, code: str
    ) -> None:
        put(signed_in, {"quiet_hours": {"start": "13:00", "end": "15:00"}})
        answer = put(signed_in, body)
        assert answer.status_code == 400
        assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]
        assert Preferences.objects.get(user=user).quiet_from == datetime.time(13)


def test_the_database_holds_the_rules(user: User) -> None:
    rows: tuple[dict[str, Any], ...] = (
        {"quiet_from": datetime.time(22)},
        {"quiet_until": datetime.time(22)},
        {"quiet_from": datetime.time(22), "quiet_until": datetime.time(22)},
        {"digest_on": 7},
    )
    for fields in rows:
        with pytest.raises(IntegrityError), transaction.atomic():
            Preferences.objects.create(user=user, **fields)
