"""P5 and P6: the recommendation endpoint beside FastAPI with an ORM, FastAPI given one statement, and a bare socket, on one database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jwt
import psutil
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.db import connection

from accounts.enums import DeviceKind
from accounts.models import Device, User
from accounts.providers.tokens import issue
from benchmarks.measuring import Goal, median, processor_seconds
from benchmarks.peer_service import SECRET
from profiling.enums import ClaimKind
from profiling.services.profile import edit_profile

PEOPLE = 120
SECONDS = 6.0
CLIENTS = (1, 16, 64)
_WISHES = ("nursing", "welding", "teaching", "web development", "forestry", "cooking", "accounting", "music", "law", "biology")
# Below the range from which the system takes ports for outgoing connections.
_PORTS = {"soosh": 18_101, "orm": 18_102, "sql": 18_103, "bare": 18_104}


def endpoint_beside_peers(rounds: int) -> list[Goal]:
    """Requests a second, latency and processor time of each server at 1, 16 and 64 clients, by turns."""
    people = _people()
    figures: dict[tuple[str, int], list[dict[str, float]]] = {}
    with _servers() as servers:
        database = [process for process in psutil.process_iter(["name"]) if process.info["name"] == "postgres"]
        first = _first_rankings(people)
        for _ in range(rounds):
            for clients in CLIENTS:
                for name, process in servers.items():
                    found = _load(name, clients, people, process, database)
                    figures.setdefault((name, clients), []).append(found)
    summary = {key: {figure: median([run[figure] for run in runs]) for figure in runs[0]} for key, runs in figures.items()}
    for (name, clients), found in summary.items():
        print(
            f"P5 {name:>5}, {clients:2} clients: {found['rate']:6.0f} requests/s, p50 {found['p50']:6.1f} ms, p95 {found['p95']:6.1f} ms, "
            f"CPU a request {found['app']:5.0f} us in the service, {found['database']:5.0f} us in the database"
        )
    print(f"P5 soosh: a ranking that has to be computed takes {first:.0f} ms (median of {len(people)}), and is then kept for five minutes")
    return _goals(summary)


def _goals(summary: dict[tuple[str, int], dict[str, float]]) -> list[Goal]:
    goals = []
    for clients in CLIENTS:
        ours, orm, bare = (summary[(name, clients)] for name in ("soosh", "orm", "bare"))
        goals.append(Goal(f"P5 {clients} clients: requests/s over FastAPI with ORM", ours["rate"] / orm["rate"], 4, at_most=False))
        goals.append(Goal(f"P5 {clients} clients: p95 over FastAPI with ORM", ours["p95"] / orm["p95"], 1 / 7))
        cost = (ours["app"] + ours["database"]) / (orm["app"] + orm["database"])
        goals.append(Goal(f"P5 {clients} clients: CPU a request over FastAPI with ORM", cost, 1 / 3))
        if clients == 16:
            goals.append(Goal("P5 16 clients: requests/s over the bare socket", ours["rate"] / bare["rate"], 0.9, at_most=False))
            goals.append(Goal("P6 16 clients, kept: requests/s over FastAPI with ORM", ours["rate"] / orm["rate"], 8, at_most=False))
    return goals


def _people() -> list[User]:
    User.objects.filter(email__startswith="bench-").delete()
    people = []
    for number in range(PEOPLE):
        user = User.objects.create_user(f"bench-{number}@example.org", None, full_name="Bench")
        wish = f"to work in {_WISHES[number % len(_WISHES)]} for the {number}th time"
        edit_profile(user=user, labels={ClaimKind.GOAL: [wish]})
        people.append(user)
    return people


def _token(name: str, user: User) -> str:
    if name != "soosh":
        return jwt.encode({"sub": str(user.pk), "exp": time.time() + 600}, SECRET, algorithm="HS256")
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    device = Device.objects.create(
        user=user, kind=DeviceKind.APP, session_key=session.session_key, refresh_id=f"bench-{session.session_key}"[:36]
    )
    return issue(device, user).access_token


def _path(name: str) -> str:
    return "/api/v1/opportunities/recommended" if name == "soosh" else "/recommended"


@contextmanager
def _servers() -> Iterator[dict[str, psutil.Process]]:
    raw = connection.get_connection_params()
    dsn = f"postgresql://{raw.get('user') or ''}@/{raw['dbname']}?host={raw['host']}&port={raw.get('port') or 5432}"
    environment = os.environ | {"PEER_DSN": dsn}
    granian = [
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--workers",
        "1",
        "--blocking-threads",
        "4",
        "--backpressure",
        "128",
        "--no-ws",
    ]
    commands = {
        "soosh": [sys.executable, *granian, "--host", "127.0.0.1", "--port", str(_PORTS["soosh"]), "soosh.wsgi:application"],
        **{name: [sys.executable, "-m", "benchmarks.peer_service", name, str(_PORTS[name])] for name in ("orm", "sql", "bare")},
    }
    started = {
        name: subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for name, command in commands.items()
    }
    try:
        for name in started:
            _wait(name)
        yield {name: psutil.Process(process.pid) for name, process in started.items()}
    finally:
        for process in started.values():
            process.terminate()
            process.wait(20)


def _wait(name: str) -> None:
    user = User.objects.filter(email__startswith="bench-")[0]
    for _ in range(120):
        try:
            _get(name, _token(name, user))
            return
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{name}: {error.read()[:500]!r}") from error
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"{name} did not start")


def _get(name: str, token: str) -> Any:
    request = urllib.request.Request(f"http://127.0.0.1:{_PORTS[name]}{_path(name)}", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        found = json.load(answer)
    assert len(found["recommendations"]) == 10, name
    return found


def _first_rankings(people: Sequence[User]) -> float:
    cache.clear()
    taken = []
    for user in people:
        token = _token("soosh", user)
        started = time.perf_counter()
        _get("soosh", token)
        taken.append((time.perf_counter() - started) * 1000)
    return median(taken)


def _load(name: str, clients: int, people: Sequence[User], process: psutil.Process, database: list[psutil.Process]) -> dict[str, float]:
    tokens = "\n".join(_token(name, user) for user in people)
    command = [sys.executable, "-m", "benchmarks.load", str(_PORTS[name]), _path(name), str(clients)]
    subprocess.run([*command, "1"], input=tokens, capture_output=True, text=True, check=True)
    before = processor_seconds([process]), _cpu(database)
    done = subprocess.run([*command, str(SECONDS)], input=tokens, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-800:]}")
    after = processor_seconds([process]), _cpu(database)
    found = json.loads(done.stdout)
    latencies = sorted(found["latencies"])
    count = found["requests"]
    return {
        "rate": count / SECONDS,
        "p50": latencies[count // 2],
        "p95": latencies[int(count * 0.95)],
        "app": (after[0] - before[0]) / count * 1e6,
        "database": (after[1] - before[1]) / count * 1e6,
    }


def _cpu(database: list[psutil.Process]) -> float:
    """Of the postmaster and its backends, those that have come since included."""
    running = [process for process in database if process.is_running()]
    return processor_seconds([process for process in running if getattr(process.parent(), "name", str)() != "postgres"])
