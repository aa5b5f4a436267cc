from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.embedded.paths import EmbeddedHome
from core.embedded.services import ServicesAlreadyRunning, _alone_in, heal, main
from core.embedded.supervision import WebServers, configuration, web_configuration

SERVERS = WebServers(workers=1, threads=8, autostart=False)


@pytest.fixture
def home(tmp_path: Path) -> EmbeddedHome:
    home = EmbeddedHome(tmp_path / "home")
    home.sockets.mkdir(parents=True, exist_ok=True)
    home.postgres_data.mkdir(parents=True)
    return home


def test_the_home_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOOSH_HOME", str(tmp_path / "elsewhere"))
    assert EmbeddedHome.from_environment(Path("/checkout")).root == tmp_path / "elsewhere"
    monkeypatch.delenv("SOOSH_HOME")
    assert EmbeddedHome.from_environment(Path("/checkout")).root == Path("/checkout/.soosh")


def test_sockets_of_a_deep_home_move_to_a_short_path() -> None:
    deep = EmbeddedHome(Path("/" + "d" * 120))
    assert len(str(deep.sockets)) < 80
    assert deep.sockets == EmbeddedHome(Path("/" + "d" * 120)).sockets != EmbeddedHome(Path("/" + "e" * 120)).sockets


Orphans = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def orphan() -> Iterator[Orphans]:
    """Starts processes that belong to a home, as a killed supervisor leaves them."""
    started: list[subprocess.Popen[bytes]] = []

    def start(home: EmbeddedHome, *arguments: str) -> subprocess.Popen[bytes]:
        script = "import time; print(flush=True); time.sleep(600)"
        environment = os.environ | {"SOOSH_SUPERVISED": str(home.root)}
        process = subprocess.Popen([sys.executable, "-c", script, *arguments], env=environment, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout
        process.stdout.readline()
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_healing_ends_orphans_and_removes_their_locks(home: EmbeddedHome, orphan: Orphans) -> None:
    process = orphan(home)
    locks = [home.postgres_data / "postmaster.pid", home.sockets / ".s.PGSQL.5432.lock", home.redis_socket]
    for lock in locks:
        lock.write_text(str(process.pid))
    heal(home)
    assert process.poll() is not None
    assert not any(lock.exists() for lock in locks)


def test_healing_leaves_other_homes_alone(home: EmbeddedHome, orphan: Orphans, tmp_path: Path) -> None:
    process = orphan(EmbeddedHome(tmp_path / "other"))
    heal(home)
    assert process.poll() is None


def test_a_live_supervisor_is_never_robbed(home: EmbeddedHome, orphan: Orphans) -> None:
    process = orphan(home, "supervisord")
    lock = home.postgres_data / "postmaster.pid"
    lock.write_text("1")
    with pytest.raises(ServicesAlreadyRunning):
        heal(home)
    assert (lock.exists(), process.poll()) == (True, None)


def test_two_runs_do_not_share_a_home(home: EmbeddedHome, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    with _alone_in(home):
        assert main([str(home.root), "true"]) == 1
    assert "Another run uses" in capsys.readouterr().err


def test_the_supervisor_runs_embedded_services_only_where_they_are_wanted(home: EmbeddedHome) -> None:
    whole = configuration(home, checkout=Path("/checkout"), servers=SERVERS, embedded=True)
    assert all(f"[program:{name}]" in whole for name in ("postgres", "redis", "launch", "web", "live", "front", "worker", "beat"))
    outside = configuration(home, checkout=Path("/checkout"), servers=SERVERS, embedded=False)
    assert "[program:postgres]" not in outside
    assert "[program:web]" in outside
    web = web_configuration(home, checkout=Path("/checkout"), servers=SERVERS)
    assert re.findall(r"\[program:(\w+)\]", web) == ["web", "live", "front"]


def test_the_wrapper_needs_a_home_and_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 2
    assert "usage" in capsys.readouterr().err


def test_services_that_the_environment_names_are_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://somewhere/else")
    monkeypatch.setenv("REDIS_URL", "redis://somewhere/0")
    assert main([str(tmp_path / "unused"), sys.executable, "-c", "raise SystemExit(7)"]) == 7
    assert not (tmp_path / "unused").exists()
