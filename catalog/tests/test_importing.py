from __future__ import annotations

import datetime
import hashlib
import io
import tarfile
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog.enums import ImportKind, ImportState, OpportunityState, TermState
from catalog.errors import ImportFileUnreadable, RetiringRefused
from catalog.models import Category, ImportRun, Lexeme, Occupation, Opportunity, Skill
from catalog.services import importing
from catalog.services.importing import import_opportunities, import_taxonomy
from catalog.services.record_shapes import OpportunityReader
from catalog.services.records import read_records
from catalog.services.reference import REFERENCE, load_reference_catalogue
from catalog.services.retiring import ImportOptions
from catalog.tests.conftest import WriteLines

pytestmark = pytest.mark.django_db
RAW = Path(__file__).resolve().parents[3] / "shared/data/opportunities/raw"


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
        left = import_opportunities(path=write_lines([row(1)]))
        assert (left.retired, left.missing, left.missing_examples) == (0, 1, ["s: Job 2"]), "nothing is retired unasked"
        assert counts(import_opportunities(path=write_lines([row(1)]), options=ImportOptions(retires_missing=True, confirmed=1)))[3] == 1
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
        run = import_opportunities(path=write_lines([row(1, **fields)]))
        found = Opportunity.objects.get()
        assert (found.url, found.tags, found.location, found.is_remote) == ("https://example.org/path", ["a"], "", None)
        assert run.notes == "Not read: extra."

    def test_of_two_with_one_id_the_first_is_taken_and_the_other_told(self, write_lines: WriteLines) -> None:
        rows = [row(1), *(row(number) for number in range(10, 600)), row(1, id=" s:1 ", title="Again"), row(1, id="S:1")]
        run = import_opportunities(path=write_lines(rows))
        assert (run.added, run.refused, run.duplicates) == (592, 0, 1)
        assert [(refusal.line, refusal.reason) for refusal in run.refusals.all()] == [(592, "source_id: s:1 is already in line 1.")]
        assert Opportunity.objects.get(source_id="s:1").title == "Job 1"

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
        failed = ImportRun.objects.first()
        assert (failed.state, "rows.jsonl.gz" in failed.failure, failed.finished_at is None) == (ImportState.FAILED, True, False)
        import_opportunities(path=write_lines(rows, "rows.jsonl.gz"))
        assert list(ImportRun.objects.order_by("id").values_list("state", flat=True)) == ["completed", "failed", "completed"]
        assert Opportunity.objects.count() == 3_000

    def test_words_are_searchable_and_counted_right_after(self, write_lines: WriteLines) -> None:
        import_opportunities(path=write_lines([row(1, title="Beekeeper"), row(2, title="Beekeepers wanted")]))
        assert Lexeme.objects.get(lexeme="beekeep").document_count == 2
        assert len(Opportunity.objects.ranked_for(None, model="", text="a beekeeper")) == 2


class TestRetiring:
    """A file with one line must not take everything else down."""

    @pytest.fixture
    def listed(self, write_lines: WriteLines) -> None:
        import_opportunities(path=write_lines([row(number) for number in range(150)]))

    def _open(self) -> int:
        return Opportunity.objects.open().count()

    def test_has_to_be_asked_for(self, listed: None, write_lines: WriteLines) -> None:
        run = import_opportunities(path=write_lines([row(1)]))
        assert (run.retired, run.missing, len(run.missing_examples), self._open()) == (0, 149, 10, 150)

    def test_stops_above_a_share(self, listed: None, write_lines: WriteLines) -> None:
        with pytest.raises(RetiringRefused, match="149 of 150 rows of s are missing, more than 20 %"):
            import_opportunities(path=write_lines([row(1)]), options=ImportOptions(retires_missing=True))
        run = ImportRun.objects.first()
        assert (run.state, run.retired, "149 of 150" in run.failure, self._open()) == (ImportState.COMPLETED, 0, True, 150)
        with pytest.raises(RetiringRefused, match="149 rows are missing, not 148"):
            import_opportunities(path=write_lines([row(1)]), options=ImportOptions(retires_missing=True, confirmed=148))
        assert self._open() == 150
        assert import_opportunities(path=write_lines([row(1)]), options=ImportOptions(retires_missing=True, confirmed=149)).retired == 149
        assert self._open() == 1

    def test_below_it_goes_on(self, listed: None, write_lines: WriteLines) -> None:
        run = import_opportunities(path=write_lines([row(n) for n in range(120)]), options=ImportOptions(retires_missing=True))
        assert (run.retired, self._open()) == (30, 120)

    def test_the_share_is_of_each_source(self, listed: None, write_lines: WriteLines) -> None:
        import_opportunities(path=write_lines([row(number, source="small") for number in range(2)]))
        both = [*(row(number) for number in range(150)), row(0, source="small")]
        with pytest.raises(RetiringRefused, match="1 of 2 rows of small"):
            import_opportunities(path=write_lines(both), options=ImportOptions(retires_missing=True))

    def test_a_file_with_refused_rows_retires_nothing(self, listed: None, write_lines: WriteLines) -> None:
        rows = [*(row(number) for number in range(149)), row(149, kind="holiday")]
        with pytest.raises(RetiringRefused, match="1 rows were refused"):
            import_opportunities(path=write_lines(rows), options=ImportOptions(retires_missing=True))
        assert self._open() == 150

    def test_a_dry_run_shows_everything_and_changes_nothing(self, listed: None, write_lines: WriteLines) -> None:
        before = (ImportRun.objects.count(), self._open())
        options = ImportOptions(retires_missing=True, confirmed=149, is_dry_run=True)
        run = import_opportunities(path=write_lines([row(1), row(500)]), options=options)
        assert (run.added, run.retired, run.missing_examples[0]) == (1, 149, "s: Job 0")
        assert (ImportRun.objects.count(), self._open()) == before


class TestRuns:
    def test_what_fails_is_not_left_running(self, write_lines: WriteLines, monkeypatch: pytest.MonkeyPatch) -> None:
        for error, state, failure in (
            (KeyError("CANARY"), ImportState.FAILED, "KeyError"),
            (KeyboardInterrupt(), ImportState.INTERRUPTED, ""),
        ):
            monkeypatch.setattr(importing, "_store_opportunities", mock.Mock(side_effect=error))
            with pytest.raises(type(error)):
                import_opportunities(path=write_lines([row(1)]))
            run = ImportRun.objects.first()
            assert (run.state, run.failure[: len(failure)], run.finished_at is None) == (state, failure, False)
            assert "CANARY" not in run.failure

    def test_what_was_killed_is_found(self) -> None:
        killed, busy = (ImportRun.objects.create(kind=ImportKind.OPPORTUNITIES, file_name="f", checksum="x") for _ in range(2))
        ImportRun.objects.filter(pk=killed.pk).update(updated_at=timezone.now() - datetime.timedelta(minutes=16))
        assert importing.end_silent_runs() == 1
        for run, state in ((killed, ImportState.INTERRUPTED), (busy, ImportState.RUNNING)):
            run.refresh_from_db()
            assert run.state == state


FEEDS = {
    "jobs.json": b'[{"company": "Acme", "jobId": "1", "title": "Cook", "applyUrl": "https://a.example/1", "isRemote": null, "locations": ["Bonn"]}]',
    "jobs.xml": b'<?xml version="1.0"?><rss version="2.0"><channel><title>Jobs</title><item><title>Cook \xe2\x80\x94 Acme</title>'
    b"<link>https://a.example/1</link><description>Acme \xc2\xb7 Bonn</description><guid>greenhouse:1</guid></item></channel></rss>",
    "federal.json": b'[{"control_number": 7, "position_title": "Cook", "department": "Acme", "close_date": "2027-02-01", "usajobs_url": "u.example"}]',
    "mentoring.json": b'{"_count": 1, "programs": [{"issue_number": 3, "program_name_full": "x", "program_name_short": "Cook", "cncf_project": "Acme"}]}',
    "hackathons.json": b'{"May": [{"title": "Cook", "host": "Acme", "year": "2027", "startDate": "May 5", "endDate": "May 6", "city": "Bonn"}]}',
    "conferences.json": b'[{"name": "Cook", "url": "https://a.example", "startDate": "2027-05-05", "city": "Bonn", "country": "Germany", "online": true}]',
    "courses.md": b"# Courses\n\n### Food\n\n* [Cook](https://a.example/cook) - Acme\n* [Not a link](#x)\n",
}


@pytest.mark.parametrize("name", FEEDS)
def test_known_feeds_are_read_as_they_are_published(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FEEDS[name])
    assert counts(import_opportunities(path=tmp_path / name)) == (1, 0, 0, 0, 0)
    found = Opportunity.objects.get()
    assert (found.title, found.organisation in ("Acme", "")) == ("Cook", True)
    assert counts(import_opportunities(path=tmp_path / name)) == (0, 0, 1, 0, 0)


def test_an_archive_of_files_is_read_one_by_one(tmp_path: Path) -> None:
    file = tmp_path / "feed.tar.gz"
    with tarfile.open(file, "w:gz") as archive:
        for name, content in (("a/05.json", FEEDS["hackathons.json"]), ("a/bad.json", b"[{"), ("readme.txt", b"x")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    run = import_opportunities(path=file)
    assert counts(run) == (1, 0, 0, 0, 1)
    assert "a/bad.json: Line 1: not valid JSON" in run.refusals.get().reason


@pytest.mark.skipif(not RAW.exists(), reason="the raw feeds are not part of this repository")
@pytest.mark.parametrize(
    ("name", "number"),
    [
        *(("cncf_lfx_export.json.gz", 59), ("conference_data_2025_on.tar.gz", 1_161), ("free_courses_en.md.gz", 1_374)),
        *(
            ("hackalist_api.tar.gz", 767),
            ("open_jobs_new.json.gz", 833),
            ("open_jobs_new_rss.xml.gz", 833),
            ("usajobs_energy.json.gz", 3_680),
        ),
    ],
)
def test_raw_feeds_are_read_whole(name: str, number: int) -> None:
    reader = OpportunityReader()
    read = [reader.read(record.fields) for record in read_records(RAW / name) if record.fields and "February 30" not in str(record.fields)]
    assert len(read) == number


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
        assert counts(import_taxonomy(path=write_lines(rows[:1]), options=ImportOptions(retires_missing=True, confirmed=1)))[:4] == (
            0,
            1,
            0,
            1,
        )
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
        assert counts(import_taxonomy(path=write_lines(rows[:2])))[2:4] == (2, 0)
        with pytest.raises(RetiringRefused, match="1 of 3 rows of t are missing"):
            import_taxonomy(path=write_lines(rows[:2]), options=ImportOptions(retires_missing=True))
        assert Skill.objects.active().count() == 3
        assert counts(import_taxonomy(path=write_lines(rows[:2]), options=ImportOptions(retires_missing=True, confirmed=1)))[2:4] == (2, 1)
        assert Skill.objects.active().count() == 2


class TestCommands:
    def test_retires_only_what_is_confirmed(self, write_lines: WriteLines) -> None:
        out = StringIO()
        call_command("import_opportunities", write_lines([row(number) for number in range(10)]), stdout=out, stderr=StringIO())
        file = write_lines([row(1)])
        call_command("import_opportunities", file, stdout=out, stderr=StringIO())
        assert "9 rows are not in the file and were left as they are; --retire-missing retires them:\n  s: Job 0\n" in out.getvalue()
        call_command("import_opportunities", file, dry_run=True, retire_missing=True, confirm=9, stdout=out, stderr=StringIO())
        assert "This was a dry run: nothing was changed." in out.getvalue()
        with pytest.raises(CommandError, match="9 of 10 rows of s are missing"):
            call_command("import_opportunities", file, retire_missing=True, stdout=out, stderr=StringIO())
        with pytest.raises(CommandError, match="needs --retire-missing"):
            call_command("import_opportunities", file, confirm=9, stdout=out, stderr=StringIO())
        call_command("import_opportunities", file, retire_missing=True, confirm=9, stdout=out, stderr=StringIO())
        assert Opportunity.objects.open().count() == 1

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


FEED_ROW = {"jobId": "1", "company": "c", "applyUrl": "https://jobs.example/1", "title": "t", "locations": ["Graz"]}


@pytest.mark.parametrize(
    "malformed",
    [
        FEED_ROW | {"jobId": "2", "locations": [1, 2]},
        FEED_ROW | {"jobId": "2", "locations": 5},
        {"control_number": "2", "position_title": "t", "occupation_series": 5},
    ],
)
def test_a_record_of_a_feed_with_a_field_of_another_type_is_refused_alone(write_lines: WriteLines, malformed: dict[str, Any]) -> None:
    run = import_opportunities(path=write_lines([malformed, FEED_ROW]))
    assert (run.state, run.added, run.refused) == (ImportState.COMPLETED, 1, 1)


ONET_ROW = {"code": "1", "reported_titles": ["a"], "skills": {"s": [4]}, "knowledge": {}}


@pytest.mark.parametrize(
    ("good", "malformed"),
    [
        (ONET_ROW, ONET_ROW | {"code": "2", "skills": {"s": 5}}),
        (ONET_ROW, ONET_ROW | {"code": "2", "technology": [5]}),
        ({"topic": "a", "name": "A"}, {"topic": "b", "name": "B", "aliases": 5}),
        ({"type": "skill", "source": "s", "source_id": "1", "name": "a"}, {"type": [], "source": "s", "source_id": "2", "name": "b"}),
    ],
)
def test_a_malformed_term_is_refused_alone(write_lines: WriteLines, good: dict[str, Any], malformed: dict[str, Any]) -> None:
    Occupation.objects.create(source="onet", source_id="1", title="One")
    run = import_taxonomy(path=write_lines([good, malformed]))
    assert (run.state, run.added + run.changed, run.refused) == (ImportState.COMPLETED, 1, 1)
