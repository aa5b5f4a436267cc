"""What mentors state about their time, why a time is not offered, and how time is taken and given back."""

from __future__ import annotations

import contextlib
import datetime
import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from accounts.models import User
from conftest import Api, at_once, wait_for_locks
from mentors.bookable import FUNCTIONS
from mentors.enums import TimeSource
from mentors.errors import ClaimGone, SlotUnavailable
from mentors.models import MentorProfile, OccupiedTime, Schedule, WeeklyHours
from mentors.services import keeping
from mentors.services.expanding import Hours, Stay
from mentors.services.occupying import block_time, claim_time, confirm_claim, expire_holds, move_claim, release_claim, unblock_time
from mentors.services.schedules import Availability, Override, WeeklyRule, availability_of, change_time_zone
from mentors.services.slots import Question, refusals_of, slots_between
from mentors.tests.conftest import hours, utc, weekly

pytestmark = pytest.mark.django_db
FULL = {
    "time_zone": "Europe/Berlin",
    "weekly": [{"weekday": 0, "start": "09:00", "end": "12:00"}, {"weekday": 6, "start": "20:00", "end": "24:00"}],
    "overrides": [{"date": "2026-12-24", "hours": []}, {"date": "2026-12-25", "hours": [{"start": "10:00", "end": "11:00"}]}],
    "travels": [{"first_date": "2026-07-01", "last_date": "2026-07-09", "time_zone": "Asia/Tokyo"}],
    "increment_minutes": 15,
    "buffer_before_minutes": 5,
    "buffer_after_minutes": 10,
    "notice_minutes": 120,
    "horizon_days": 30,
    "most_per_day": 3,
    "most_per_week": None,
    "most_per_month": 20,
}


@pytest.fixture
def clock(monkeypatch: Any) -> list[datetime.datetime]:
    times = [utc("2026-06-01 06:00")]
    monkeypatch.setattr(timezone, "now", lambda: times[0])
    return times


class TestStating:
    @pytest.fixture
    def mentor(self, signed_in: Api, user: User) -> Api:
        MentorProfile.objects.create(user=user)
        return signed_in

    def test_comes_back_as_it_was_stated(self, mentor: Api) -> None:
        assert mentor.get("mentors/me/availability").json()["code"] == "no_schedule"
        assert mentor.put("mentors/me/availability", FULL).json() == FULL
        assert mentor.get("mentors/me/availability").json() == FULL
        assert mentor.put("mentors/me/availability", FULL | {"weekly": []}).json()["weekly"] == []
        assert Schedule.objects.get().version == 2

    @pytest.mark.parametrize(
        ("change", "field", "code"),
        [
            ({"weekly": [{"weekday": 0, "start": "12:00", "end": "09:00"}]}, "weekly.0.end", "reversed_hours"),
            ({"weekly": [{"weekday": 0, "start": "12:00", "end": "12:00"}]}, "weekly.0.end", "reversed_hours"),
            (
                {"weekly": [{"weekday": 0, "start": "09:00", "end": "12:00"}, {"weekday": 0, "start": "11:00", "end": "13:00"}]},
                "weekly.1",
                "overlapping_hours",
            ),
            ({"weekly": [{"weekday": 7, "start": "09:00", "end": "12:00"}]}, "weekly.0.weekday", "invalid_choice"),
            ({"weekly": [{"weekday": 0, "start": "9", "end": "12:00"}]}, "weekly.0.start", "invalid"),
            ({"weekly": [{"weekday": 0, "start": "25:00", "end": "26:00"}]}, "weekly.0.start", "invalid"),
            ({"weekly": [{"weekday": 0, "start": None, "end": "12:00"}]}, "weekly.0.start", "null"),
            ({"overrides": [{"date": "2026-01-01", "hours": []}] * 2}, "overrides.1.date", "date_twice"),
            (
                {"overrides": [{"date": "2026-01-01", "hours": [{"start": "09:00", "end": "12:00"}] * 2}]},
                "overrides.0.hours.1",
                "overlapping_hours",
            ),
            ({"overrides": [{"date": "2026-02-30", "hours": []}]}, "overrides.0.date", "invalid"),
            (
                {"travels": [{"first_date": "2026-01-02", "last_date": "2026-01-01", "time_zone": "Asia/Tokyo"}]},
                "travels.0.last_date",
                "reversed_dates",
            ),
            (
                {"travels": [{"first_date": "2026-01-01", "last_date": "2026-01-02", "time_zone": "Asia/Tokyo"}] * 2},
                "travels.1",
                "overlapping_travels",
            ),
            ({"time_zone": "Mars/Olympus"}, "time_zone", "invalid_time_zone"),
            ({"time_zone": "+02:00"}, "time_zone", "invalid_time_zone"),
            ({"time_zone": "Etc/GMT+2"}, "time_zone", "invalid_time_zone"),
            ({"time_zone": "EST"}, "time_zone", "invalid_time_zone"),
            ({"increment_minutes": 3}, "increment_minutes", "min_value"),
            ({"buffer_after_minutes": 181}, "buffer_after_minutes", "max_value"),
            ({"horizon_days": 400}, "horizon_days", "max_value"),
            ({"most_per_day": 0}, "most_per_day", "min_value"),
        ],
    )
    def test_bad_input_is_named_and_changes_nothing(self, mentor: Api, change: Any, field: str, code: str) -> None:
        answer = mentor.put("mentors/me/availability", FULL | change)
        assert answer.status_code == 400
        assert (field, code) in [(error["field"], error["code"]) for error in answer.json()["errors"]]
        assert not Schedule.objects.exists()

    def test_the_database_refuses_overlaps_as_well(self, make_mentor: Any) -> None:
        schedule = make_mentor("09:00-12:00").schedule
        with pytest.raises(IntegrityError), transaction.atomic():
            WeeklyHours.objects.create(schedule=schedule, weekday=0, start_minute=600, end_minute=660)


class TestZoneChange:
    def test_keeps_wall_time(self, make_mentor: Any, clock: Any) -> None:
        profile = make_mentor("09:00-12:00", zone="Europe/Berlin")
        schedule = change_time_zone(profile=profile, time_zone="Asia/Tokyo", keeps_instants=False)
        assert availability_of(schedule) == Availability("Asia/Tokyo", weekly("09:00-12:00"))

    def test_keeps_instants(self, make_mentor: Any, user: User, clock: Any) -> None:
        rules = Availability(
            "Europe/Berlin",
            (WeeklyRule(0, hours("09:00-12:00")), WeeklyRule(6, hours("16:00-20:00"))),
            (Override(datetime.date(2026, 6, 10), (hours("15:00-19:00"),)),),
        )
        profile = make_mentor(rules=rules, increment_minutes=60)
        claim_time(profile=profile, learner_id=user.pk, starts_at=utc("2026-06-08 07:00"), duration_minutes=60, reference=uuid.uuid4())
        question = Question(profile.pk, 60)
        before = slots_between(question, utc("2026-06-02"), utc("2026-06-30"))
        schedule = change_time_zone(profile=profile, time_zone="Asia/Tokyo", keeps_instants=True)
        stated = availability_of(schedule)
        assert WeeklyRule(6, hours("23:00-24:00")) in stated.weekly and WeeklyRule(0, hours("00:00-03:00")) in stated.weekly
        assert Override(datetime.date(2026, 6, 10), (hours("22:00-24:00"),)) in stated.overrides
        assert slots_between(question, utc("2026-06-02"), utc("2026-06-30")) == before
        assert OccupiedTime.objects.get(is_mentor=True).session.lower == utc("2026-06-08 07:00"), "what is booked never moves"

    def test_over_the_api(self, signed_in: Api, user: User, make_mentor: Any) -> None:
        make_mentor("09:00-12:00", zone="Europe/Berlin", user=user)
        assert signed_in.post("mentors/me/availability/time-zone", {"time_zone": "Asia/Tokyo"}).status_code == 400
        changed = signed_in.post("mentors/me/availability/time-zone", {"time_zone": "Asia/Tokyo", "keep": "wall_time"}).json()
        assert (changed["time_zone"], changed["weekly"][0]["start"]) == ("Asia/Tokyo", "09:00")


class TestWhy:
    def why(self, api: Api, profile: MentorProfile, start: str, minutes: int = 60) -> dict[str, list[str]]:
        answer = api.get(f"mentors/{profile.pk}/slots/why?start={start}&duration_minutes={minutes}").json()
        assert answer["is_bookable"] == (answer["reasons"] == [])
        return {reason["code"]: reason["details"] for reason in answer["reasons"]}

    def test_in_full_for_the_mentor_and_safely_for_others(self, make_mentor: Any, make_user: Any, clock: Any) -> None:
        owner = make_user()
        override = Override(datetime.date(2026, 6, 3), ())
        rules = Availability("Europe/Berlin", weekly("09:00-17:00"), (override,))
        profile = make_mentor(rules=rules, user=owner, notice_minutes=180, most_per_day=1, most_per_month=9)
        block_time(person=owner, starts_at=utc("2026-06-02 10:00"), ends_at=utc("2026-06-02 11:00"), title="Dentist CANARY")
        mentor, other = Api().sign_in(owner), Api().sign_in(make_user())
        assert self.why(mentor, profile, "2026-06-02T07:00:00Z") == {}
        assert self.why(mentor, profile, "2026-06-02T10:30:00Z") == {
            "taken": ["2026-06-02 12:00 to 2026-06-02 13:00 in Europe/Berlin: blocked by you “Dentist CANARY”."]
        }
        assert self.why(other, profile, "2026-06-02T10:30:00Z") == {"taken": []}
        assert self.why(mentor, profile, "2026-06-03T08:00:00Z") == {
            "not_open": ["2026-06-03 in Europe/Berlin: closed, as you set for this date."],
        }
        assert self.why(mentor, profile, "2026-06-04T15:10:00Z", 45) == {
            "wrong_duration": ["Your offers last 60 minutes."],
            "not_open": ["2026-06-04 in Europe/Berlin: 09:00–17:00, by your weekly hours."],
            "off_grid": ["Your sessions start every 30 minutes, counted from the start of your hours."],
        }
        assert self.why(mentor, profile, "2026-06-01T07:00:00Z") == {
            "too_soon": ["You ask for 180 minutes of notice: nothing before 2026-06-01 11:00 in Europe/Berlin."]
        }
        assert self.why(mentor, profile, "2026-07-02T07:00:00Z") == {
            "too_far": ["You can be booked 30 days ahead: up to 2026-07-01 08:00 in Europe/Berlin."]
        }
        learner = make_user()
        claim_time(profile=profile, learner_id=learner.pk, starts_at=utc("2026-06-02 07:00"), duration_minutes=60, reference=uuid.uuid4())
        assert self.why(mentor, profile, "2026-06-02T08:00:00Z") == {
            "limit_reached": ["You take 1 a day. 1 start on 2026-06-02, in Europe/Berlin: 2026-06-02 09:00."]
        }
        assert self.why(Api().sign_in(learner), profile, "2026-06-02T07:00:00Z") == {"taken": [], "limit_reached": [], "learner_busy": []}
        profile.schedule.delete()
        assert self.why(mentor, profile, "2026-06-02T07:00:00Z") == {"not_open": ["You have not said yet when you can be booked."]}

    def test_bad_input(self, make_mentor: Any, api: Api) -> None:
        assert api.get(f"mentors/{make_mentor().pk}/slots/why").status_code == 400


class TestClaims:
    def claim(self, profile: MentorProfile, learner: User, start: str = "2026-06-02 09:00", **more: Any) -> uuid.UUID:
        reference = uuid.uuid4()
        claim_time(profile=profile, learner_id=learner.pk, starts_at=utc(start), duration_minutes=60, reference=reference, **more)
        return reference

    def test_refused_with_the_three_nearest(self, make_mentor: Any, make_user: Any, clock: Any) -> None:
        profile = make_mentor("09:00-12:00", increment_minutes=60)
        self.claim(profile, make_user())
        with pytest.raises(SlotUnavailable) as caught:
            self.claim(profile, make_user())
        assert caught.value.data == {
            "reasons": ["taken"],
            "alternatives": ["2026-06-01T11:00:00Z", "2026-06-02T10:00:00Z", "2026-06-02T11:00:00Z"],
        }

    def test_moved_onto_itself_and_back(self, make_mentor: Any, user: User, make_user: Any, clock: Any) -> None:
        profile = make_mentor("09:00-12:00")
        reference = self.claim(profile, user)
        move_claim(reference=reference, starts_at=utc("2026-06-02 09:30"), duration_minutes=60)
        rows = OccupiedTime.objects.filter(reference=reference)
        assert {(row.session.lower, row.moves) for row in rows} == {(utc("2026-06-02 09:30"), 1)}
        self.claim(profile, make_user(), "2026-06-02 10:30")
        with pytest.raises(SlotUnavailable):
            move_claim(reference=reference, starts_at=utc("2026-06-02 10:00"), duration_minutes=60)
        assert OccupiedTime.objects.filter(reference=reference, session__startswith=utc("2026-06-02 09:30")).count() == 2
        with pytest.raises(ClaimGone):
            move_claim(reference=uuid.uuid4(), starts_at=utc("2026-06-02 10:00"), duration_minutes=60)

    def test_holds_are_confirmed_or_end(self, make_mentor: Any, make_user: Any, clock: list[Any]) -> None:
        profile = make_mentor("09:00-12:00")
        soon = clock[0] + datetime.timedelta(minutes=10)
        kept = self.claim(profile, make_user(), held_until=soon)
        lost = self.claim(profile, make_user(), "2026-06-02 10:00", held_until=soon)
        confirm_claim(reference=kept)
        assert expire_holds() == 0
        clock[0] += datetime.timedelta(minutes=10)
        with pytest.raises(ClaimGone):
            confirm_claim(reference=lost)
        assert refusals_of(Question(profile.pk, 60), utc("2026-06-02 10:00")) == ["taken"]
        assert expire_holds() == 2
        assert refusals_of(Question(profile.pk, 60), utc("2026-06-02 10:00")) == []
        assert set(OccupiedTime.objects.values_list("source", flat=True)) == {TimeSource.SESSION}
        release_claim(reference=kept)
        release_claim(reference=kept)
        assert not OccupiedTime.objects.exists()

    def test_an_overdue_hold_is_no_obstacle(self, make_mentor: Any, make_user: Any, clock: list[Any]) -> None:
        first, second, learner = make_mentor(), make_mentor(), make_user()
        self.claim(first, learner, held_until=clock[0] + datetime.timedelta(minutes=1))
        clock[0] += datetime.timedelta(minutes=2)
        self.claim(second, learner)
        assert refusals_of(Question(first.pk, 60), utc("2026-06-02 09:00")) == []

    def test_blocks_open_again(self, make_mentor: Any, clock: Any) -> None:
        profile = make_mentor()
        block = block_time(person=profile.user, starts_at=utc("2026-06-02 09:00"), ends_at=utc("2026-06-02 10:00"))
        assert refusals_of(Question(profile.pk, 60), utc("2026-06-02 09:30")) == ["taken"]
        unblock_time(block=block)
        assert refusals_of(Question(profile.pk, 60), utc("2026-06-02 09:30")) == []

    def test_over_the_api(self, signed_in: Api, user: User, make_mentor: Any) -> None:
        body = {"start": "2026-06-02T09:00:00Z", "end": "2026-06-02T10:00:00Z", "title": "Dentist"}
        assert signed_in.post("mentors/me/blocks", body).status_code == 404
        make_mentor(user=user)
        made = signed_in.post("mentors/me/blocks", body)
        assert (made.status_code, made.json() | {"id": ""}) == (201, body | {"id": ""})
        assert signed_in.get("mentors/me/blocks").json()["results"] == [made.json()]
        assert signed_in.post("mentors/me/blocks", body | {"end": body["start"]}).json()["errors"][0]["code"] == "reversed_times"
        assert signed_in.post("mentors/me/blocks", body | {"end": "2036-06-02T09:00:00Z"}).json()["errors"][0]["code"] == "too_long"
        assert signed_in.delete(f"mentors/me/blocks/{made.json()['id']}").status_code == 204


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_one_slot_has_one_winner(self, make_mentor: Any, make_user: Any) -> None:
        profile = make_mentor(increment_minutes=60)
        start = timezone.now().replace(minute=0, second=0, microsecond=0) + datetime.timedelta(days=2)
        learners = [make_user().pk for _ in range(12)]
        waiting = list(learners)
        lock = threading.Lock()

        def attempt() -> str:
            with lock:
                learner = waiting.pop()
            try:
                claim_time(profile=profile, learner_id=learner, starts_at=start, duration_minutes=60, reference=uuid.uuid4())
            except SlotUnavailable:
                return "refused"
            return "won"

        assert sorted(at_once(12, attempt)) == ["refused"] * 11 + ["won"]
        assert OccupiedTime.objects.count() == 2

    def test_nobody_waits_for_the_other_side_of_an_overdue_hold(self, make_mentor: Any, make_user: Any, clock: list[Any]) -> None:
        profile, learner, other = make_mentor("09:00-12:00"), make_user(), make_user()
        arguments: dict[str, Any] = {"profile": profile, "starts_at": utc("2026-06-02 09:00"), "duration_minutes": 60}
        claim_time(**arguments, learner_id=learner.pk, reference=uuid.uuid4(), held_until=clock[0])
        with ThreadPoolExecutor(1) as pool:

            def attempt() -> None:
                try:
                    claim_time(**arguments, learner_id=other.pk, reference=uuid.uuid4())
                finally:
                    connection.close()

            with transaction.atomic():
                keeping.lock_people([learner.pk])
                with pytest.raises(SlotUnavailable):
                    pool.submit(attempt).result(timeout=20)
            pool.submit(attempt).result(timeout=20)
        assert set(OccupiedTime.objects.values_list("person_id", flat=True)) == {profile.user_id, other.pk}

    @pytest.mark.parametrize("is_alone", [True, False])
    def test_limits_are_kept_in_the_same_transaction(self, make_mentor: Any, user: User, clock: Any, is_alone: bool) -> None:
        """By a claim and a release that stand alone, too."""
        profile, key = make_mentor("09:00-12:00", most_per_day=1), uuid.uuid4()
        arguments: dict[str, Any] = {"profile": profile, "learner_id": user.pk, "duration_minutes": 60}
        with contextlib.nullcontext() if is_alone else transaction.atomic():
            claim_time(**arguments, starts_at=utc("2026-06-02 09:00"), reference=key)
            with pytest.raises(SlotUnavailable) as refused:
                claim_time(**arguments, starts_at=utc("2026-06-02 11:00"), reference=uuid.uuid4())
            assert refused.value.data["reasons"] == ["limit_reached"]
            release_claim(reference=key)
            claim_time(**arguments, starts_at=utc("2026-06-02 11:00"), reference=uuid.uuid4())
        assert OccupiedTime.objects.filter(is_mentor=True).get().session.lower == utc("2026-06-02 11:00")

    def test_who_is_too_late_waits_for_nobody(self, make_mentor: Any, make_user: Any, clock: Any) -> None:
        profile, late = make_mentor("09:00-12:00"), make_user()
        arguments: dict[str, Any] = {"profile": profile, "starts_at": utc("2026-06-02 09:00"), "duration_minutes": 60}
        claim_time(**arguments, learner_id=make_user().pk, reference=uuid.uuid4())

        def attempt() -> None:
            try:
                claim_time(**arguments, learner_id=late.pk, reference=uuid.uuid4())
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool, transaction.atomic():
            keeping.lock_people([profile.user_id, late.pk])
            with pytest.raises(SlotUnavailable):
                pool.submit(attempt).result(timeout=20)

    def test_who_is_refused_has_no_lock(self, make_mentor: Any, make_user: Any, clock: Any) -> None:
        """Even who waited for one, as the time was still free at the first look."""
        profile, first, second = make_mentor("09:00-12:00"), make_user(), make_user()
        arguments: dict[str, Any] = {"profile": profile, "starts_at": utc("2026-06-02 09:00"), "duration_minutes": 60}
        refused, looked = threading.Event(), threading.Event()

        def attempt() -> None:
            try:
                with transaction.atomic():
                    with pytest.raises(SlotUnavailable):
                        claim_time(**arguments, learner_id=second.pk, reference=uuid.uuid4())
                    refused.set()
                    assert looked.wait(timeout=20)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                claim_time(**arguments, learner_id=first.pk, reference=uuid.uuid4())
                attempted = pool.submit(attempt)
                wait_for_locks()
            assert refused.wait(timeout=20)
            with transaction.atomic():
                assert [keeping.try_lock(person) for person in (profile.user_id, second.pk)] == [True, True]
            looked.set()
            attempted.result(timeout=20)

    def test_the_constraint_stands_behind_the_lock(self, make_user: Any) -> None:
        person = make_user()
        during = DateTimeTZRange(utc("2026-06-02 09:00"), utc("2026-06-02 10:00"), "[)")
        first = {"person": person, "source": "session", "during": during, "session": during, "reference": uuid.uuid4()}
        OccupiedTime.objects.create(**first)
        with pytest.raises(IntegrityError):
            OccupiedTime.objects.create(**first | {"reference": uuid.uuid4(), "id": uuid.uuid4()})


def test_the_functions_of_the_database_are_those_of_the_code() -> None:
    """Whoever changes a rule adds a migration that runs them anew."""
    written = dict(re.findall(r"CREATE OR REPLACE FUNCTION (\w+)\(.*?AS \$\$(.*?)\$\$", FUNCTIONS, re.DOTALL))
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname, prosrc FROM pg_proc WHERE proname LIKE 'mentors\\_%'")
        assert dict(cursor.fetchall()) == written


class TestKeeping:
    def test_every_night_a_day_further(self, make_mentor: Any, clock: list[Any]) -> None:
        profiles = [make_mentor("09:00-10:00") for _ in range(3)]
        late = utc("2026-08-01 09:00")
        assert refusals_of(Question(profiles[0].pk, 60, now=late - datetime.timedelta(days=2)), late) == ["not_open"]
        clock[0] = late - datetime.timedelta(days=2)
        assert keeping.keep_all_hours() == 3
        assert all(refusals_of(Question(profile.pk, 60), late) == [] for profile in profiles)

    def test_what_is_kept_is_what_would_be_computed(self, make_mentor: Any, user: User, clock: Any) -> None:
        profile = make_mentor("09:00-12:00", most_per_week=1)
        claim_time(profile=profile, learner_id=user.pk, starts_at=utc("2026-06-03 09:00"), duration_minutes=60, reference=uuid.uuid4())
        kept = Schedule.objects.values("open_time", "free_time", "full_time", "grids").get()
        keeping.keep_all_hours()
        assert Schedule.objects.values("open_time", "free_time", "full_time", "grids").get() == kept
        week = (kept["full_time"][0].lower, kept["full_time"][0].upper)
        assert week == (utc("2026-06-01"), utc("2026-06-08"))

    def test_who_travels_has_two_dates_or_none_at_the_seam(self) -> None:
        home = ZoneInfo("Europe/Berlin")
        stay = Stay(datetime.date(2026, 6, 2), datetime.date(2026, 6, 2), ZoneInfo("Asia/Tokyo"))
        rules = keeping.Rules(home, {0: [Hours(0, 60)]}, {}, (stay,), datetime.timedelta(minutes=30))
        assert keeping.dates_of(rules, utc("2026-06-01 16:00")) == [datetime.date(2026, 6, 1), datetime.date(2026, 6, 2)]
        assert keeping.dates_of(rules, utc("2026-06-02 16:00")) == []
