"""The product on the OpenAI engine: real vectors from a real small model on another server, ranked by the product."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import User
from ai.services.spaces import embedding_model
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
    assert embedding_model() == "all-MiniLM-L6-v2-onnx-int8", "the settings wish, the filled space serves"
    call_command("reembed", stdout=io.StringIO(), most_loss=1.0)
    assert embedding_model() == "openai/multilingual-e5-small-q4/384"
    assert Opportunity.objects.embedded_with(embedding_model()).count() == 3
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
