"""How often something may be done."""

from __future__ import annotations

from typing import NamedTuple


class Limit(NamedTuple):
    """At most `most` uses in `seconds`. `per` is "network" or "account" (an account and a network together)."""

    per: str
    most: int
    seconds: int
