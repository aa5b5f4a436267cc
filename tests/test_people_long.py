"""The long tests of people: races on one token, the clock as a witness, and an erasure that is killed at every step."""

from __future__ import annotations

import http.client
import json
import signal
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from accounts.demo import DEMO_PASSWORD
from tests.running import ROOT, RunningSoosh
from tests.test_running_long import ADA, STAFF, end

pytestmark = pytest.mark.long
ROUNDS, AT_ONCE = 10, 50
PAIRS = 60
FASTEST, SLOWEST = 0.8, 1.25


@pytest.fixture(scope="module")
def soosh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSoosh]:
    running = RunningSoosh(tmp_path_factory.mktemp("people") / "one", ERASURE_GRACE_DAYS="0")
    running.start()
    yield running
    end(running)


def ask(soosh: RunningSoosh, method: str, path: str, body: dict[str, Any] | None = None, token: str = "") -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", soosh.port, timeout=60)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection.request(method, f"/api/v1/{path}", None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content) if content.startswith(b"{") else {}


def sign_in(soosh: RunningSoosh, email: str = ADA) -> dict[str, Any]:
    status, body = ask(soosh, "POST", "auth/login", {"email": email, "password": DEMO_PASSWORD})
    assert status == 200, body
    return body


def test_of_fifty_refreshes_with_one_token_one_wins(soosh: RunningSoosh) -> None:
    pair = sign_in(soosh)
    for number in range(ROUNDS):
        barrier = threading.Barrier(AT_ONCE)
        token = pair["refresh_token"]

        def refresh(_: int, token: str = token, barrier: threading.Barrier = barrier) -> tuple[int, dict[str, Any]]:
            barrier.wait()
            return ask(soosh, "POST", "auth/refresh", {"refresh_token": token})

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(refresh, range(AT_ONCE)))
        counts = Counter(status for status, _ in answers)
        assert counts == {200: 1, 409: AT_ONCE - 1}, f"round {number}: {counts}"
        pair = next(body for status, body in answers if status == 200)
    print(f"\n{ROUNDS} rounds of {AT_ONCE} refreshes with one token: one winner each, the others 409")
    assert ask(soosh, "GET", "users/me", token=pair["access_token"])[0] == 200


def test_reuse_after_the_grace_kills_the_family_and_a_ban_kills_at_once(soosh: RunningSoosh) -> None:
    first = sign_in(soosh)
    _, second = ask(soosh, "POST", "auth/refresh", {"refresh_token": first["refresh_token"]})
    time.sleep(21)
    assert ask(soosh, "POST", "auth/refresh", {"refresh_token": first["refresh_token"]})[0] == 401
    assert ask(soosh, "GET", "users/me", token=second["access_token"])[0] == 401
    assert ask(soosh, "POST", "auth/refresh", {"refresh_token": second["refresh_token"]})[0] == 401
    staff, ada = sign_in(soosh, STAFF), sign_in(soosh)
    assert ask(soosh, "GET", "users/me", token=ada["access_token"])[0] == 200
    assert ask(soosh, "POST", f"users/{ada['user']['id']}/suspend", {"reason": "test"}, token=staff["access_token"])[0] == 200
    started = time.monotonic()
    assert ask(soosh, "GET", "users/me", token=ada["access_token"])[0] == 401
    print(f"\nthe family is dead after the grace; a banned person's next request, {time.monotonic() - started:.3f} s later, is 401")
    assert ask(soosh, "POST", f"users/{ada['user']['id']}/reinstate", token=staff["access_token"])[0] == 200


CALLS: dict[str, Callable[[str], dict[str, Any]]] = {
    "auth/register": lambda email: {"email": email, "password": "a-long-pass-phrase", "full_name": "Somebody"},
    "auth/login": lambda email: {"email": email, "password": "not-this-one"},
    "auth/password/reset": lambda email: {"email": email},
    "auth/login/code": lambda email: {"email": email},
    "auth/verify-email/resend": lambda email: {"email": email},
}


@pytest.mark.parametrize("path", CALLS)
def test_the_clock_does_not_tell_known_from_unknown_addresses(soosh: RunningSoosh, path: str) -> None:
    """Medians of alternating calls, with the real password hasher (figure: a ratio of 0.8 to 1.25)."""
    times: dict[str, list[float]] = {"known": [], "unknown": []}
    statuses = set()
    for _ in range(PAIRS):
        for kind, email in (("known", ADA), ("unknown", f"{uuid.uuid4().hex}@example.org")):
            started = time.perf_counter()
            statuses.add(ask(soosh, "POST", path, CALLS[path](email))[0])
            times[kind].append(time.perf_counter() - started)
    assert len(statuses) == 1, statuses
    known, unknown = (statistics.median(times[kind]) for kind in ("known", "unknown"))
    print(f"\n{path}: known {known * 1000:.1f} ms, unknown {unknown * 1000:.1f} ms, ratio {known / unknown:.2f} over {PAIRS} pairs")
    assert FASTEST <= known / unknown <= SLOWEST


_KILLED_RUN = """
import os, signal, uuid
from accounts.services import erasing
from core.privacy import Step
steps = erasing.erasure_steps()
def killing(step):
    def erase(person_id):
        step.erase(person_id)
        os.kill(os.getpid(), signal.SIGKILL)
    return Step(step.name, erase, step.count)
number = {number}
erasing.erasure_steps = lambda: [*steps[:number], killing(steps[number]), *steps[number + 1:]]
print(erasing.run_erasure(erasure_id=uuid.UUID("{erasure}")))
"""
_LAST_RUN = """
import uuid
from accounts.services import erasing
print(erasing.run_erasure(erasure_id=uuid.UUID("{erasure}")), erasing.sweep(uuid.UUID("{person}")))
"""


def test_an_erasure_killed_at_every_step_comes_to_its_end(soosh: RunningSoosh) -> None:
    email = f"canary-{uuid.uuid4().hex[:8]}@example.org"
    ask(soosh, "POST", "auth/register", {"email": email, "password": "a-long-pass-phrase", "full_name": "Canary"})
    soosh_mail = next(text for file in Path(soosh.home.mail).iterdir() if email in (text := file.read_text()))
    code = soosh_mail.split("in the app: ")[1][:9]
    assert ask(soosh, "POST", "auth/verify-email", {"key": code, "password": "a-long-pass-phrase"})[0] == 200
    token = ask(soosh, "POST", "auth/login", {"email": email, "password": "a-long-pass-phrase"})[1]["access_token"]
    started = ask(soosh, "POST", "ai-profiling/start", {}, token)[1]
    ask(soosh, "POST", "ai-profiling/submit-answer", {"session_id": started["session_id"], "step": 1, "answer_text": "I can cook."}, token)
    person = ask(soosh, "GET", "users/me", token=token)[1]["id"]
    # The worker would be faster than we are.
    workers = soosh.processes("celery")
    for process in workers:
        process.suspend()
    try:
        assert ask(soosh, "DELETE", "users/me", token=token)[0] == 202
        erasure = soosh.query(f"SELECT id FROM accounts_erasure WHERE person_id = '{person}'")
        kills = int(_run_text(soosh, "from core.privacy import erasure_steps; print(len(erasure_steps()))"))
        for number in range(kills):
            assert _run(soosh, _KILLED_RUN.format(number=number, erasure=erasure)) == -signal.SIGKILL
            done = soosh.query(f"SELECT cardinality(steps_done) FROM accounts_erasure WHERE id = '{erasure}'")
            assert done == number, "the step that was killed is not done, all before it are"
        out = _run_text(soosh, _LAST_RUN.format(erasure=erasure, person=person))
    finally:
        for process in workers:
            process.resume()
    print(f"\nan erasure killed at each of its {kills} steps: the last run is done, the sweep finds {out.split(maxsplit=1)[1].strip()}")
    assert out.split(maxsplit=1) == ["True", "{}\n"]


def _command(code: str) -> list[str]:
    return [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]


def _run(soosh: RunningSoosh, code: str) -> int:
    return subprocess.run(_command(code), cwd=ROOT, env=soosh.environment, capture_output=True, text=True).returncode


def _run_text(soosh: RunningSoosh, code: str) -> str:
    return subprocess.run(_command(code), cwd=ROOT, env=soosh.environment, capture_output=True, text=True, check=True).stdout
