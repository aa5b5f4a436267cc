"""Retrieval on 100,000 opportunities beside the exact scan, at selectivities of 100, 10, 1 and 0.1 percent."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from catalog.services.reference import load_reference_catalogue
from tests.retrieval import measure_retrieval


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_recall_holds_at_every_selectivity_and_no_answer_is_short() -> None:
    load_reference_catalogue()
    call_command("generate_opportunities", count=100_000)
    print()
    for found in measure_retrieval():
        print(found)
        assert found.recall >= 0.97
        assert found.shortfalls == 0
