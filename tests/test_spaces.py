from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from accounts.models import User
from ai.errors import EngineTimeout, SpaceBusy, SpaceIncomplete, SpaceMissing
from ai.services import spaces
from ai.services.text import embed
from catalog import tasks
from catalog.models import Opportunity, Skill
from catalog.selectors import search_opportunities
from catalog.services import indexing
from catalog.services.indexing import embed_opportunities, embed_terms, index_opportunities, refresh_statistics
from core.models import EmbeddingSpace
from core.querysets import columns_of, columns_to_write
from core.vectors import Column, SpaceState
from profiling.enums import ClaimKind
from profiling.models import Claim, Profile
from profiling.services.profile import edit_profile
from profiling.services.recommending import recommend_opportunities
from tests.openai_peer import Server, openai_peer

pytestmark = pytest.mark.django_db
OLD, NEW = "all-MiniLM-L6-v2-onnx-int8", "openai/new/384"


@pytest.fixture(scope="module")
def peer() -> Iterator[Server]:
    with openai_peer() as server:
        yield server


@pytest.fixture
def catalogue(user: User, settings: Any, peer: Server) -> list[Opportunity]:
    """A small catalogue with a profile, embedded by the old model; the settings ask for the new one."""
    for name, others in (("Nursing", ["caring for the sick"]), ("Welding", ["joining metal"]), ("Baking", ["making bread"])):
        Skill.objects.create(source="t", source_id=name, name=name, alternative_names=others, keys=[name.lower()], content_hash=name)
    rows = [
        Opportunity.objects.create(source="t", source_id=title, kind="job", title=title) for title in ("Night nurse", "Welder", "Baker")
    ]
    index_opportunities([row.pk for row in rows])
    refresh_statistics()
    assert embed_terms() == 3 and embed_opportunities() == 3
    edit_profile(user=user, labels={ClaimKind.SKILL: ["Looking after sick people"]})
    settings.AI_EMBEDDING_ENGINE = "openai"
    settings.OPENAI_EMBEDDING_MODEL = "new"
    settings.OPENAI_EMBEDDING_BASE_URL, settings.OPENAI_API_KEY = peer.url, "test"
    return rows


def best(text: str = "look after patients") -> str:
    return search_opportunities(Opportunity.objects.all(), text=text, limit=3).hits[0].title


def reembed(**options: Any) -> str:
    out = io.StringIO()
    call_command("reembed", stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


class TestChange:
    def test_the_whole_life_of_a_change(self, catalogue: list[Opportunity], user: User) -> None:
        assert spaces.embedding_model() == OLD and best() == "Night nurse"
        said = reembed()
        assert "overlap of the first ten 1.000, nDCG@10 1.0000 before, 1.0000 after" in said
        assert spaces.embedding_model() == NEW and best() == "Night nurse"
        assert Opportunity.objects.embedded_with(NEW).count() == Opportunity.objects.embedded_with(OLD).count() == 3
        assert [row.fields["title"] for row in recommend_opportunities(user=user, limit=1).recommendations] == ["Night nurse"]
        assert Profile.objects.get().twin_embedding_model == Claim.objects.get().twin_embedding_model == NEW
        assert reembed(roll_back=True) == f"In force again: {OLD}\n"
        assert best() == "Night nurse"
        assert "9 vectors removed" not in reembed(roll_back=True)
        assert f"{OLD} given up" in reembed(clean_up=True)
        assert spaces.live_models() == [NEW] and best() == "Night nurse"
        assert not Opportunity.objects.exclude(embedding_model="").exists()
        assert not Claim.objects.exclude(embedding_model="").exists()

    def test_back_into_the_first_column(self, catalogue: list[Opportunity], settings: Any) -> None:
        reembed()
        reembed(clean_up=True)
        settings.AI_EMBEDDING_ENGINE = "embedded"
        reembed()
        assert columns_of(OLD).vector == "embedding" and best() == "Night nurse"

    def test_vectors_of_two_models_never_meet(self, catalogue: list[Opportunity]) -> None:
        spaces.begin_space(model=NEW)
        old, new = (embed(texts=["look after patients"], purpose="test", model=model).vectors[0] for model in (OLD, NEW))
        assert len(Opportunity.objects.nearest(old, model=OLD, limit=9)) == 3
        assert Opportunity.objects.nearest(new, model=NEW, limit=9) == [], "nothing is filled in yet, and nothing else is taken"
        embed_opportunities(limit=1, model=NEW)
        assert len(Opportunity.objects.nearest(new, model=NEW, limit=9)) == 1
        assert best() == "Night nurse"

    def test_while_it_is_filled_new_rows_are_written_for_both(self, catalogue: list[Opportunity]) -> None:
        reembed(no_switch=True)
        row = Opportunity.objects.create(source="t", source_id="x", kind="job", title="Midwife")
        index_opportunities([row.pk])
        assert spaces.missing_rows(model=NEW) == {"categories": 0, "skills": 0, "opportunities": 0, "profiles": 0, "mentors": 0}
        assert tasks.embed_waiting() == 2
        row.refresh_from_db()
        assert (row.embedding_model, row.twin_embedding_model) == (OLD, NEW)
        spaces.switch_space()
        assert best("helps at births") == "Midwife"

    def test_a_changed_row_keeps_the_switch_waiting(self, catalogue: list[Opportunity]) -> None:
        reembed(no_switch=True)
        Opportunity.objects.filter(title="Welder").update(content_hash="new", embedded_hash="new")
        with pytest.raises(SpaceIncomplete):
            spaces.switch_space()
        assert spaces.embedding_model() == OLD

    def test_broken_off_it_goes_on(self, catalogue: list[Opportunity]) -> None:
        with mock.patch.object(indexing, "_store_vectors", side_effect=RuntimeError("killed")), pytest.raises(RuntimeError):
            reembed()
        assert spaces.embedding_model() == OLD and best() == "Night nurse"
        reembed()
        assert spaces.embedding_model() == NEW

    def test_a_loss_is_not_switched_to(self, catalogue: list[Opportunity]) -> None:
        worse = spaces.Comparison("x", 1, 0.1, 0.9, 0.5)
        with mock.patch.object(spaces, "compare_spaces", return_value=[worse]), pytest.raises(CommandError, match=r"falls by 0\.4000"):
            reembed()
        assert spaces.embedding_model() == OLD
        with mock.patch.object(spaces, "compare_spaces", return_value=[worse]):
            reembed(most_loss=0.5)
        assert spaces.embedding_model() == NEW

    def test_an_engine_that_is_out_is_named_and_nothing_changes(self, catalogue: list[Opportunity], settings: Any) -> None:
        settings.OPENAI_EMBEDDING_BASE_URL = "http://127.0.0.1:9/v1"
        with mock.patch("ai.management.commands.reembed._PATIENCE_SECONDS", 0), pytest.raises(CommandError, match="Run this again"):
            reembed()
        assert spaces.embedding_model() == OLD and best() == "Night nurse"

    def test_dry_run_tells_the_cost_and_does_nothing(self, catalogue: list[Opportunity]) -> None:
        said = reembed(dry_run=True, price=1000.0)
        assert "about" in said and "tokens" in said and "at most" in said
        assert spaces.live_models() == [OLD]

    def test_what_is_in_force_needs_no_change(self, catalogue: list[Opportunity], settings: Any) -> None:
        settings.AI_EMBEDDING_ENGINE = "embedded"
        assert "Nothing to do" in reembed()

    def test_two_changes_at_once_are_refused(self, catalogue: list[Opportunity]) -> None:
        spaces.begin_space(model=NEW)
        assert spaces.begin_space(model=NEW).state == SpaceState.FILLING
        with pytest.raises(SpaceBusy):
            spaces.begin_space(model="openai/other/384")
        with pytest.raises(SpaceBusy):
            spaces.begin_space(model=OLD)
        with pytest.raises(CommandError, match="Clean it up first"):
            reembed(model="openai/other/384")

    def test_a_change_that_was_taken_back_can_be_made_again(self, catalogue: list[Opportunity]) -> None:
        reembed()
        reembed(roll_back=True)
        reembed()
        assert spaces.embedding_model() == NEW

    def test_without_another_space_there_is_no_way_back(self, catalogue: list[Opportunity]) -> None:
        for act in (spaces.roll_back, spaces.switch_space):
            with pytest.raises(SpaceMissing):
                act()
        assert "No other model given up, 0 vectors removed" in reembed(clean_up=True)


class TestRules:
    def test_a_writer_of_a_space_that_was_given_up_stores_nothing(self, catalogue: list[Opportunity]) -> None:
        spaces.begin_space(model=NEW)

        def give_up_first(**arguments: Any) -> Any:
            found = embed(**arguments)
            spaces.drop_space()
            return found

        with mock.patch.object(indexing, "embed", side_effect=give_up_first):
            assert embed_opportunities(model=NEW) == 0
        assert set(Opportunity.objects.values_list("embedding_model", "twin_embedding_model")) == {(OLD, "")}
        with transaction.atomic():
            assert columns_to_write(NEW) is None

    def test_one_space_is_in_force_and_each_has_its_column(self) -> None:
        spaces.embedding_model()
        for fields in ({"column": Column.SECOND, "state": SpaceState.IN_FORCE}, {"column": Column.FIRST, "state": SpaceState.FILLING}):
            with pytest.raises(IntegrityError), transaction.atomic():
                EmbeddingSpace.objects.create(model="x", **fields)

    def test_a_queue_is_worked_off_by_one_at_a_time(self, catalogue: list[Opportunity]) -> None:
        with mock.patch.object(spaces, "only_here") as lock:
            lock.return_value.__enter__.return_value = False
            assert spaces.fill_some(name="opportunities", model=OLD, limit=5) == 0

    def test_without_an_engine_the_search_is_by_words(self, catalogue: list[Opportunity]) -> None:
        reembed()
        with mock.patch("catalog.selectors.embed_query", side_effect=EngineTimeout):
            assert best("welder") == "Welder"
