from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from catalog.models import Occupation, Opportunity
from catalog.services.generation import SOURCE
from tests.retrieval import measure_retrieval


@pytest.mark.django_db(transaction=True)
def test_generated_rows_are_whole_repeatable_and_measurable() -> None:
    for number, title in enumerate(("Nurse", "Welder", "Teacher", "Baker", "Pilot", "Lawyer")):
        Occupation.objects.create(source="t", source_id=str(number), title=title, keys=[title.lower()], skill_names=["Patience"])
    Opportunity.objects.create(source="real", source_id="1", kind="job", title="Stays")
    for _ in range(2):
        call_command("generate_opportunities", count=1_200, seed=1, stdout=StringIO(), stderr=StringIO())
    rows = Opportunity.objects.filter(source=SOURCE)
    assert rows.count() == 1_200
    assert not rows.waiting_for("all-MiniLM-L6-v2-onnx-int8").exists()
    assert 80 < rows.filter(language="de").count() < 160
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE indexname = 'opportunity_nearest'")
        assert cursor.fetchone() == (1,)
    found = {measurement.filter: measurement for measurement in measure_retrieval(queries=5)}
    assert set(found) == {"none", "language=de", "language=fr", "language=sw"}
    assert all((measurement.recall, measurement.shortfalls) == (1.0, 0) for measurement in found.values())
    assert Opportunity.objects.filter(source="real").exists()
