"""Django's PostgreSQL, with a check of kept connections that costs no round trip."""

from __future__ import annotations

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Whether the server still listens, asked before the first statement of a request. A server that hangs up can be read from: only
        then it is worth asking it, which Django would do every time."""
        if self.connection is None or self.connection.closed:
            return False
        idle = select.poll()
        idle.register(self.connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
        return not idle.poll(0) or super().is_usable()
