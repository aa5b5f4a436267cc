"""The small reference catalogue that comes with the code; catalog/reference/NOTICE.md says where it is from."""

from __future__ import annotations

from pathlib import Path

from catalog.models import ImportRun
from catalog.services.importing import import_opportunities, import_taxonomy

REFERENCE = Path(__file__).resolve().parent.parent / "reference"


def load_occupations() -> ImportRun:
    """The occupations that enrich documents."""
    return import_taxonomy(path=REFERENCE / "occupations.jsonl.gz")


def load_reference_catalogue() -> list[ImportRun]:
    """The whole reference catalogue. Safe to run again: what is there already is left alone. Vectors follow from the queue."""
    terms = [import_taxonomy(path=REFERENCE / name) for name in ("categories.jsonl", "skills.jsonl.gz")]
    return [*terms, load_occupations(), import_opportunities(path=REFERENCE / "opportunities.jsonl.gz")]
