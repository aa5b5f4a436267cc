"""Entry point of every child process that reads untrusted bytes: set the limits, then run the script.

Called by `core.limited_process` as `python -I limited_child.py LIMITS PARENT SCRIPT [ARGUMENT...]`. Imports nothing of Soosh, so that it
starts in a few hundredths of a second.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import runpy
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(limits: dict[str, int], parent: int) -> None:
    _die_with_parent(parent)
    # A backstop for systems that cannot signal the death of a parent.
    signal.alarm(limits["seconds"])
    for name, value in (
        # Private writable memory; unlike RLIMIT_AS it leaves out mapped libraries, so that it can be tight.
        (resource.RLIMIT_DATA, limits["memory_bytes"]),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(name, (value, value))
    runpy.run_path(sys.argv[0], run_name="__main__")


def _die_with_parent(parent: int) -> None:
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    _limits, _parent = json.loads(sys.argv[1]), int(sys.argv[2])
    sys.argv = sys.argv[3:]
    main(_limits, _parent)
