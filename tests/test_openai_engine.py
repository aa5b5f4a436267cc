"""The product on the OpenAI engine: real vectors from a real small model on another server, ranked by the product."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import User
from ai.services.text import embedding_model
from catalog.models import Opportunity
from catalog.selectors import search_opportunities
from catalog.services.indexing import embed_opportunities, index_opportunities, refresh_statistics
from tests.servers import embedding_server

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with embedding_server() as url:
        yield url


def test_vectors_of_another_server_rank_and_replace_those_of_the_embedded_model(server: str, settings: Any, user: User) -> None:
    rows = {
        title: Opportunity.objects.create(source="t", source_id=title, kind="job", title=title)
        for title in ("Night nurse", "Welder", "Baker")
    }
    index_opportunities([row.pk for row in rows.values()])
    refresh_statistics()
    assert embed_opportunities() == 3
    settings.AI_EMBEDDING_ENGINE = "openai"
    settings.OPENAI_EMBEDDING_BASE_URL = server
    settings.OPENAI_EMBEDDING_MODEL = "multilingual-e5-small-q4"
    result = search_opportunities(Opportunity.objects.all(), text="jemand, der kranke Menschen pflegt", limit=3)
    assert (result.hits, result.degraded_because) == ([], ""), "vectors of two models are never compared"
    assert embed_opportunities() == 3, "a new model queues every row"
    assert (
        set(Opportunity.objects.values_list("embedding_model", flat=True)) == {embedding_model()} == {"openai/multilingual-e5-small-q4/384"}
    )
    result = search_opportunities(Opportunity.objects.all(), text="jemand, der kranke Menschen pflegt", limit=3)
    assert result.hits[0].title == "Night nurse", "a multilingual model reads German"


def test_a_server_that_is_gone_leaves_words_and_the_queue(settings: Any) -> None:
    settings.AI_EMBEDDING_ENGINE = "openai"
    settings.OPENAI_EMBEDDING_BASE_URL = "http://127.0.0.1:9/v1"
    row = Opportunity.objects.create(source="t", source_id="1", kind="job", title="Night nurse")
    index_opportunities([row.pk])
    assert embed_opportunities() == 0
    result = search_opportunities(Opportunity.objects.all(), text="nurse", limit=3)
    assert ([hit.pk for hit in result.hits], result.degraded_because) == ([row.pk], "failed")
