from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from catalog.enums import OpportunityKind
from catalog.models import Category, Opportunity
from catalog.services.indexing import embed_opportunities, index_opportunities, refresh_statistics

WriteLines = Callable[..., Path]


@pytest.fixture
def write_lines(tmp_path: Path) -> WriteLines:
    def write(rows: Iterable[Any], name: str = "rows.jsonl") -> Path:
        content = b"".join(row if isinstance(row, bytes) else json.dumps(row).encode() + b"\n" for row in rows)
        file = tmp_path / name
        file.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return file

    return write


@pytest.fixture
def category(db: None) -> Category:
    return Category.objects.create(source_id="t:care", slug="care", name="Care", description="Nursing and care.")


@pytest.fixture
def make_opportunity(db: None) -> Callable[..., Opportunity]:
    def make(title: str, description: str = "", **fields: Any) -> Opportunity:
        number = Opportunity.objects.count()
        fields = {"source": "test", "source_id": str(number), "kind": OpportunityKind.JOB} | fields
        return Opportunity.objects.create(title=title, description=description, **fields)

    return make


@pytest.fixture
def index() -> Callable[[], None]:
    """Index and embed everything there is."""

    def run() -> None:
        index_opportunities(list(Opportunity.objects.values_list("id", flat=True)))
        refresh_statistics()
        while embed_opportunities():
            pass

    return run
