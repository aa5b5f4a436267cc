from __future__ import annotations

from typing import NamedTuple


class Limit(NamedTuple):
    """At most `most` uses in `seconds`, counted per network, or per account."""

    per: str
    most: int
    seconds: int
