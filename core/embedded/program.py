"""`python -m core.embedded.program NAME HOME COMMAND...`: what each supervised program runs through.

It ends what a killed run of the same program left behind, so that two never serve side by side, has the kernel end the program when the
supervisor dies, and then becomes the command.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

from core.embedded.paths import EmbeddedHome
from core.embedded.processes import processes_of, stop

_STOP_SECONDS = 2.0
_WANTED_FILES = 32_768
# linux/prctl.h
_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    name, root, *command = arguments
    home = EmbeddedHome(Path(root))
    supervisor = os.getppid()
    stop(list(processes_of(home, program=name)), seconds=_STOP_SECONDS)
    # A server that was killed could not remove its socket, and the next one would refuse to bind to it.
    for path in {"web": [home.web_socket], "live": [home.live_socket]}.get(name, []):
        path.unlink(missing_ok=True)
    if name == "front":
        # How the processes of nginx are recognised; see `core.embedded.processes`.
        os.chdir(home.front)
    _raise_file_limit()
    _end_with_parent(supervisor)
    os.execvp(command[0], command)


def _raise_file_limit() -> None:
    """Each connection takes a file; many systems start programs with 256 or 1,024 although they allow more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(_WANTED_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _end_with_parent(parent: int) -> None:
    """On Linux the kernel sends SIGTERM when the supervisor is gone, however it ended. Elsewhere the next start ends what is left."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit("The supervisor ended.")


if __name__ == "__main__":
    main(sys.argv[1:])
