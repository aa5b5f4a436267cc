from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from core.errors import Overloaded
from core.limited_process import Lane, Limits, ProcessFailed

ROOT = Path(__file__).resolve().parents[2]
WriteScript = Callable[[str], Path]


@pytest.fixture
def write_script(tmp_path: Path) -> WriteScript:
    def write(code: str) -> Path:
        file = tmp_path / "script.py"
        file.write_text(textwrap.dedent(code))
        return file

    return write


def lane(name: str = "test", *, waiting: int = 0, wait_seconds: float = 10, seconds: int = 10, cpu_seconds: int = 5) -> Lane:
    limits = Limits(memory_bytes=100_000_000, cpu_seconds=cpu_seconds, seconds=seconds)
    return Lane(f"{name}-{os.getpid()}", limits, waiting=waiting, wait_seconds=wait_seconds)


def test_gives_the_script_its_arguments_and_content(write_script: WriteScript) -> None:
    script = write_script("import sys; sys.stdout.buffer.write(sys.argv[1].encode() + sys.stdin.buffer.read()[::-1])")
    assert lane().run(script, "a", content=b"\x00bc") == b"acb\x00"


def test_a_child_has_no_secrets_and_writes_no_files(write_script: WriteScript, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "CANARY")
    assert b"CANARY" not in lane().run(write_script("import os; print(os.environ)"), content=b"")
    with pytest.raises(ProcessFailed):
        lane().run(write_script(f"open({str(tmp_path / 'out')!r}, 'w').write('x' * 10_000)"), content=b"")
    assert not (tmp_path / "out").exists() or (tmp_path / "out").stat().st_size == 0


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("bytearray(200_000_000)", 1),
        ("while True: pass", -signal.SIGXCPU),
        ("import time; time.sleep(60)", -signal.SIGKILL),
        ("import os; os.abort()", -signal.SIGABRT),
        ("import sys; sys.exit(7)", 7),
    ],
    ids=["memory", "processor time", "time", "a crash", "its own status"],
)
def test_every_limit_ends_the_child_alone(write_script: WriteScript, code: str, status: int) -> None:
    started = time.monotonic()
    with pytest.raises(ProcessFailed) as failure:
        lane(seconds=2, cpu_seconds=1).run(write_script(code), content=b"x" * 1_000_000)
    # The clock may be first where the machine is busy.
    assert failure.value.status in {status, -signal.SIGKILL, -signal.SIGALRM}
    assert time.monotonic() - started < 10


def test_one_runs_at_a_time_and_the_queue_is_bounded(write_script: WriteScript) -> None:
    script = write_script("import time; print(time.monotonic(), flush=True); time.sleep(0.3); print(time.monotonic())")
    shared = lane(waiting=2)
    refused = 0

    def run() -> tuple[float, float] | None:
        nonlocal refused
        barrier.wait()
        try:
            begin, end = shared.run(script, content=b"").split()
        except Overloaded as error:
            refused += 1
            assert (error.status, error.retry_after_seconds > 0) == (503, True)
            return None
        return float(begin), float(end)

    barrier = threading.Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        times = sorted(filter(None, pool.map(lambda _: run(), range(8))))
    assert (len(times), refused) == (3, 5)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(times))


def test_the_turn_is_shared_with_other_processes_and_waiting_ends(write_script: WriteScript) -> None:
    script = write_script("import time; time.sleep(2)")
    other_process = lane()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(other_process.run, script, content=b"")
        time.sleep(0.5)
        with pytest.raises(Overloaded):
            lane(wait_seconds=0.1).run(script, content=b"")
        running.result()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems cannot signal the death of a parent; there the clock ends the child")
def test_a_child_dies_with_its_parent(write_script: WriteScript, tmp_path: Path) -> None:
    script = write_script("import os, sys, time; print(os.getpid(), file=sys.stderr, flush=True); time.sleep(60)")
    parent = f"""
        import os, sys, json, subprocess
        child = subprocess.Popen([sys.executable, "-I", "core/limited_child.py",
            json.dumps(dict(memory_bytes=10**8, cpu_seconds=60, seconds=60)), str(os.getpid()), {str(script)!r}])
        child.wait()
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(parent)], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        child = psutil.Process(int(process.stderr.readline()))
        process.kill()
        process.wait()
        child.wait(10)
    assert not child.is_running()


def test_nothing_is_left_in_the_temporary_folder(write_script: WriteScript) -> None:
    name = "left"
    with pytest.raises(ProcessFailed):
        lane(name, seconds=1).run(write_script("import time; time.sleep(9)"), content=b"")
    left = list(Path(tempfile.gettempdir()).glob(f"soosh-*-{name}-{os.getpid()}*"))
    assert [(file.suffix, file.stat().st_size) for file in left] == [(".lock", 0)]
    left[0].unlink()
