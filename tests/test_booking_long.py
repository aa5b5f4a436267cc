"""A thousand bookings over HTTP on a running Soosh, while connections to the database, Redis, workers, and the peers of Stripe and Daily are cut
and killed: in the end nobody is booked twice, nothing that was acknowledged is lost, and everything stands where its history says."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import random
import signal
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from accounts.demo import DEMO_PASSWORD
from bookings.tests.daily_peer import FAULTS, KEY, WEBHOOK_SECRET, DailyPeer
from tests.running import RunningSoosh, free_port
from tests.test_paying_long import shell

pytestmark = pytest.mark.long
SEED = 20261126
_JOURNEYS = int(os.environ.get("BOOKING_JOURNEYS", "1000"))
_MENTORS, _LEARNERS, _CLIENTS = 10, 200, 8
# Further ahead the longer it all takes, so that nothing begins meanwhile; near enough, now and then, that its room is made.
_AHEAD = datetime.timedelta(minutes=20 + _JOURNEYS // 33)
# An answer comes soon. What follows from it may take longer: workers are killed more often than they can start, on a busy machine for minutes.
_PATIENCE, _LONG_PATIENCE = 180.0, 900.0

_BEGIN = f"""
import urllib.request
from accounts.models import User
from allauth.account.models import EmailAddress
from mentors.enums import OfferKind
from mentors.models import MentorProfile
from mentors.services.expanding import Hours
from mentors.services.profiles import StatedOffer, save_profile
from mentors.services.schedules import Availability, WeeklyRule, set_availability
from payments.services import onboarding
from django.utils import timezone
def person(name):
    user = User.objects.create_user(name + "@example.org", {DEMO_PASSWORD!r}, full_name=name)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user
for number in range({_LEARNERS}):
    person(f"learner-{{number}}")
hours = tuple(WeeklyRule(day, Hours(0, 1440)) for day in range(7))
for number in range({_MENTORS}):
    mentor = person(f"mentor-{{number}}")
    offers = [StatedOffer(OfferKind.SESSION, "Mentoring", 30, 4_500, "EUR"), StatedOffer(OfferKind.INTRODUCTION, "Hello", 15, 0, "EUR")]
    profile = save_profile(user=mentor, fields={{"headline": "x", "capacity": 100}}, skills=[], offers=offers)
    MentorProfile.objects.filter(pk=profile.pk).update(state="live", live_since=timezone.now())
    set_availability(profile=profile, availability=Availability("Europe/Berlin", hours, (), (), {{"notice_minutes": 0, "increment_minutes": 5, "horizon_days": 60}}))
    url = onboarding.start_onboarding(person=mentor, country="DE")
    urllib.request.urlopen(urllib.request.Request(url, b"form=onboard"))
    print(profile.pk)
"""
_END = """
import json
from collections import Counter
from pathlib import Path
from django.conf import settings
from django.db import transaction
from bookings.models import Booking, Room
from bookings.tests.invariants import check_always, check_settled, overlaps
from payments.models import Payment
from payments.peer.engine import Peer
from payments.tests import invariants as money
with transaction.atomic():
    check_always()
    check_settled()
money.check_settled(Peer(settings.EMBEDDED_HOME.root / "stripe-peer.sqlite"))
print(json.dumps({
    "states": {str(key): state for key, state in Booking.objects.values_list("pk", "state")},
    "unsettled": Booking.objects.filter(ended_at__isnull=False, settled_at__isnull=True).count(),
    "payments": Counter(Payment.objects.values_list("state", flat=True)),
    "overlaps": overlaps(),
    "rooms": Counter(Room.objects.values_list("state", flat=True)),
}))
"""


@dataclasses.dataclass(frozen=True)
class Refused(Exception):
    status: int
    problem: dict[str, Any]


class Client:
    """A person's app, which does not give up: what may have been lost on the way is asked again, under the same key."""

    def __init__(self, soosh: RunningSoosh, name: str) -> None:
        self.soosh, self.name, self.token = soosh, name, ""
        self.lock = threading.Lock()

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        key, deadline = str(uuid.uuid4()), time.monotonic() + _PATIENCE
        while True:
            try:
                if not self.token:
                    self._sign_in()
                return self._ask(method, path, body, key)
            except Refused as refusal:
                if refusal.status == 401:
                    self.token = ""
                elif refusal.status < 500 and refusal.problem.get("code") != "idempotency_key_in_use":
                    raise
            except OSError:
                pass
            assert time.monotonic() < deadline, f"{method} {path} was not answered"
            time.sleep(0.1)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, key: str) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key, "Authorization": f"Bearer {self.token}"}
        if not self.token:
            del headers["Authorization"]
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.soosh.port}/api/v1/{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            try:
                problem = json.loads(error.read())
            except ValueError:
                problem = {}
            raise Refused(error.code, problem) from error

    def _sign_in(self) -> None:
        with self.lock:
            body = {"email": f"{self.name}@example.org", "password": DEMO_PASSWORD}
            self.token = ""
            self.token = self._ask("POST", "auth/login", body, str(uuid.uuid4()))["access_token"]


class Journey:
    """One booking, from the slot to one of the ends that it may have."""

    def __init__(self, number: int, learner: Client, mentor: Client, profile: str) -> None:
        self.number, self.learner, self.mentor, self.profile = number, learner, mentor, profile
        self.chance = random.Random(SEED + number)
        self.key = ""

    def walk(self) -> tuple[str, set[str]]:
        """Returns the id, and the states in which it may end."""
        minutes = self.chance.choice((15, 30, 30))
        self.key = self._book(minutes)
        if minutes == 30:
            self._pay()
        self._wait_for("requested")
        if self.number % 10 == 0:
            return self._act(self.mentor, "decline", {}, "declined")
        if self.number % 10 == 1:
            return self.key, {"requested", "expired"}
        self._act(self.mentor, "confirm", {}, "confirmed")
        if self.number % 5 == 2:
            return self._act(self.learner, "cancel", {}, "cancelled_by_learner")
        if self.number < 3 * _MENTORS:
            # Mentors who do this more often are not booked any more.
            return self._act(self.mentor, "cancel", {}, "cancelled_by_mentor")
        if self.number % 5 == 4:
            self._move()
        return self.key, {"confirmed"}

    def _book(self, minutes: int) -> str:
        while True:
            after = (datetime.datetime.now(datetime.UTC) + _AHEAD).strftime("%Y-%m-%dT%H:%M:%SZ")
            slots = self.learner.call("GET", f"mentors/{self.profile}/slots?duration_minutes={minutes}&from={after}")["slots"]
            few = slots[: 4 if self.number % 4 == 0 else 400]
            body = {"mentor_id": self.profile, "duration_minutes": minutes, "scheduled_at": self.chance.choice(few)["start"]}
            try:
                return str(self.learner.call("POST", "bookings", body)["id"])
            except Refused as refusal:
                assert refusal.problem["code"] in ("slot_unavailable", "too_many_holds", "too_many_open_requests"), refusal.problem
                time.sleep(0.05)

    def _pay(self) -> None:
        page = self.learner.call("POST", "payments/create-intent", {"booking_id": self.key})["pay_page"]
        form = urllib.parse.urlencode({"card": "4242424242424242"}).encode()

        def send() -> bool:
            urllib.request.urlopen(urllib.request.Request(page, form), timeout=20).close()
            return True

        insist(send, f"{self.key} was never paid for")

    def _act(self, client: Client, verb: str, body: dict[str, Any], state: str) -> tuple[str, set[str]]:
        try:
            client.call("POST", f"bookings/{self.key}/{verb}", body)
        except Refused as refusal:
            # The answer to the first time was lost on its way, or somebody was quicker.
            assert refusal.problem["code"] == "illegal_booking_move", refusal.problem
        self._wait_for(state)
        return self.key, {state}

    def _move(self) -> None:
        slots = self.learner.call("GET", f"mentors/{self.profile}/slots?duration_minutes=15")["slots"]
        try:
            self.learner.call("POST", f"bookings/{self.key}/reschedule", {"scheduled_at": self.chance.choice(slots[400:])["start"]})
        except Refused as refusal:
            assert refusal.problem["code"] in ("slot_unavailable", "same_time", "too_many_moves"), refusal.problem

    def _wait_for(self, state: str) -> None:
        insist(lambda: self.learner.call("GET", f"bookings/{self.key}")["state"] == state, f"{self.key} was never {state}")


def insist(act: Callable[[], bool], otherwise: str) -> None:
    """Until it is so, for a while."""
    deadline = time.monotonic() + _LONG_PATIENCE
    while time.monotonic() < deadline:
        try:
            if act():
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(otherwise)


class Trouble(threading.Thread):
    """Kills and cuts something every few seconds, until it is told to stop."""

    def __init__(self, soosh: RunningSoosh, video: DailyPeer) -> None:
        super().__init__(daemon=True)
        self.soosh, self.video, self.over = soosh, video, threading.Event()
        self.chance = random.Random(SEED)
        self.made: Counter[str] = Counter()

    def run(self) -> None:
        turns = ("celery", "connections", "payments.peer", "redis-server", "connections", "daily")
        number = 0
        while not self.over.wait(self.chance.uniform(2, 5)):
            name = turns[number % len(turns)]
            number += 1
            if name == "connections":
                cut = "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE datname = 'soosh' AND"
                self.made[name] += self.soosh.query(f"{cut} pid <> pg_backend_pid() ORDER BY random() LIMIT 3) AS victims")
            elif name == "daily":
                self.video.fail(self.chance.choice(FAULTS))
                self.made[name] += 1
            elif victims := self.soosh.processes(name):
                self.chance.choice(victims).send_signal(signal.SIGKILL)
                self.made[name] += 1


def test_a_thousand_journeys_while_everything_is_killed(tmp_path: Path) -> None:
    video = DailyPeer()
    daily = {"DAILY_API_KEY": KEY, "DAILY_API_BASE": video.base, "DAILY_WEBHOOK_SECRET": WEBHOOK_SECRET}
    soosh = RunningSoosh(tmp_path / "soosh", **daily, STRIPE_PEER_PORT=str(free_port()))
    trouble = Trouble(soosh, video)
    try:
        soosh.start()
        profiles = shell(soosh, _BEGIN).split()[-_MENTORS:]
        learners = [Client(soosh, f"learner-{number}") for number in range(_LEARNERS)]
        mentors = [Client(soosh, f"mentor-{number}") for number in range(_MENTORS)]
        # Learners go on by one in each round, so that none has one kind of journey alone: who puts off or misses four may book no more.
        journeys = [
            Journey(
                number,
                learners[(number + number // _LEARNERS) % _LEARNERS],
                mentors[number * 7 % _MENTORS],
                profiles[number * 7 % _MENTORS],
            )
            for number in range(_JOURNEYS)
        ]
        began = time.monotonic()
        trouble.start()
        with ThreadPoolExecutor(_CLIENTS) as pool:
            ends = dict(pool.map(Journey.walk, journeys))
        trouble.over.set()
        trouble.join()
        taken = time.monotonic() - began
        soosh.wait_until_ready()
        waiting = (
            "SELECT (SELECT count(*) FROM payments_movement WHERE state = 'planned')"
            " + (SELECT count(*) FROM core_eventdelivery WHERE state = 'pending')"
            " + (SELECT count(*) FROM bookings_booking WHERE ended_at IS NOT NULL AND settled_at IS NULL)"
            " + (SELECT count(*) FROM bookings_booking WHERE state = 'held')"
        )
        insist(lambda: soosh.query(waiting) == 0, "something is never done")
        found = json.loads(shell(soosh, _END))
    finally:
        trouble.over.set()
        soosh.stop()
        video.close()
    states = found.pop("states")
    print(f"\n{_JOURNEYS} journeys in {taken:.0f} s, {dict(trouble.made)}: {dict(Counter(states.values()))}, {found}")
    assert set(trouble.made) == {"celery", "connections", "payments.peer", "redis-server", "daily"}
    # Nothing that was acknowledged is lost, and what was asked for twice was made once.
    assert len(ends) == _JOURNEYS and states.keys() >= ends.keys()
    assert {key: states[key] for key in ends if states[key] not in ends[key]} == {}
    assert {states[key] for key in states.keys() - ends.keys()} <= {"expired"}
    assert (found["overlaps"], found["unsettled"]) == (0, 0)
