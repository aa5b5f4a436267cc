"""The processes of one data folder (`SOOSH_HOME`): finding those a killed parent left behind, ending them, and who listens on a port."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import psutil

from core.embedded.paths import EmbeddedHome

HOME_VARIABLE = "SOOSH_SUPERVISED"
PROGRAM_VARIABLE = "SOOSH_PROGRAM"


def processes_of(home: EmbeddedHome, *, program: str = "") -> Iterator[psutil.Process]:
    """Live processes of this home, of one `program` if it is given. This process and its parents are left out.

    A process is known by the environment that its supervisor gave it. PostgreSQL drops that, and nginx writes its title over it: they are
    known by their name and the folder they stand in.
    """
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        if process.pid not in own and _belongs(process, home, program):
            yield process


def _belongs(process: psutil.Process, home: EmbeddedHome, program: str) -> bool:
    folders = {"postgres": ("postgres", home.postgres_data), "nginx": ("front", home.front)}
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if process.name() in folders:
            runs, folder = folders[process.name()]
            return program in ("", runs) and process.cwd() == str(folder)
        variables = process.environ()
        return variables.get(HOME_VARIABLE) == str(home.root) and program in ("", variables.get(PROGRAM_VARIABLE))
    except (psutil.Error, OSError):
        return False


def stop(processes: list[psutil.Process], *, seconds: float) -> None:
    """Ask each process to end, and kill what still lives after `seconds`."""
    for process in processes:
        # SIGINT is PostgreSQL's fast shutdown; the others end on SIGTERM.
        _signal(process, signal.SIGINT if "postgres" in _name(process) else signal.SIGTERM)
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    for process in alive:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=seconds)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return ""


def listener_on(port: int) -> str:
    """Who listens on a TCP port of this machine, as "process 123 (nginx)"; empty if nobody does. Processes of other people have no name."""
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr[1] == port:
            return f"process {connection.pid} ({_name(psutil.Process(connection.pid))})" if connection.pid else "a process of somebody else"
    return ""
