from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.models import Category, Opportunity, Skill
from catalog.services.indexing import embed_opportunities
from conftest import Api

pytestmark = pytest.mark.django_db
Make = Callable[..., Opportunity]
NEW = {"kind": "job", "title": "Night nurse", "description": "Look after patients.", "remote": False, "deadline": "2030-01-31"}


class TestReading:
    def test_lists_newest_first_in_cursor_pages(self, api: Api, make_opportunity: Make) -> None:
        rows = [make_opportunity(f"Job {number}") for number in range(5)]
        first = api.get("opportunities?page_size=2").json()
        assert [row["title"] for row in first["results"]] == ["Job 4", "Job 3"]
        assert first["previous"] is None
        second = api.get(first["next"].removeprefix("http://testserver")).json()
        assert [row["title"] for row in second["results"]] == ["Job 2", "Job 1"]
        assert len(rows) == 5
        assert len(api.get("opportunities?page_size=100").json()["results"]) == 5
        assert api.get("opportunities?page_size=101").status_code == 400

    def test_filters(self, api: Api, make_opportunity: Make, category: Category) -> None:
        below = Category.objects.create(source_id="t:care/n", slug="nursing", name="Nursing", parent=category)
        make_opportunity("Nurse", location="Oslo, Norway", is_remote=False, category=below, deadline_on="2030-01-01", language="no")
        make_opportunity("Course", kind="course", is_remote=True, deadline_on="2031-01-01", language="en")
        from catalog.services.indexing import index_opportunities

        index_opportunities(list(Opportunity.objects.values_list("id", flat=True)))

        def titles(query: str) -> list[str]:
            return sorted(row["title"] for row in api.get(f"opportunities?{query}").json()["results"])

        for query in (
            "kind=job",
            "category=care",
            "category=nursing",
            "location=oslo",
            "remote=false",
            "deadline_before=2030-06-01",
            "q=nurses",
            "language=no",
        ):
            assert titles(query) == ["Nurse"], query
        assert titles("kind=job&kind=course") == ["Course", "Nurse"]
        assert titles("q=nurse+-oslo&remote=true") == []

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("kind=party", "kind"),
            ("category=none", "category"),
            ("deadline_before=soon", "deadline_before"),
            ("location=" + "x" * 101, "location"),
            ("cursor=garbage", "cursor"),
        ],
    )
    def test_bad_filters_name_the_field(self, api: Api, query: str, field: str) -> None:
        response = api.get(f"opportunities?{query}")
        assert (response.status_code, response.json()["errors"][0]["field"]) == (400, field)

    def test_unchanged_answers_are_304(self, api: Api, make_opportunity: Make) -> None:
        row = make_opportunity("Nurse")
        for path in ("opportunities", f"opportunities/{row.pk}", "categories"):
            etag = api.get(path)["ETag"]
            assert api.get(path, HTTP_IF_NONE_MATCH=etag).status_code == 304
        Opportunity.objects.update(title="Changed")
        assert api.get("opportunities", HTTP_IF_NONE_MATCH=etag).status_code == 200

    def test_what_is_not_there_is_404(self, api: Api) -> None:
        for path in (f"opportunities/{uuid.uuid4()}", "opportunities/nonsense", "categories/none"):
            response = api.get(path)
            assert (response.status_code, response.json()["code"]) == (404, "not_found")

    def test_the_tree_and_a_branch(self, api: Api, category: Category, make_opportunity: Make) -> None:
        make_opportunity("Nurse", category=category)
        (root,) = api.get("categories").json()["results"]
        assert (root["slug"], root["count"], root["children"]) == ("care", 1, [])
        assert api.get("categories/care").json() == root

    def test_search_ranks_filters_and_says_why(self, api: Api, make_opportunity: Make, index: Any) -> None:
        make_opportunity("Nurse", is_remote=False)
        make_opportunity("Welder", is_remote=True)
        index()
        body = api.get("opportunities/search?q=nurses").json()
        assert (body["results"][0]["title"], set(body["results"][0]["matched_by"]), body["degraded_because"]) == (
            "Nurse",
            {"lexical", "vector"},
            "",
        )
        assert [row["title"] for row in api.get("opportunities/search?q=nurse&remote=true").json()["results"]] == ["Welder"]
        assert api.get("opportunities/search").json()["errors"][0]["field"] == "q"

    def test_hostile_strings_are_only_text(self, api: Api, make_opportunity: Make, index: Any) -> None:
        make_opportunity("Nurse")
        index()
        corpus = Path(__file__).resolve().parents[3] / "shared/data/abuse/blns.json"
        strings = (
            json.loads(corpus.read_text()) if corpus.exists() else ["'; DROP TABLE x;--", "\u202e", "<svg/onload=alert(1)>", "💩", "%00"]
        )
        for text in strings[::7]:
            from urllib.parse import quote

            response = api.get(f"opportunities?q={quote(text[:400])}&location={quote(text[:90])}")
            assert response.status_code in (200, 400), text


class TestWriting:
    def test_staff_post_change_and_close(self, staff_api: Api, api: Api, category: Category) -> None:
        skill = Skill.objects.create(source="t", source_id="1", name="First aid")
        posted = staff_api.post("opportunities", NEW | {"skill_ids": [str(skill.pk)], "category": "care"})
        assert posted.status_code == 201, posted.content
        body = posted.json()
        assert (body["skills"], body["category"]["slug"], body["deadline"], body["source"]) == (
            [{"id": str(skill.pk), "name": "First aid"}],
            "care",
            "2030-01-31",
            "soosh",
        )
        path = f"opportunities/{body['id']}"
        assert api.get(path).json().items() <= body.items()
        assert [row["id"] for row in api.get("opportunities/search?q=nurse").json()["results"]] == [body["id"]], (
            "found by its words at once"
        )
        embed_opportunities()
        changed = staff_api.patch(path, {"title": "Day nurse", "skill_ids": [], "category": None}).json()
        assert (changed["title"], changed["skills"], changed["category"]) == ("Day nurse", [], None)
        assert Opportunity.objects.waiting_for("all-MiniLM-L6-v2-onnx-int8").count() == 1, "the new text waits for its vector"
        assert staff_api.delete(path).status_code == 204
        assert api.get(path).status_code == 404
        for again in (staff_api.delete(path), staff_api.patch(path, {"title": "x"})):
            assert (again.status_code, again.json()["code"]) == (409, "opportunity_not_open")

    def test_others_may_not(self, signed_in: Api, api: Api, make_opportunity: Make) -> None:
        path = f"opportunities/{make_opportunity('Nurse').pk}"
        for client, status in ((signed_in, 403), (Api(), 401)):
            assert client.post("opportunities", NEW).status_code == status
            assert client.patch(path, {"title": "x"}).status_code == status
            assert client.delete(path).status_code == status
        assert Opportunity.objects.get().title == "Nurse"

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"kind": "party"}, "kind"),
            ({"title": ""}, "title"),
            ({"title": 7.5e400}, "title"),
            ({"url": "javascript:alert(1)"}, "url"),
            ({"starts_on": "2026-02-02", "ends_on": "2026-02-01"}, "ends_on"),
            ({"skill_ids": [str(uuid.UUID(int=1))]}, "skill_ids"),
            ({"skill_ids": ["x"]}, "skill_ids.0"),
            ({"category": "none"}, "category"),
            ({"tags": ["x" * 151]}, "tags.0"),
            ({"source": "mine"}, "source"),
        ],
    )
    def test_bad_input_changes_nothing(self, staff_api: Api, change: dict[str, Any], field: str) -> None:
        response = staff_api.post("opportunities", NEW | change)
        if change.get("title") == 7.5e400:
            assert response.json()["code"] == "malformed_body"
        else:
            assert (response.status_code, response.json()["errors"][0]["field"]) == (400, field)
        assert not Opportunity.objects.exists()
