from __future__ import annotations

from pathlib import Path

from catalog.models import ImportRun
from catalog.services.importing import import_opportunities, import_taxonomy

REFERENCE = Path(__file__).with_name("reference")


def load() -> list[ImportRun]:
    """The reference catalogue. Safe to run again: what is there already is left alone. Vectors follow from the queue."""
    runs = [import_taxonomy(path=REFERENCE / name) for name in ("categories.jsonl", "skills.jsonl.gz", "occupations.jsonl.gz")]
    return [*runs, import_opportunities(path=REFERENCE / "opportunities.jsonl.gz")]
