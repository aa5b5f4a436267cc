"""`python -m payments.peer PORT [FILE [WEBHOOK]]`: serve the peer on this machine, keep what happened in FILE, tell WEBHOOK."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from payments.peer import connect, payins  # noqa: F401  (register their routes)
from payments.peer.engine import Peer
from payments.peer.server import PeerServer


def main(arguments: list[str]) -> None:
    port, file, webhook = [*arguments, "", ""][:3]
    server = PeerServer(Peer(Path(file) if file else None), int(port), webhook)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.2)


main(sys.argv[1:])
