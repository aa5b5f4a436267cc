"""P10 and P11: taking a time while many want it, and while nobody else does. The product beside others that ask by the same rules and keep
the same rows, one statement after the other, as a program does: the textbook's, where the constraint alone refuses and its error is caught;
SELECT FOR UPDATE on both people; and no safeguard at all.

`python -m benchmarks.races MODE KIND SECONDS NUMBER` is one of the processes of clients; see `_clients`.
"""

from __future__ import annotations

import datetime
import json
import os
import random
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import django
import numpy

_PROCESSES, _THREADS = 4, 8
_CLIENTS = _PROCESSES * _THREADS
# Everybody wants the same half day of one mentor.
_STARTS = 8
_DOMAIN = "bench-races.invalid"
_HALF_HOUR = datetime.timedelta(minutes=30)
_CONSTRAINT = """
ALTER TABLE mentors_occupiedtime ADD CONSTRAINT nobody_is_booked_twice
EXCLUDE USING gist (person_id WITH =, during WITH &&) WHERE (source IN ('session', 'hold'))
"""
_OVERLAPS = """
SELECT count(*) FROM mentors_occupiedtime AS one JOIN mentors_occupiedtime AS other
ON one.person_id = other.person_id AND one.id < other.id AND one.during && other.during
"""


def races_beside_other_safeguards(seconds: float, rounds: int) -> list[Any]:
    """Every win is given back at once, so that races never stop. One round of each mode after the other; the medians are compared."""
    from benchmarks.measuring import Goal

    _clear()
    _prepare()
    figures: dict[tuple[str, str], list[dict[str, float]]] = {}
    for _ in range(rounds):
        for kind in ("races", "apart"):
            for mode in ("product", "textbook", "for update", "none"):
                figures.setdefault((kind, mode), []).append(_run(mode, kind, seconds))
    _clear()
    middle = {key: {name: float(numpy.median([each[name] for each in found])) for name in found[0]} for key, found in figures.items()}
    for (kind, mode), found in middle.items():
        line = f"{found['attempts']:.0f} attempts/s, {found['won']:.0f} won/s, p99 {found['p99']:.0f} ms"
        print(f"P10/P11: {kind}, {mode}: {line}, {found['deadlocks']:.0f} deadlocks, {found['overlaps']:.0f} overlaps")
    race = {mode: found for (kind, mode), found in middle.items() if kind == "races"}
    apart = {mode: found["attempts"] for (kind, mode), found in middle.items() if kind == "apart"}
    product = race["product"]
    return [
        Goal("P10: attempts/s over the textbook's", product["attempts"] / race["textbook"]["attempts"], 20, at_most=False),
        Goal("P10: attempts/s over SELECT FOR UPDATE", product["attempts"] / race["for update"]["attempts"], 2.5, at_most=False),
        Goal("P10: p99 over that of SELECT FOR UPDATE", product["p99"] / race["for update"]["p99"], 0.25),
        Goal("P10: deadlocks", product["deadlocks"], 0),
        Goal("P10: overlaps", product["overlaps"], 0),
        Goal("P11: different mentors, over no safeguard", apart["product"] / apart["none"], 0.8, at_most=False),
        Goal("P11: different mentors, over SELECT FOR UPDATE", apart["product"] / apart["for update"], 2.2, at_most=False),
    ]


def _run(mode: str, kind: str, seconds: float) -> dict[str, float]:
    from django.db import connection

    from accounts.models import User
    from mentors.services.keeping import keep_free_time_of

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE mentors_occupiedtime CASCADE")
        # A peer that lost a release to a deadlock, or that locks nobody, may have left time that looks taken: nobody could win any more.
        keep_free_time_of(list(User.objects.filter(email__endswith=_DOMAIN).values_list("pk", flat=True)))
        if mode == "none":
            cursor.execute("ALTER TABLE mentors_occupiedtime DROP CONSTRAINT nobody_is_booked_twice")
    try:
        command = [sys.executable, "-m", "benchmarks.races", mode, kind, str(seconds)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        crowd = [subprocess.Popen([*command, str(number)], **pipes) for number in range(_PROCESSES)]
        for process in crowd:
            process.stdout.readline()  # it is ready
        for process in crowd:
            process.stdin.write("go\n")
            process.stdin.flush()
        seen = [json.loads(process.communicate()[0].splitlines()[-1]) for process in crowd]
        with connection.cursor() as cursor:
            cursor.execute(_OVERLAPS)
            overlaps = float(cursor.fetchone()[0])
    finally:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE mentors_occupiedtime CASCADE")
            if mode == "none":
                cursor.execute(_CONSTRAINT)
    totals: Counter[str] = Counter()
    for each in seen:
        totals.update(each["answers"])
    times = sorted(taken for each in seen for taken in each["times"])
    return {
        "attempts": sum(totals.values()) / seconds,
        "won": totals["won"] / seconds,
        "deadlocks": totals["deadlock"],
        "overlaps": overlaps,
        "p99": times[int(len(times) * 0.99)],
    }


def _prepare() -> None:
    from django.contrib.auth.hashers import make_password
    from django.utils import timezone

    from accounts.models import User
    from mentors.models import MentorProfile, Offer
    from mentors.services.expanding import Hours
    from mentors.services.schedules import Availability, WeeklyRule, set_availability

    password = make_password(None)
    names = [*(f"mentor-{number}" for number in range(_CLIENTS)), *(f"learner-{number}" for number in range(_CLIENTS))]
    User.objects.bulk_create([User(email=f"{name}@{_DOMAIN}", full_name=name, password=password) for name in names])
    hours = tuple(WeeklyRule(day, Hours(0, 1440)) for day in range(7))
    for user in User.objects.filter(email__startswith="mentor-", email__endswith=_DOMAIN):
        profile = MentorProfile.objects.create(user=user, state="live", live_since=timezone.now(), headline="m", capacity=1_000)
        Offer.objects.create(profile=profile, kind="session", title="t", duration_minutes=60, price_amount=0, price_currency="EUR")
        settings = {"notice_minutes": 0, "horizon_days": 30}
        set_availability(profile=profile, availability=Availability("UTC", hours, (), (), settings))


def _clear() -> None:
    from accounts.models import User
    from mentors.models import MentorProfile

    MentorProfile.objects.filter(user__email__endswith=_DOMAIN).delete()
    User.objects.filter(email__endswith=_DOMAIN).delete()


# --- One process of clients ---------------------------------------------------------------------------------------------------------
def _clients(mode: str, kind: str, seconds: float, first: int) -> dict[str, Any]:
    """Eight clients, each a learner of its own, who take a time and give it back until the seconds are over."""
    from django.db import connection
    from django.utils import timezone

    from accounts.models import User
    from mentors.models import MentorProfile

    profiles = list(MentorProfile.objects.filter(user__email__endswith=_DOMAIN).select_related("user").order_by("user__email"))
    learners = list(User.objects.filter(email__startswith="learner-", email__endswith=_DOMAIN).order_by("email"))
    tomorrow = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) + datetime.timedelta(days=1)
    answers: Counter[str] = Counter()
    times: list[float] = []
    ready = threading.Barrier(_THREADS, action=_wait_for_the_word)
    locks: dict[str, Callable[[Iterable[uuid.UUID]], Any]] = {"textbook": list, "none": list, "for update": _lock_rows}
    attempt = _by_statements(locks[mode]) if mode in locks else _by_the_product

    def client(number: int) -> None:
        chance = random.Random(number)
        mine = profiles[0 if kind == "races" else number]
        seen: Counter[str] = Counter()
        taken: list[float] = []
        connection.ensure_connection()
        ready.wait()
        end = time.monotonic() + seconds
        while (began := time.monotonic()) < end:
            start = tomorrow + chance.randrange(_STARTS) * _HALF_HOUR
            seen[_answer_of(attempt, mine, learners[number].pk, start)] += 1
            taken.append((time.monotonic() - began) * 1000)
        connection.close()
        with ready_lock:
            answers.update(seen)
            times.extend(taken)

    ready_lock = threading.Lock()
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(client, range(first * _THREADS, (first + 1) * _THREADS)))
    return {"answers": answers, "times": times}


def _wait_for_the_word() -> None:
    """All processes begin together, however long each takes to start."""
    print("ready", flush=True)
    sys.stdin.readline()


def _by_the_product(profile: Any, learner_id: uuid.UUID, start: datetime.datetime) -> None:
    from core.models import new_id
    from mentors.services.occupying import claim_time, release_claim

    key = new_id()
    claim_time(profile=profile, learner_id=learner_id, starts_at=start, duration_minutes=60, reference=key)
    release_claim(reference=key)


def _by_statements(lock: Callable[[Iterable[uuid.UUID]], Any]) -> Callable[..., None]:
    from django.db import IntegrityError, transaction
    from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

    from core.models import new_id
    from mentors.errors import SlotUnavailable
    from mentors.models import OccupiedTime
    from mentors.services.keeping import keep_free_time_of
    from mentors.services.slots import Question, refusals_of

    def attempt(profile: Any, learner_id: uuid.UUID, start: datetime.datetime) -> None:
        key, people = new_id(), (profile.user_id, learner_id)
        session = DateTimeTZRange(start, start + datetime.timedelta(minutes=60), "[)")
        row = {"during": session, "session": session, "source": "session", "reference": key}
        with transaction.atomic():
            lock(people)
            if refusals_of(Question(profile.pk, 60, learner_id), start):
                raise SlotUnavailable
            try:
                OccupiedTime.objects.create(person_id=profile.user_id, is_mentor=True, **row)
                OccupiedTime.objects.create(person_id=learner_id, **row)
            except IntegrityError as error:
                raise SlotUnavailable from error
            keep_free_time_of(people)
        with transaction.atomic():
            lock(people)
            OccupiedTime.objects.filter(reference=key).delete()
            keep_free_time_of(people)

    return attempt


def _lock_rows(people: Iterable[uuid.UUID]) -> None:
    from accounts.models import User

    list(User.objects.select_for_update().filter(pk__in=list(people)).order_by("pk").values_list("pk"))


def _answer_of(attempt: Callable[..., None], *arguments: Any) -> str:
    from django.db import OperationalError

    from mentors.errors import SlotUnavailable

    try:
        attempt(*arguments)
    except SlotUnavailable:
        return "refused"
    except OperationalError:
        return "deadlock"
    return "won"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soosh.settings")
    django.setup()
    print(json.dumps(_clients(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))))
