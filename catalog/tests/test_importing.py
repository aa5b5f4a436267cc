from __future__ import annotations

import hashlib
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.enums import ImportState, OpportunityState, TermState
from catalog.errors import ImportFileUnreadable
from catalog.models import Category, ImportRun, Lexeme, Occupation, Opportunity, Skill
from catalog.services.importing import import_opportunities, import_taxonomy
from catalog.services.reference import REFERENCE, load_reference_catalogue
from catalog.tests.conftest import WriteLines

pytestmark = pytest.mark.django_db


def row(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"s:{number}", "source": "s", "kind": "job", "title": f"Job {number}"} | fields


def counts(run: ImportRun) -> tuple[int, int, int, int, int]:
    return run.added, run.changed, run.unchanged, run.retired, run.refused


class TestOpportunities:
    def test_twice_changes_nothing_and_a_change_is_one_change(self, write_lines: WriteLines) -> None:
        rows = [row(number) for number in range(1_200)]
        assert counts(import_opportunities(path=write_lines(rows))) == (1_200, 0, 0, 0, 0)
        assert ImportRun.objects.get().checksum == hashlib.sha256((write_lines(rows)).read_bytes()).hexdigest()
        before = list(Opportunity.objects.order_by("id").values_list("id", "updated_at", "content_hash"))
        assert counts(import_opportunities(path=write_lines(rows))) == (0, 0, 1_200, 0, 0)
        assert list(Opportunity.objects.order_by("id").values_list("id", "updated_at", "content_hash")) == before
        rows[3]["title"] = "Another title"
        assert counts(import_opportunities(path=write_lines(rows))) == (0, 1, 1_199, 0, 0)
        changed = Opportunity.objects.get(source_id="s:3")
        assert changed.content_hash != next(digest for key, _, digest in before if key == changed.id)

    def test_what_a_source_no_longer_lists_is_retired_and_comes_back(self, write_lines: WriteLines) -> None:
        import_opportunities(path=write_lines([row(1), row(2), row(9, source="other")]))
        assert counts(import_opportunities(path=write_lines([row(1)])))[3] == 1
        assert set(Opportunity.objects.open().values_list("source_id", flat=True)) == {"s:1", "s:9"}
        assert counts(import_opportunities(path=write_lines([row(1), row(2)]))) == (0, 1, 1, 0, 0)
        assert Opportunity.objects.get(source_id="s:2").state == OpportunityState.LIVE

    def test_refused_rows_are_reported_with_line_and_reason(self, write_lines: WriteLines) -> None:
        rows = [
            row(1),
            b"{broken\n",
            row(2, title="  "),
            row(3, kind="holiday"),
            row(4, url="javascript:alert(1)"),
            row(5, starts_on="2026-05-02", ends_on="2026-05-01"),
            row(6, deadline="tomorrow"),
            {"source": "s", "kind": "job", "title": "no id"},
            row(7, title="x" * 501),
        ]
        run = import_opportunities(path=write_lines(rows))
        assert counts(run) == (1, 0, 0, 0, 8)
        assert [refusal.line for refusal in run.refusals.all()] == [2, 3, 4, 5, 6, 7, 8, 9]
        reasons = {refusal.line: refusal.reason for refusal in run.refusals.all()}
        assert "title" in reasons[3]
        assert "kind" in reasons[4]
        assert "web address" in reasons[5]

    def test_real_mess_is_taken_as_it_is(self, write_lines: WriteLines) -> None:
        fields = {
            "url": "example.org/path",
            "tags": ["a", "a", ""],
            "location": None,
            "remote": None,
            "description": None,
            "extra": {"x": 1},
        }
        import_opportunities(path=write_lines([row(1, **fields), row(1, title="The later of two")]))
        found = Opportunity.objects.get()
        assert (found.url, found.tags, found.is_remote, found.title) == ("", [], None, "The later of two")
        import_opportunities(path=write_lines([row(1, **fields)]))
        found.refresh_from_db()
        assert (found.url, found.tags, found.location) == ("https://example.org/path", ["a"], "")

    def test_csv_gives_the_same_as_json(self, tmp_path: Path) -> None:
        file = tmp_path / "rows.csv"
        file.write_text("id,source,kind,title,tags,remote,deadline\ns:1,s,course,A course,python; web,true,2027-01-31\n")
        import_opportunities(path=file)
        found = Opportunity.objects.get()
        assert (found.tags, found.is_remote, str(found.deadline_on)) == (["python", "web"], True, "2027-01-31")

    def test_tags_that_name_a_skill_are_linked(self, write_lines: WriteLines) -> None:
        import_taxonomy(
            path=write_lines([{"type": "skill", "source": "t", "source_id": "py", "name": "Python", "alternative_names": ["python3"]}])
        )
        import_opportunities(path=write_lines([row(1, tags=["PYTHON3", "cooking"])]))
        found = Opportunity.objects.get()
        assert ([skill.name for skill in found.skills.all()], found.skill_terms) == (["Python"], "Python")

    def test_a_cut_file_keeps_what_was_read_and_retires_nothing(self, write_lines: WriteLines) -> None:
        rows = [row(number, description=f"{number} " * 60) for number in range(3_000)]
        import_opportunities(path=write_lines(rows[:5]))
        file = write_lines(rows[5:], "rows.jsonl.gz")
        file.write_bytes(file.read_bytes()[:-500])
        with pytest.raises(ImportFileUnreadable):
            import_opportunities(path=file)
        assert not Opportunity.objects.filter(state=OpportunityState.RETIRED).exists()
        assert Opportunity.objects.count() > 500
        assert ImportRun.objects.first().state == ImportState.RUNNING
        import_opportunities(path=write_lines(rows, "rows.jsonl.gz"))
        assert list(ImportRun.objects.order_by("id").values_list("state", flat=True)) == ["completed", "interrupted", "completed"]
        assert Opportunity.objects.count() == 3_000

    def test_words_are_searchable_and_counted_right_after(self, write_lines: WriteLines) -> None:
        import_opportunities(path=write_lines([row(1, title="Beekeeper"), row(2, title="Beekeepers wanted")]))
        assert Lexeme.objects.get(lexeme="beekeep").document_count == 2
        assert len(Opportunity.objects.ranked_for(None, model="", text="a beekeeper")) == 2


class TestTaxonomy:
    def test_categories_form_a_tree_and_orphans_are_refused(self, write_lines: WriteLines) -> None:
        rows = [
            {"type": "category", "source_id": "a", "name": "A"},
            {"type": "category", "source_id": "a/b", "name": "B", "parent": "a"},
            {"type": "category", "source_id": "x/y", "name": "Y", "parent": "x"},
        ]
        run = import_taxonomy(path=write_lines(rows))
        assert counts(run) == (2, 0, 0, 0, 1)
        assert Category.objects.get(source_id="a/b").parent.name == "A"
        rows[0]["description"] = "changed"
        assert counts(import_taxonomy(path=write_lines(rows[:1])))[:4] == (0, 1, 0, 1)
        assert Category.objects.get(source_id="a/b").state == TermState.RETIRED

    def test_known_taxonomies_are_read_in_their_own_shape(self, write_lines: WriteLines, tmp_path: Path) -> None:
        import_taxonomy(
            path=write_lines([{"topic": "django", "name": "Django", "aliases": ["django-framework"], "short_description": "Web."}])
        )
        assert Skill.objects.get(source="github-topics").keys == ["django", "django-framework"]
        esco = tmp_path / "skillGroups.csv"
        esco.write_text(
            'ORIGINURI,PREFERREDLABEL,ALTLABELS,DESCRIPTION\nhttp://e/skill/1,teaching,"a\nb",t\nhttp://e/occupation/2,baker,bread maker,\n'
        )
        import_taxonomy(path=esco)
        assert Skill.objects.get(source="esco-groups").alternative_names == ["a", "b"]
        assert Occupation.objects.get(source="esco").keys == ["baker", "bread maker"]
        import_taxonomy(
            path=write_lines([{"uri": "u", "label": "ICT tester", "altLabel": ["tester"], "skill": ["test software"], "knowledge": []}])
        )
        assert Occupation.objects.get(source="esco-ict").skill_names == ["test software"]

    def test_onet_profiles_complete_the_occupations(self, write_lines: WriteLines) -> None:
        profile = {
            "code": "1",
            "reported_titles": ["RN", "Shared"],
            "skills": {"Care": [5, 5], "Math": [1, 1]},
            "knowledge": {"Health": [5, 5]},
            "technology": [{"category": "Charts"}],
        }
        other = profile | {"code": "2", "reported_titles": ["Shared"], "skills": {"Care": [1, 1], "Math": [5, 5]}}
        refused = import_taxonomy(path=write_lines([profile]))
        assert counts(refused) == (0, 0, 0, 0, 1)
        import_taxonomy(
            path=write_lines([{"code": "1", "title": "Nurse", "description": ""}, {"code": "2", "title": "Actuary", "description": ""}])
        )
        run = import_taxonomy(path=write_lines([profile, other]))
        assert counts(run) == (0, 2, 0, 0, 0)
        nurse = Occupation.objects.get(source_id="1")
        assert nurse.skill_names == ["Health", "Care", "Math", "Charts"]
        assert nurse.keys == ["nurse", "rn"], "a title that two occupations share says nothing"

    def test_skills_that_left_the_file_are_retired(self, write_lines: WriteLines) -> None:
        rows = [{"source": "t", "source_id": str(number), "name": f"Skill {number}"} for number in range(3)]
        import_taxonomy(path=write_lines(rows))
        assert counts(import_taxonomy(path=write_lines(rows[:2])))[2:4] == (2, 1)
        assert Skill.objects.active().count() == 2


class TestCommands:
    def test_prints_a_report(self, write_lines: WriteLines) -> None:
        out = StringIO()
        call_command("import_opportunities", write_lines([row(1), *[b"[]\n"] * 22]), stdout=out, stderr=StringIO())
        assert "1 added, 0 changed, 0 unchanged, 0 retired, 22 refused" in out.getvalue()
        assert "line 2: The line must be a JSON object." in out.getvalue()
        assert "and 2 more" in out.getvalue()
        call_command("import_taxonomy", write_lines([{"source": "t", "source_id": "1", "name": "One"}]), stdout=out, stderr=StringIO())

    def test_says_what_is_wrong_with_the_file(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="is not a file"):
            call_command("import_opportunities", tmp_path / "none")
        (tmp_path / "bad.jsonl.gz").write_bytes(b"\x1f\x8bnot gzip")
        with pytest.raises(CommandError, match="run it again"):
            call_command("import_opportunities", tmp_path / "bad.jsonl.gz", stderr=StringIO())


def test_the_reference_catalogue_loads_whole_and_once() -> None:
    first = load_reference_catalogue()
    assert [(run.file_name, run.refused) for run in first] == [
        (name, 0) for name in ("categories.jsonl", "skills.jsonl.gz", "occupations.jsonl.gz", "opportunities.jsonl.gz")
    ]
    assert [run.added for run in load_reference_catalogue()] == [0, 0, 0, 0]
    assert (REFERENCE / "NOTICE.md").exists()
    enriched = Opportunity.objects.exclude(skill_terms="").count()
    assert enriched > 50
