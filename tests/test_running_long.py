"""The long tests of a running Soosh: starts, stops, kills, and what must survive them."""

from __future__ import annotations

import contextlib
import gzip
import json
import signal
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.running import RunningSoosh
from tests.servers import chat_server, embedding_server

pytestmark = pytest.mark.long
STAFF = "staff@soosh.example"
ADA = "ada@soosh.example"
KILLS = 10


@pytest.fixture
def soosh(tmp_path: Path) -> Iterator[RunningSoosh]:
    running = RunningSoosh(tmp_path / "one")
    yield running
    end(running)


class Writer(threading.Thread):
    """Posts opportunities one after the other and remembers which were acknowledged."""

    def __init__(self, soosh: RunningSoosh) -> None:
        super().__init__(daemon=True)
        self.soosh = soosh
        self.acknowledged: list[str] = []
        self.going = True

    def run(self) -> None:
        while self.going:
            try:
                # The same twice would be refused as a duplicate.
                posted = self.soosh.call("POST", "opportunities", {"kind": "job", "title": f"Job {uuid.uuid4()}"})
                self.acknowledged.append(posted["id"])
            except (OSError, urllib.error.URLError, json.JSONDecodeError):
                time.sleep(0.1)


def end(soosh: RunningSoosh) -> None:
    """Leave nothing behind, however the test went."""
    if soosh.supervisor and soosh.supervisor.poll() is None:
        soosh.stop()
    kill(soosh, "")


def kill(soosh: RunningSoosh, name: str) -> None:
    for process in soosh.processes(name):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def write_until_killed(soosh: RunningSoosh, victim: str, acknowledged: set[str]) -> None:
    soosh.sign_in(STAFF)
    writer = Writer(soosh)
    writer.start()
    time.sleep(1.5)
    kill(soosh, victim)
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


ANSWER = "I look after people and I grow vegetables."


def test_an_import_and_an_interview_outlive_redis_and_the_worker(soosh: RunningSoosh, tmp_path: Path) -> None:
    import_and_interview_through_kills(soosh, tmp_path, rows=3_000)


def test_the_same_on_the_openai_engine_with_faults(tmp_path: Path) -> None:
    """A chat server that answers 429, 500 and broken streams at random, and a real embedding model on another one."""
    faults = ("--error-rate", "429=0.2", "--error-rate", "500=0.1", "--stream-fault", "truncate=0.2", "--stream-fault", "malformed=0.2")
    with embedding_server() as embeddings, chat_server(*faults) as chat:
        script(
            chat,
            json.dumps(
                {"entries": [{"kind": "skill", "label": "care", "quote": "I look after people", "confidence": 0.9, "denied": False}]}
            ),
        )
        soosh = RunningSoosh(
            tmp_path / "openai",
            ENGINE="openai",
            OPENAI_API_KEY="none",
            OPENAI_BASE_URL=chat,
            OPENAI_EMBEDDING_BASE_URL=embeddings,
            OPENAI_EMBEDDING_MODEL="multilingual-e5-small-q4",
            AI_TIMEOUT_SECONDS="20",
        )
        try:
            import_and_interview_through_kills(soosh, tmp_path, rows=300)
            outcomes = dict(
                soosh.rows("SELECT outcome, count(*) FROM ai_usage WHERE operation = 'converse' AND engine = 'openai' GROUP BY 1")
            )
            engines = dict(soosh.rows("SELECT engine || ' ' || degraded_because, count(*) FROM profiling_answer GROUP BY 1"))
            assert set(dict(soosh.rows("SELECT embedding_model, count(*) FROM catalog_opportunity WHERE source = 'k' GROUP BY 1"))) == {
                "openai/multilingual-e5-small-q4/384"
            }
            print(f"calls of the chat by outcome: {outcomes}; answers by engine: {engines}")
        finally:
            end(soosh)


def script(chat: str, text: str) -> None:
    """Tell llmock what to answer from now on."""
    behaviour = {"behaviors": [{"type": "reply", "text": text, "times": None}]}
    address = chat.removesuffix("/v1") + "/_llmock/scenario"
    request = urllib.request.Request(address, json.dumps(behaviour).encode(), {"Content-Type": "application/json"}, method="POST")
    urllib.request.urlopen(request, timeout=5).close()


def import_and_interview_through_kills(soosh: RunningSoosh, tmp_path: Path, *, rows: int) -> None:
    records = [
        {"id": f"k:{number}", "source": "k", "kind": "job", "title": f"Nurse {number}", "description": "care " * 20}
        for number in range(rows)
    ]
    file = tmp_path / "rows.jsonl.gz"
    file.write_bytes(gzip.compress(b"".join(json.dumps(record).encode() + b"\n" for record in records)))
    soosh.start()
    soosh.sign_in(ADA)
    started = soosh.call("POST", "ai-profiling/start", {})
    importing = soosh.manage("import_opportunities", str(file))
    reply = {"step": 1, "next_question": started["first_question"]}
    answered = 0
    while reply["next_question"]:
        for name in ("redis-server", "celery"):
            kill(soosh, name)
        body = {"session_id": started["session_id"], "step": reply["step"], "answer_text": ANSWER}
        reply = soosh.call("POST", "ai-profiling/submit-answer", body)
        answered += 1
    profile = soosh.call("POST", "ai-profiling/complete", {"session_id": started["session_id"]})["profile"]
    output, errors = importing.communicate(timeout=300)
    assert f"{rows} added" in output, errors
    assert profile["claims"]
    soosh.wait_until_ready()
    wait_for(soosh, "SELECT count(*) FROM catalog_opportunity WHERE source = 'k' AND embedding IS NOT NULL", rows)
    wait_for(soosh, "SELECT count(*) FROM core_eventdelivery WHERE state <> 'done'", 0)
    assert soosh.query("SELECT count(*) FROM catalog_opportunity WHERE source = 'k'") == rows
    assert soosh.query("SELECT count(*) FROM profiling_answer") == answered
    assert soosh.query("SELECT count(*) FROM core_outboxevent WHERE name = 'profiling.interview-completed'") == 1
    assert soosh.query("SELECT max(attempts) FROM core_eventdelivery") == 1
    print(f"\n{answered} answers and {rows:,} rows through {answered} kills of Redis and the worker: all done, once")


def wait_for(soosh: RunningSoosh, sql: str, value: int) -> None:
    deadline = time.monotonic() + 300
    while soosh.query(sql) != value:
        assert time.monotonic() < deadline, f"{sql} is {soosh.query(sql)}"
        time.sleep(0.5)
