"""A worker process of a server must not outlive the server: it would go on answering beside the next one."""

from __future__ import annotations

import multiprocessing
import os
import threading


def exit_with_parent() -> None:
    """End this process as soon as the one that started it through `multiprocessing` has died, even by SIGKILL. Elsewhere do nothing."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, name="exit-with-parent", daemon=True).start()
