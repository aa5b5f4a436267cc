"""T11: what the database has acknowledged survives its sudden death; and what it has not is there in whole or not at all."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from django.conf import settings
from django.db import connection

from bookings.tests.invariants import OVERLAPS
from core.embedded.paths import EmbeddedHome
from core.embedded.services import POSTGRES_BIN_PATH, heal, postgres_account, postgres_command, prepare

_LINE = 45  # bytes of what a writer says: a word and a key


class MortalDatabase:
    """A PostgreSQL of its own, with the settings of production and the schema of the tests."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.home, self.options = EmbeddedHome(folder), options
        prepare(self.home)
        self.server = self._started()
        with psycopg.connect(host=str(self.home.sockets), user="postgres", dbname="postgres", autocommit=True) as admin:
            admin.execute("CREATE DATABASE soosh")
        known = connection.settings_dict
        there = [f"--host={known['HOST']}", f"--username={known['USER']}"]
        schema = subprocess.run([POSTGRES_BIN_PATH / "pg_dump", *there, "--schema-only", known["NAME"]], check=True, stdout=subprocess.PIPE)
        here = [f"--host={self.home.sockets}", "--username=postgres", "--set=ON_ERROR_STOP=1", "--quiet", "--dbname=soosh"]
        subprocess.run([POSTGRES_BIN_PATH / "psql", *here], check=True, input=schema.stdout, stdout=subprocess.DEVNULL)

    def _started(self) -> psutil.Popen:
        account = postgres_account()
        with open(self.home.logs / "postgres.log", "ab") as log:
            server = psutil.Popen(
                [*postgres_command(self.home), *self.options],
                stdout=log,
                stderr=log,
                env=os.environ | {"SOOSH_SUPERVISED": str(self.home.root)},
                start_new_session=True,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(host=str(self.home.sockets), user="postgres", dbname="postgres").close()
                return server
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self.home.logs / "postgres.log").read_text()[-2_000:]
                time.sleep(0.1)

    def die(self) -> None:
        """Without a last word: first the processes that serve, then the one that watches over them, which cannot see it coming."""
        self.server.send_signal(signal.SIGSTOP)
        for child in self.server.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        self.server.kill()
        self.server.wait()

    def rise(self) -> None:
        heal(self.home)
        self.server = self._started()

    def stop(self) -> None:
        self.server.send_signal(signal.SIGINT)
        self.server.wait(60)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with psycopg.connect(host=str(self.home.sockets), user="postgres", dbname="soosh", autocommit=True) as own:
            return own.execute(sql).fetchall()


class Told:
    """What the writers said: what they were about to do, and what was acknowledged."""

    def __init__(self, lines: list[str]) -> None:
        self.keys: dict[str, set[uuid.UUID]] = defaultdict(set)
        for line in lines:
            word, key = line.split()
            self.keys[word].add(uuid.UUID(key))

    @property
    def number(self) -> int:
        return sum(len(keys) for word, keys in self.keys.items() if word != "releasing")


@pytest.fixture
def database(tmp_path: Path, db: None) -> Iterator[MortalDatabase]:
    database = MortalDatabase(tmp_path / "mortal")
    yield database
    database.stop()


def written(database: MortalDatabase, *, kills: int, seed: int, between: int = 100) -> Told:
    """What eight writers were told, while the database died so many times, with about so many lines between two deaths."""
    chance = random.Random(seed)
    environment = os.environ | {"DATABASE_URL": database.home.database_url, "SOOSH_HOME": str(database.home.root)}
    output = database.home.root / "writers.txt"
    with open(output, "wb") as told:
        command = [sys.executable, "-m", "tests.writers", str(seed)]
        writers = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, stdin=subprocess.PIPE, stdout=told)
    try:
        for _ in range(kills):
            grown_to(output, output.stat().st_size + between * _LINE)
            time.sleep(chance.random() / 2)
            database.die()
            database.rise()
        grown_to(output, output.stat().st_size + between * _LINE)
        assert writers.poll() is None
    finally:
        writers.communicate(timeout=60)
    return Told(output.read_text().splitlines())


def grown_to(file: Path, size: int) -> None:
    deadline = time.monotonic() + 60
    while file.stat().st_size < size:
        assert time.monotonic() < deadline, "the writers write no more"
        time.sleep(0.05)


def check(database: MortalDatabase, told: Told) -> None:
    rows = database.rows("SELECT reference, count(*) FROM mentors_occupiedtime GROUP BY reference")
    assert {number for _, number in rows} == {2}, "a claim is there in part"
    there = {reference for reference, _ in rows}
    assert told.keys["claimed"] - told.keys["releasing"] <= there, "a claim was lost"
    assert not told.keys["released"] & there, "a time that was given back is taken again"
    booked = {cause for (cause,) in database.rows("SELECT cause FROM payments_ledgertransaction")}
    assert told.keys["booked"] <= booked, "money was lost"
    assert database.rows("SELECT transaction_id FROM payments_ledgerentry GROUP BY transaction_id HAVING sum(amount) <> 0") == []
    assert database.rows(OVERLAPS) == [(0,)]
    kept = "SELECT id, free_time, full_until FROM mentors_schedule ORDER BY id"
    before = database.rows(kept)
    keep = "SELECT mentors_keep_free_time(array_agg(user_id), now()) FROM mentors_mentorprofile"
    database.rows(keep)
    assert database.rows(kept) == before, "what is listed as free is not what is free"


def test_nothing_that_was_acknowledged_is_lost(database: MortalDatabase) -> None:
    told = written(database, kills=1, seed=1)
    check(database, told)
    assert min(len(told.keys[word]) for word in ("claimed", "released", "booked")) > 10


@pytest.mark.long
def test_twenty_deaths(database: MortalDatabase) -> None:
    told = written(database, kills=20, seed=2, between=300)
    check(database, told)
    print(f"20 deaths, {told.number} acknowledged: none lost, no overlap, every transaction sums up to zero")
    assert told.number >= 5_000


@pytest.mark.long
def test_a_database_that_promises_too_much_would_be_seen(db: None, tmp_path: Path) -> None:
    """Else this file proves nothing."""
    careless = MortalDatabase(tmp_path / "careless", "-c", "synchronous_commit=off")
    try:
        told = written(careless, kills=5, seed=3)
        with pytest.raises(AssertionError, match=r"was lost|taken again"):
            check(careless, told)
    finally:
        careless.stop()
