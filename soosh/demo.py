from __future__ import annotations

from collections.abc import Callable

import accounts.demo
import catalog.demo
from catalog.models import Category


def load_demo(*, say: Callable[[str], object]) -> bool:
    """Load the reference catalogue and the demo people into an empty installation. Returns whether there was anything to do."""
    accounts.demo.load()
    if Category.objects.exists():
        return False
    for run in catalog.demo.load():
        say(f"  {run.file_name}: {run.added} added, {run.refused} refused")
    return True
