from __future__ import annotations

import datetime
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connections
from django.utils import timezone

from accounts.models import User
from ai.errors import EngineTimeout
from ai.services.spaces import embedding_model
from catalog import querysets, tasks
from catalog.enums import Leg, OpportunityState
from catalog.lexical import INDEX_DOCUMENTS, dimension_of, read_query
from catalog.models import Category, CorpusStatistics, Occupation, Opportunity, Skill
from catalog.selectors import category_node, category_tree, search_opportunities
from catalog.services import indexing
from catalog.services.indexing import embed_opportunities, embed_query, embed_terms, index_opportunities, refresh_statistics
from core import querysets as vector_querysets
from core.locks import only_here

pytestmark = pytest.mark.django_db
Make = Callable[..., Opportunity]
Index = Callable[[], None]
NOBODY = AnonymousUser()


@pytest.fixture
def jobs(make_opportunity: Make, index: Index) -> dict[str, Opportunity]:
    rows = {
        "nurse": make_opportunity("Night nurse", "Look after patients in a hospital.", location="Oslo"),
        "welder": make_opportunity("Welder", "Join pieces of metal.", is_remote=False),
        "coder": make_opportunity("Django developer", "Build web applications with Python and REST.", is_remote=True, kind="internship"),
        "ada": make_opportunity("Scholarship ADA-2026", "Money for studies."),
    }
    index()
    return rows


def ranked(text: str, *, legs: Any = querysets.BOTH_LEGS, rows: Any = None, limit: int = 10) -> list[Opportunity]:
    vector, model = embed_query(text, purpose="test")
    return (rows if rows is not None else Opportunity.objects.all()).ranked_for(vector, model=model, text=text, limit=limit, legs=legs)


class TestRanking:
    def test_meaning_finds_what_shares_no_word(self, jobs: dict[str, Opportunity]) -> None:
        first = ranked("caring for the sick")[0]
        assert (first, first.matched_by) == (jobs["nurse"], ["vector"])

    def test_words_find_names_that_mean_nothing(self, jobs: dict[str, Opportunity]) -> None:
        first = ranked("ADA-2026")[0]
        assert first == jobs["ada"]
        assert "lexical" in first.matched_by

    def test_scores_are_what_they_say(self, jobs: dict[str, Opportunity]) -> None:
        for hit in ranked("python developer"):
            assert hit.score == pytest.approx(hit.vector_score + querysets.LEXICAL_WEIGHT * hit.lexical_score)
            assert 0 <= hit.lexical_score <= 1
        scores = [hit.score for hit in ranked("python developer")]
        assert scores == sorted(scores, reverse=True)

    def test_a_leg_with_nothing_to_say_does_not_change_the_other(self, jobs: dict[str, Opportunity]) -> None:
        unknown = "caring xqzt"
        hybrid = [hit.pk for hit in ranked(unknown)]
        assert hybrid == [hit.pk for hit in ranked(unknown, legs={Leg.VECTOR})]

    def test_each_leg_alone(self, jobs: dict[str, Opportunity]) -> None:
        assert [hit.matched_by for hit in ranked("python", legs={Leg.LEXICAL})] == [["lexical"]]
        assert all(hit.lexical_score == 0 for hit in ranked("python", legs={Leg.VECTOR}))
        assert len(ranked("python", legs={Leg.VECTOR})) == 4

    def test_without_a_vector_the_words_decide_alone(self, jobs: dict[str, Opportunity]) -> None:
        (hit,) = Opportunity.objects.ranked_for(None, model=embedding_model(), text="metal")
        assert (hit, hit.matched_by) == (jobs["welder"], ["lexical"])
        assert Opportunity.objects.ranked_for(None, model=embedding_model(), text="") == []

    def test_vectors_of_another_model_are_never_compared(self, jobs: dict[str, Opportunity]) -> None:
        vector, _ = embed_query("nurse", purpose="test")
        assert Opportunity.objects.ranked_for(vector, model="another") == []
        (hit,) = Opportunity.objects.ranked_for(vector, model="another", text="nurse")
        assert (hit, hit.vector_score) == (jobs["nurse"], 0)

    def test_filters_and_visibility_hold_in_both_legs(self, jobs: dict[str, Opportunity]) -> None:
        for row in (Opportunity.objects.filter(is_remote=True), Opportunity.objects.filter(kind="internship")):
            assert ranked("nurse hospital", rows=row) == [jobs["coder"]]
        assert ranked("nurse", rows=Opportunity.objects.none()) == []

    @pytest.mark.parametrize("threshold", [0, 5_000])
    def test_never_fewer_than_match(self, make_opportunity: Make, index: Index, monkeypatch: pytest.MonkeyPatch, threshold: int) -> None:
        for number in range(60):
            make_opportunity(f"Job {number}", language="de" if number % 10 == 0 else "en")
        index()
        monkeypatch.setattr(vector_querysets, "EXACT_BELOW_ROWS", threshold)
        for limit in (3, 6, 20):
            assert len(ranked("a job", rows=Opportunity.objects.filter(language="de"), limit=limit)) == min(limit, 6)

    def test_one_statement_fuses_both_legs(self, jobs: dict[str, Opportunity], django_assert_num_queries: Any) -> None:
        vector, model = embed_query("python", purpose="test")
        # The columns of the model, the words, the planner's estimate, the count, the fusion; skills cost nothing where there are none.
        with django_assert_num_queries(5):
            Opportunity.objects.all().ranked_for(vector, model=model, text="python")

    def test_hits_are_whole(self, jobs: dict[str, Opportunity], django_assert_num_queries: Any) -> None:
        category = Category.objects.create(source_id="c", slug="care", name="Care", translations={"no": "Omsorg"})
        Opportunity.objects.filter(pk=jobs["nurse"].pk).update(category=category, tags=["a"], deadline_on="2030-01-31")
        for name in ("wards", "first aid"):
            jobs["nurse"].skills.add(Skill.objects.create(source="t", source_id=name, name=name, keys=[name], translations={"no": "x"}))
        hit, rows = ranked("nurse hospital")[0], Opportunity.objects.for_cards()
        (row,) = rows.filter(pk=hit.pk)
        with django_assert_num_queries(0):
            found = [hit.category, *hit.skills.all()]
        assert [thing.name for thing in found] == ["Care", "first aid", "wards"]
        for one, other in zip([hit, *found], [row, row.category, *row.skills.all()], strict=True):
            plain = [field.attname for field in one._meta.concrete_fields if field.attname not in querysets.INDEX_COLUMNS]
            assert {name: getattr(one, name) for name in plain} == {name: getattr(other, name) for name in plain}
        hit.title = "Night nurse"
        hit.save(update_fields=("title",))
        assert rows.get(pk=hit.pk).title == "Night nurse"

    @pytest.mark.parametrize("text", ["", " ", "'", "\\", "a & | ! b", "\x00", "😀", "the and of", "x" * 30_000, "':* <-> 'a", "%s", "{}"])
    def test_hostile_queries_are_only_text(self, jobs: dict[str, Opportunity], text: str) -> None:
        assert len(ranked(text or "x")) == 4


class TestLexical:
    def test_dimensions_agree_between_database_and_python(self, jobs: dict[str, Opportunity]) -> None:
        row = Opportunity.objects.get(pk=jobs["welder"].pk)
        indices = {index + 1 for index in row.lexical_weights.indices()}
        assert {dimension_of(lexeme) for lexeme in ("welder", "join", "piec", "metal")} == indices
        assert "md5" in INDEX_DOCUMENTS

    def test_rare_words_weigh_more(self, make_opportunity: Make, index: Index) -> None:
        for number in range(20):
            make_opportunity(f"Common word {number}")
        make_opportunity("Rare zither word")
        index()
        first = Opportunity.objects.ranked_for(None, model="", text="common zither")[0]
        assert first.title == "Rare zither word"

    def test_accents_and_word_forms_do_not_matter(self, make_opportunity: Make, index: Index) -> None:
        make_opportunity("Café managers")
        index()
        assert len(Opportunity.objects.ranked_for(None, model="", text="cafe manager")) == 1

    def test_very_common_words_do_not_choose_candidates(
        self, make_opportunity: Make, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_opportunity("common alpha")
        make_opportunity("common beta")
        index()
        monkeypatch.setattr("catalog.lexical._CANDIDATE_ROWS", 1)
        query = read_query("common beta")
        assert query
        assert query.candidates == "'beta'"
        assert read_query("the of") is None

    def test_weights_follow_when_documents_grow(self, make_opportunity: Make, index: Index) -> None:
        make_opportunity("short")
        index()
        before = Opportunity.objects.get().lexical_weights.to_text()
        for _ in range(5):
            make_opportunity("long", "many different words about cooking and baking " * 20)
        index()
        assert CorpusStatistics.objects.get().average_length > 50
        assert Opportunity.objects.order_by("id").first().lexical_weights.to_text() != before


class TestIndexing:
    def test_documents_are_enriched_by_occupation_and_skills(self, make_opportunity: Make) -> None:
        Occupation.objects.create(
            source="t",
            source_id="1",
            title="Registered Nurses",
            alternative_titles=["RN"],
            skill_names=["Therapy"],
            keys=["rn", "registered nurses"],
        )
        by_title, by_alternative, neither = make_opportunity("Registered  nurses"), make_opportunity("RN"), make_opportunity("Florist")
        by_alternative.skills.add(Skill.objects.create(source="t", source_id="1", name="First aid"))
        index_opportunities([by_title.pk, by_alternative.pk, neither.pk])
        rows = Opportunity.objects.order_by("id").values_list("alternative_titles", "skill_terms")
        assert list(rows) == [("RN", "Therapy"), ("RN", "First aid, Therapy"), ("", "")]

    def test_an_edit_while_embedding_is_not_overwritten(self, make_opportunity: Make) -> None:
        row = make_opportunity("Before")
        index_opportunities([row.pk])
        store = indexing._store_vectors

        def edit_first(*arguments: Any) -> None:
            Opportunity.objects.update(content_hash="edited")
            store(*arguments)

        with mock.patch.object(indexing, "_store_vectors", edit_first):
            embed_opportunities()
        assert Opportunity.objects.get().embedding is None

    def test_an_engine_that_is_out_leaves_the_queue_as_it_is(self, make_opportunity: Make, category: Category) -> None:
        Category.objects.update(content_hash="c")
        index_opportunities([make_opportunity("Nurse").pk])
        with mock.patch.object(indexing, "embed", side_effect=EngineTimeout):
            assert (embed_opportunities(), embed_terms()) == (0, 0)
        assert tasks.embed_waiting() == 2
        assert Opportunity.objects.get().embedding is not None
        assert tasks.embed_waiting() == 0

    def test_one_embedding_run_at_a_time(self, make_opportunity: Make) -> None:
        index_opportunities([make_opportunity("Nurse").pk])
        with ThreadPoolExecutor(1) as elsewhere:
            lock = only_here(f"embed opportunities {embedding_model()}")
            elsewhere.submit(lock.__enter__).result()
            assert tasks.embed_waiting() == 0
            elsewhere.submit(connections.close_all).result()
        assert tasks.embed_waiting() == 1

    def test_categories_are_inferred_from_meaning_but_never_over_a_person(
        self, make_opportunity: Make, category: Category, index: Index
    ) -> None:
        Category.objects.update(content_hash="c")
        embed_terms()
        inferred = make_opportunity("Hospital nurse", "Caring for patients")
        stated = make_opportunity("Hospital nurse", is_category_inferred=False)
        index()
        inferred.refresh_from_db()
        stated.refresh_from_db()
        assert (inferred.category, stated.category) == (category, None)

    def test_statistics_of_an_empty_catalogue(self) -> None:
        tasks.refresh_statistics()
        refresh_statistics()
        assert CorpusStatistics.objects.get().documents == 0


class TestVisibility:
    @pytest.mark.parametrize(
        ("fields", "is_open"),
        [
            ({}, True),
            ({"state": OpportunityState.CLOSED}, False),
            ({"state": OpportunityState.RETIRED}, False),
            ({"deadline_on": datetime.timedelta(days=-1)}, False),
            ({"deadline_on": datetime.timedelta()}, True),
            ({"ends_on": datetime.timedelta(days=-1)}, False),
            ({"starts_on": datetime.timedelta(days=-9)}, True),
        ],
    )
    def test_only_what_is_open_is_found_by_anybody_but_staff(
        self, make_opportunity: Make, index: Index, staff: User, user: User, fields: dict[str, Any], is_open: bool
    ) -> None:
        today = timezone.now().date()
        make_opportunity(
            "Nurse", **{name: today + value if isinstance(value, datetime.timedelta) else value for name, value in fields.items()}
        )
        index()
        for viewer in (NOBODY, user):
            rows = Opportunity.objects.visible_to(viewer)
            assert bool(rows) is is_open
            assert bool(search_opportunities(rows, text="nurse", limit=5).hits) is is_open
        assert Opportunity.objects.visible_to(staff).count() == 1


class TestTree:
    def test_counts_take_in_what_is_below_and_only_what_is_seen(self, make_opportunity: Make, category: Category, staff: User) -> None:
        child = Category.objects.create(source_id="t:care/nursing", slug="nursing", name="Nursing", parent=category)
        Category.objects.create(source_id="t:old", slug="old", name="Old", state="retired")
        make_opportunity("A", category=category)
        make_opportunity("B", category=child)
        make_opportunity("C", category=child, state=OpportunityState.CLOSED)
        (root,) = category_tree(NOBODY)
        assert (root.count, root.children[0].count) == (2, 1)
        assert [node.count for node in category_tree(staff)] == [2, 0], "what counts is what is listed, for staff too"
        nursing = category_node(NOBODY, "nursing")
        assert nursing
        assert nursing.name == "Nursing"
        assert category_node(NOBODY, "old") is None
        assert Opportunity.objects.under([category.pk]).count() == 3


def test_search_says_when_meaning_was_left_out(jobs: dict[str, Opportunity]) -> None:
    with mock.patch("catalog.selectors.embed_query", side_effect=EngineTimeout):
        result = search_opportunities(Opportunity.objects.all(), text="metal", limit=5)
    assert (result.degraded_because, [hit.pk for hit in result.hits]) == ("timeout", [jobs["welder"].pk])
