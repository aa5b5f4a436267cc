from __future__ import annotations

from collections.abc import Callable

from catalog.models import Category
from catalog.services.reference import load_reference_catalogue


def load(*, say: Callable[[str], object]) -> bool:
    """Load the reference catalogue into an empty installation. Returns whether there was anything to do."""
    if Category.objects.exists():
        return False
    for run in load_reference_catalogue():
        say(f"  {run.file_name}: {run.added} added, {run.refused} refused")
    return True
