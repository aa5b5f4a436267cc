"""The long tests of a running Soosh: starts, stops, kills, and what must survive them."""

from __future__ import annotations

import gzip
import json
import signal
import threading
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import RunningSoosh

pytestmark = pytest.mark.long
STAFF = "staff@soosh.example"
ADA = "ada@soosh.example"
KILLS = 10


@pytest.fixture
def soosh(tmp_path: Path) -> Iterator[RunningSoosh]:
    running = RunningSoosh(tmp_path / "one")
    yield running
    for process in running.processes():
        process.kill()


class Writer(threading.Thread):
    """Posts opportunities one after the other and remembers which were acknowledged."""

    def __init__(self, soosh: RunningSoosh) -> None:
        super().__init__(daemon=True)
        self.soosh = soosh
        self.acknowledged: list[str] = []
        self.going = True

    def run(self) -> None:
        number = 0
        while self.going:
            number += 1
            try:
                posted = self.soosh.call("POST", "opportunities", {"kind": "job", "title": f"Job {number}"})
                self.acknowledged.append(posted["id"])
            except (OSError, urllib.error.URLError, json.JSONDecodeError):
                time.sleep(0.1)


def write_until_killed(soosh: RunningSoosh, kill: str, acknowledged: set[str]) -> None:
    soosh.sign_in(STAFF)
    writer = Writer(soosh)
    writer.start()
    time.sleep(1.5)
    for process in soosh.processes(kill):
        process.kill()
    time.sleep(0.5)
    writer.going = False
    writer.join(60)
    acknowledged |= set(writer.acknowledged)
    assert writer.acknowledged, "nothing was written before the kill"


def lost(soosh: RunningSoosh, acknowledged: set[str]) -> set[str]:
    stored = soosh.query("SELECT coalesce(array_agg(id::text), '{}') FROM catalog_opportunity")
    return acknowledged - set(stored)


def test_starts_stops_and_stands_beside_another(soosh: RunningSoosh, tmp_path: Path) -> None:
    first = soosh.start()
    other = RunningSoosh(tmp_path / "two")
    other.start()
    other.sign_in(STAFF)
    other.call("POST", "opportunities", {"kind": "job", "title": "Only in the other"})
    assert soosh.query("SELECT count(*) FROM catalog_opportunity WHERE title = 'Only in the other'") == 0
    other.stop(signal.SIGINT)
    assert other.processes() == []
    soosh.stop(signal.SIGTERM)
    assert soosh.processes() == []
    second = soosh.start()
    print(f"\nfirst start {first:.1f} s, second start {second:.1f} s")
    refused = soosh.manage("serve")
    assert "already runs" in refused.communicate(timeout=60)[1]
    soosh.wait_until_ready()
    soosh.stop()


def test_kills_of_the_supervisor_lose_nothing(soosh: RunningSoosh) -> None:
    acknowledged: set[str] = set()
    soosh.start()
    for _ in range(KILLS):
        write_until_killed(soosh, "supervisord", acknowledged)
        soosh.start()
        assert lost(soosh, acknowledged) == set()
    print(f"\n{KILLS} kills of the supervisor, {len(acknowledged)} acknowledged writes, 0 lost")
    soosh.stop()
    assert soosh.processes() == []


def test_kills_of_postgresql_lose_nothing_and_it_comes_back_by_itself(soosh: RunningSoosh) -> None:
    acknowledged: set[str] = set()
    soosh.start()
    for _ in range(KILLS):
        write_until_killed(soosh, "bin/postgres", acknowledged)
        soosh.wait_until_ready()
        assert lost(soosh, acknowledged) == set()
    print(f"\n{KILLS} kills of PostgreSQL, {len(acknowledged)} acknowledged writes, 0 lost")
    soosh.stop()


def test_an_import_and_an_interview_outlive_redis_and_the_worker(soosh: RunningSoosh, tmp_path: Path) -> None:
    rows = [
        {"id": f"k:{number}", "source": "k", "kind": "job", "title": f"Nurse {number}", "description": "care " * 20}
        for number in range(3_000)
    ]
    file = tmp_path / "rows.jsonl.gz"
    file.write_bytes(gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in rows)))
    soosh.start()
    soosh.sign_in(ADA)
    started = soosh.call("POST", "ai-profiling/start", {})
    importing = soosh.manage("import_opportunities", str(file))
    reply = {"step": 1, "next_question": started["first_question"]}
    answered = 0
    while reply["next_question"]:
        for name in ("redis-server", "celery"):
            for process in soosh.processes(name):
                process.kill()
        body = {"session_id": started["session_id"], "step": reply["step"], "answer_text": "I look after people and I grow vegetables."}
        reply = soosh.call("POST", "ai-profiling/submit-answer", body)
        answered += 1
    profile = soosh.call("POST", "ai-profiling/complete", {"session_id": started["session_id"]})["profile"]
    output, errors = importing.communicate(timeout=300)
    assert "3000 added" in output, errors
    assert profile["goals"]
    soosh.wait_until_ready()
    wait_for(soosh, "SELECT count(*) FROM catalog_opportunity WHERE source = 'k' AND embedding IS NOT NULL", 3_000)
    wait_for(soosh, "SELECT count(*) FROM core_eventdelivery WHERE state <> 'done'", 0)
    assert soosh.query("SELECT count(*) FROM catalog_opportunity WHERE source = 'k'") == 3_000
    assert soosh.query("SELECT count(*) FROM profiling_answer") == answered
    assert soosh.query("SELECT count(*) FROM core_outboxevent WHERE name = 'profiling.interview-completed'") == 1
    assert soosh.query("SELECT max(attempts) FROM core_eventdelivery") == 1
    print(f"\n{answered} answers and 3,000 rows through {answered} kills of Redis and the worker: all done, once")
    soosh.stop()


def wait_for(soosh: RunningSoosh, sql: str, value: int) -> None:
    deadline = time.monotonic() + 300
    while soosh.query(sql) != value:
        assert time.monotonic() < deadline, f"{sql} is {soosh.query(sql)}"
        time.sleep(0.5)
