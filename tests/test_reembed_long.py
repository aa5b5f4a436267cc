"""A change of the embedding model on 20,000 rows of a running Soosh, under load, with its workers killed."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.running import ROOT, RunningSoosh, free_port

pytestmark = pytest.mark.long
ROWS = 20_000
NEW = "openai/turned/384"
_WORK = ("nurse", "welder", "baker", "gardener", "teacher", "driver", "clerk", "cook", "painter", "farmer", "tailor", "guard", "programmer")
_FIELDS = (
    "night",
    "ship",
    "bread",
    "school",
    "village",
    "hospital",
    "factory",
    "market",
    "forest",
    "harbour",
    "museum",
    "railway",
    "garden",
)
_MANNERS = ("patient", "quick", "careful", "young", "skilled", "friendly", "quiet", "strong", "creative", "reliable", "bold", "wise")
QUESTIONS = ("somebody who looks after the sick", "joining metal parts", "making bread", "working with plants", "teaching children")


@contextmanager
def fake_openai() -> Iterator[str]:
    """The fake of the vendor's API in a process of its own. Its vectors rank like those of the embedded model and mix with none."""
    port = free_port()
    environment = {"DJANGO_SETTINGS_MODULE": "soosh.settings", "DEBUG": "on"}
    server = subprocess.Popen([sys.executable, "-m", "tests.openai_peer", str(port)], cwd=ROOT, env=dict(os.environ) | environment)
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.kill()
        server.wait()


class Readers:
    """People who search all the time, and compare what they get with what they got at first."""

    def __init__(self, soosh: RunningSoosh) -> None:
        self._soosh = soosh
        self.expected = {question: self._ask(question) for question in QUESTIONS}
        self.overlaps: list[float] = []
        self.seconds: list[float] = []
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._read, args=(number,)) for number in range(2)]

    def _ask(self, question: str) -> list[str]:
        # Words that no row has, so that meaning alone decides.
        found = self._soosh.call("GET", f"opportunities/search?{urllib.parse.urlencode({'q': question, 'page_size': 10})}")
        assert not found.get("degraded_because"), found
        return [row["title"] for row in found["results"]]

    def _read(self, number: int) -> None:
        chance = random.Random(number)
        while not self._stop.is_set():
            question, started = chance.choice(QUESTIONS), time.monotonic()
            try:
                titles = self._ask(question)
            except (OSError, AssertionError, urllib.error.HTTPError) as error:
                self.failures.append(repr(error))
                continue
            self.seconds.append(time.monotonic() - started)
            self.overlaps.append(len(set(titles) & set(self.expected[question])) / len(self.expected[question]))
            time.sleep(0.05)

    def __enter__(self) -> Readers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_the_model_changes_under_load_with_the_worker_killed_twice(tmp_path: Path) -> None:
    with fake_openai() as url:
        soosh = RunningSoosh(
            tmp_path / "home",
            OPENAI_API_KEY="none",
            OPENAI_EMBEDDING_BASE_URL=url,
            OPENAI_EMBEDDING_MODEL="turned",
            AI_TIMEOUT_SECONDS="30",
            AI_TOKENS_PER_DAY="1000000000",
        )
        try:
            _change(soosh, tmp_path)
        finally:
            soosh.stop()


def _change(soosh: RunningSoosh, tmp_path: Path) -> None:
    soosh.start()
    started = time.monotonic()
    _import(soosh, tmp_path, "first", 0, ROWS)
    _wait(soosh, "SELECT count(*) FROM catalog_opportunity WHERE embedded_hash <> content_hash", 0)
    print(f"\n{ROWS:,} rows embedded at first in {time.monotonic() - started:.0f} s")
    with Readers(soosh) as readers:
        seconds = _reembed_through_kills(soosh, tmp_path)
        model = soosh.query("SELECT model FROM core_embeddingspace WHERE state = 'in_force'")
        time.sleep(10)
        reads_until = len(readers.overlaps)
        back = soosh.manage("reembed", "--roll-back")
        back.communicate(timeout=60)
        assert back.returncode == 0
        time.sleep(5)
    assert (model, readers.failures) == (NEW, [])
    assert min(readers.overlaps) >= 0.8, sorted(readers.overlaps)[:20]
    print(
        f"filled in and switched in {seconds:.0f} s under load; {len(readers.overlaps)} reads ({reads_until} before the way back), 0 failed; "
        f"overlap with the first answers: least {min(readers.overlaps):.2f}, mean {statistics.fmean(readers.overlaps):.4f}; "
        f"p50 {statistics.median(readers.seconds) * 1000:.0f} ms, p95 {statistics.quantiles(readers.seconds, n=20)[18] * 1000:.0f} ms"
    )
    doubled = soosh.rows("SELECT embedding_model, twin_embedding_model, count(*) FROM catalog_opportunity GROUP BY 1, 2")
    assert len(doubled) == 1 and doubled[0][1] == NEW, doubled


def _reembed_through_kills(soosh: RunningSoosh, tmp_path: Path) -> float:
    started = time.monotonic()
    filling = soosh.manage("reembed", "--model", NEW)
    filled = "SELECT count(*) FROM catalog_opportunity WHERE twin_embedding_model <> ''"
    _wait_for_more(soosh, filled, ROWS // 5)
    _kill_workers(soosh)
    writing = threading.Thread(target=_import, args=(soosh, tmp_path, "second", ROWS, 300))
    writing.start()
    _wait_for_more(soosh, filled, ROWS // 2)
    _kill_workers(soosh)
    filling.send_signal(signal.SIGKILL)
    filling.communicate()
    done = soosh.query(filled)
    writing.join()
    again = soosh.manage("reembed", "--model", NEW)
    output, errors = again.communicate(timeout=900)
    assert again.returncode == 0, errors[-3000:]
    print(f"workers killed twice, the command once after {done:,} rows; it went on:\n{output.strip()}")
    return time.monotonic() - started


def _kill_workers(soosh: RunningSoosh) -> None:
    for process in soosh.processes("celery"):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def _import(soosh: RunningSoosh, folder: Path, name: str, start: int, count: int) -> None:
    chance = random.Random(start)
    records = [
        {
            "id": f"{name}:{number}",
            "source": name,
            "kind": "job",
            "title": f"{chance.choice(_MANNERS)} {chance.choice(_WORK)} in the {chance.choice(_FIELDS)} number {number}",
        }
        for number in range(start, start + count)
    ]
    file = folder / f"{name}.jsonl.gz"
    file.write_bytes(gzip.compress(b"".join(json.dumps(record).encode() + b"\n" for record in records)))
    importing = soosh.manage("import_opportunities", str(file))
    output, errors = importing.communicate(timeout=600)
    assert f"{count} added" in output, errors[-2000:]


def _wait(soosh: RunningSoosh, sql: str, value: int) -> None:
    deadline = time.monotonic() + 900
    while soosh.query(sql) != value:
        assert time.monotonic() < deadline, f"{sql} is {soosh.query(sql)}"
        time.sleep(1)


def _wait_for_more(soosh: RunningSoosh, sql: str, value: int) -> None:
    deadline = time.monotonic() + 900
    while soosh.query(sql) < value:
        assert time.monotonic() < deadline, f"{sql} is {soosh.query(sql)}"
        time.sleep(0.5)
