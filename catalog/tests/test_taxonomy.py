from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.enums import TermState
from catalog.errors import TermNotReplaceable
from catalog.models import Category, Opportunity, Skill
from catalog.services.importing import import_taxonomy
from catalog.services.indexing import embed_terms
from catalog.services.taxonomy import replace_category, replace_skill
from catalog.tests.conftest import WriteLines
from conftest import Api

pytestmark = pytest.mark.django_db
Make = Callable[..., Opportunity]


def new_category(slug: str, **fields: Any) -> Category:
    fields = {"name": slug.title(), "content_hash": slug} | fields
    return Category.objects.create(source_id=f"t:{slug}", slug=slug, **fields)


def new_skill(name: str, **fields: Any) -> Skill:
    return Skill.objects.create(source="t", source_id=name, name=name, keys=[name.lower()], content_hash=name, **fields)


class TestCategories:
    def test_a_merged_one_leads_to_its_successor(self, api: Api, make_opportunity: Make) -> None:
        old, middle, new = new_category("care"), new_category("health"), new_category("medicine")
        below = new_category("nursing", parent=old)
        row = make_opportunity("Nurse", category=old)
        replace_category(category=old, successors=[middle])
        replace_category(category=middle, successors=[new])
        moved = api.get("categories/care")
        assert (moved.status_code, moved["Location"]) == (301, "/api/v1/categories/medicine")
        row.refresh_from_db()
        below.refresh_from_db()
        assert (row.category, below.parent) == (new, new)
        assert [found["id"] for found in api.get("opportunities?category=care").json()["results"]] == [str(row.pk)]
        assert [root["slug"] for root in api.get("categories").json()["results"]] == ["medicine"]

    def test_a_split_one_hands_each_opportunity_to_the_nearest(self, api: Api, make_opportunity: Make, index: Any) -> None:
        old = new_category("work")
        care = new_category("care", description="Nursing, hospitals, patients")
        metal = new_category("metal", description="Welding, steel, machines")
        nurse = make_opportunity("Hospital nurse", category=old, is_category_inferred=False)
        welder = make_opportunity("Welder of steel", category=old, is_category_inferred=False)
        index()
        embed_terms()
        bare = make_opportunity("Anything", category=old)
        replace_category(category=old, successors=[metal, care])
        assert [Opportunity.objects.get(pk=row.pk).category for row in (nurse, welder, bare)] == [care, metal, metal]
        gone = api.get("categories/work")
        assert (gone.status_code, gone.json()["code"], gone.json()["successors"]) == (410, "term_split", ["care", "metal"])
        assert len(api.get("opportunities?category=work").json()["results"]) == 3

    def test_what_cannot_be_replaced(self) -> None:
        top, retired = new_category("top"), new_category("retired", state=TermState.RETIRED)
        below, other = new_category("below", parent=top), new_category("other")
        for successors in ([], [top], [below], [retired], [other, retired], [other, new_category("third")]):
            with pytest.raises(TermNotReplaceable):
                replace_category(category=top, successors=successors)
        assert Category.objects.get(pk=top.pk).state == TermState.ACTIVE

    def test_names_in_the_language_of_the_request(self, api: Api) -> None:
        new_category("care", name="Care", translations={"de": "Pflege"})
        for language, name in (("de-AT", "Pflege"), ("de", "Pflege"), ("fr", "Care"), ("", "Care")):
            (root,) = api.get("categories", HTTP_ACCEPT_LANGUAGE=language).json()["results"]
            assert root["name"] == name, language

    def test_an_import_does_not_bring_a_replaced_one_back(self, write_lines: WriteLines) -> None:
        old, new = new_category("care"), new_category("medicine")
        replace_category(category=old, successors=[new])
        import_taxonomy(path=write_lines([{"type": "category", "source_id": "t:care", "name": "Care!", "slug": "care"}]))
        old.refresh_from_db()
        assert (old.state, old.name) == (TermState.REPLACED, "Care!")


class TestSkills:
    def test_a_merge_moves_links_and_names(self, api: Api, make_opportunity: Make, write_lines: WriteLines) -> None:
        old, new = new_skill("JS"), new_skill("JavaScript")
        row = make_opportunity("Developer")
        row.skills.set([old, new])
        replace_skill(skill=old, successors=[new])
        row.refresh_from_db()
        assert (list(row.skills.all()), row.skill_terms) == ([new], "JavaScript")
        moved = api.get(f"skills/{old.pk}")
        assert (moved.status_code, moved["Location"]) == (301, f"/api/v1/skills/{new.pk}")
        assert [found["name"] for found in api.get("skills?q=js").json()["results"]] == ["JavaScript"]
        rows = [{"type": "skill", "source": "t", "source_id": name, "name": name} for name in ("JS", "JavaScript")]
        run = import_taxonomy(path=write_lines(rows))
        new.refresh_from_db()
        assert ("js" in new.keys, run.retired) == (True, 0)

    def test_a_split_asks_for_all_of_them(self, api: Api, make_opportunity: Make) -> None:
        old, one, two = new_skill("office"), new_skill("Word"), new_skill("Excel")
        row = make_opportunity("Clerk")
        row.skills.set([old])
        replace_skill(skill=old, successors=[one, two])
        assert set(row.skills.all()) == {one, two}
        assert api.get(f"skills/{old.pk}").json()["successors"] == sorted([str(one.pk), str(two.pk)])

    def test_search_forgives_slips_and_knows_other_names(self, api: Api) -> None:
        Skill.objects.create(
            source="t",
            source_id="1",
            name="JavaScript",
            alternative_names=["ECMAScript"],
            keys=["javascript", "ecmascript"],
            same_as=["esco:1"],
        )
        new_skill("Java")
        new_skill("old java", state=TermState.RETIRED)

        def names(text: str) -> list[str]:
            return [row["name"] for row in api.get(f"skills?q={text}").json()["results"]]

        assert names("java") == ["Java", "JavaScript"]
        assert names("javascrpt")[0] == "JavaScript"
        assert names("ECMAScript") == ["JavaScript"]
        assert names("zzz") == []
        assert len(names("")) == 2
        body = api.get(f"skills/{Skill.objects.get(name='JavaScript').pk}").json()
        assert (body["same_as"], body["alternative_names"]) == (["esco:1"], ["ECMAScript"])
        assert api.get(f"skills/{uuid.uuid4()}").status_code == 404


class TestCommand:
    def test_merges(self, capsys: Any) -> None:
        new_category("care"), new_category("medicine")
        call_command("replace_term", "category", "care", "medicine")
        assert capsys.readouterr().out == "Care is replaced by Medicine.\n"
        one, two = new_skill("JS"), new_skill("JavaScript")
        call_command("replace_term", "skill", str(one.pk), str(two.pk))
        for arguments in (("category", "care", "nothing"), ("skill", "x", str(two.pk)), ("category", "care", "medicine")):
            with pytest.raises(CommandError):
                call_command("replace_term", *arguments)
