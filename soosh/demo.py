from __future__ import annotations

from collections.abc import Callable

import accounts.demo
import catalog.demo
import mentors.demo


def load_demo(*, say: Callable[[str], object]) -> bool:
    """Load the demo people and the reference catalogue. Returns whether the catalogue was new."""
    accounts.demo.load()
    is_new = catalog.demo.load(say=say)
    mentors.demo.load(email=accounts.demo.DEMO_MENTOR)
    return is_new
