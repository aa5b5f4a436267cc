"""A real streaming replica: what is read from it, and what happens when it lags or dies."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test.utils import CaptureQueriesContext

from catalog.models import Opportunity
from conftest import Api
from core import replicas
from core.embedded.paths import EmbeddedHome
from core.embedded.services import POSTGRES_BIN_PATH, postgres_account, postgres_command

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]


def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


@pytest.fixture
def replica(tmp_path: Path, db: None, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """A replica of the test's own server, as the alias `replica`."""
    home, account = EmbeddedHome(tmp_path), postgres_account()
    as_account: dict[str, Any] = {"user": account.pw_uid, "group": account.pw_gid} if account else {}
    for folder in (home.postgres_data, home.sockets):
        folder.mkdir(mode=0o700, parents=True)
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
    for folder in (*tmp_path.parents, tmp_path):
        folder.chmod(folder.stat().st_mode | 0o011)
    source = ["-h", settings.DATABASES["default"]["HOST"], "-U", "postgres"]
    copy = [str(POSTGRES_BIN_PATH / "pg_basebackup"), *source, "-D", str(home.postgres_data), "-R", "-X", "stream", "-c", "fast"]
    subprocess.run(copy, check=True, **as_account)
    with open(tmp_path / "replica.log", "wb") as log:
        server = subprocess.Popen(postgres_command(home), stdout=log, stderr=log, cwd=home.postgres_data, **as_account)

    def listens() -> bool:
        try:
            psycopg.connect(host=str(home.sockets), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    until(listens)
    # The runner forbids databases that it did not make itself.
    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", django_db_blocker._real_ensure_connection)
    settings.DATABASES["replica"] = connection.settings_dict | {"HOST": str(home.sockets)}
    until(replicas._is_fresh)
    try:
        yield server
    finally:
        connections["replica"].close()
        del settings.DATABASES["replica"], connections["replica"]
        server.terminate()
        server.wait(20)


def titles_of_strangers() -> tuple[list[str], int]:
    """The titles of the list as strangers see it, and how many statements the replica answered."""
    with CaptureQueriesContext(connections["replica"]) as asked:
        answer = Api().get("opportunities")
    assert answer.status_code == 200, answer.content
    return [row["title"] for row in answer.json()["results"]], len(asked)


def post(title: str) -> None:
    Opportunity.objects.create(source="test", source_id=title, kind="job", title=title)


def test_strangers_read_from_it_while_it_keeps_up(replica: subprocess.Popen[bytes], signed_in: Api) -> None:
    post("one")
    until(lambda: titles_of_strangers() == (["one"], 2))
    with CaptureQueriesContext(connections["replica"]) as asked:
        assert signed_in.get("opportunities").json()["results"][0]["title"] == "one"
    assert len(asked) == 0, "who has signed in finds what they have just written"

    with connections["replica"].cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery()")
        assert cursor.fetchone() == (True,)
        cursor.execute("SELECT pg_wal_replay_pause()")
    post("two")
    written = time.monotonic()
    until(lambda: titles_of_strangers()[0] == ["two", "one"], seconds=5)
    print(f"\nwith a replica that has stopped replaying, strangers saw what was new after {time.monotonic() - written:.2f} s")
    assert titles_of_strangers()[1] == 0

    with connections["replica"].cursor() as cursor:
        cursor.execute("SELECT pg_wal_replay_resume()")
    until(lambda: titles_of_strangers()[1] > 0)


def test_without_it_everything_is_read_from_the_primary(replica: subprocess.Popen[bytes]) -> None:
    post("one")
    until(lambda: titles_of_strangers() == (["one"], 2))
    replica.kill()
    replica.wait(20)
    assert [Api().get("opportunities").status_code for _ in range(3)] == [200] * 3
    assert Api().get("opportunities").json()["results"][0]["title"] == "one"
