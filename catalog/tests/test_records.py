from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path

import pytest

from catalog.errors import ImportFileUnreadable
from catalog.services.records import MAX_LINE_BYTES, read_records
from catalog.tests.conftest import WriteLines


def outcome(path: Path) -> list[tuple[int, object]]:
    return [(record.line, record.refusal or record.fields) for record in read_records(path)]


def test_json_lines_plain_and_gzipped_with_a_byte_order_mark(write_lines: WriteLines) -> None:
    rows = [b'\xef\xbb\xbf{"a": "\xc3\xa4"}\n', b"\n", {"b": 2}]
    for name in ("rows.jsonl", "rows.jsonl.gz"):
        assert outcome(write_lines(rows, name)) == [(1, {"a": "ä"}), (3, {"b": 2})]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{\n", "Not valid JSON"),
        (b"[1]\n", "must be a JSON object"),
        (b'{"a": "\xff"}\n', "not UTF-8"),
        (json.dumps({"a": "x"}).encode("utf-16") + b"\n", "not UTF-8"),
        (b'{"a": "\x00"}\n', "NUL"),
        (b'{"a": "\\u0000"}\n', "NUL"),
        (b'{"a": "\\ud800"}\n', "surrogate"),
        (b"[" * 100_000 + b"\n", "Not valid JSON"),
        (b'{"a": "' + b"x" * MAX_LINE_BYTES + b'"}\n', "longer than"),
    ],
)
def test_a_broken_line_is_refused_alone(write_lines: WriteLines, line: bytes, reason: str) -> None:
    found = outcome(write_lines([line, b"\n", {"good": True}]))
    assert reason in str(found[0][1])
    assert found[-1][1] == {"good": True}


def test_escaped_text_that_only_looks_dangerous_passes(write_lines: WriteLines) -> None:
    assert outcome(write_lines([b'{"a": "\\ud83d\\ude00"}\n'])) == [(1, {"a": "😀"})]


def test_a_line_of_200_megabytes_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    file = tmp_path / "huge.jsonl.gz"
    with gzip.open(file, "wb", compresslevel=1) as out:
        out.write(b'{"a": "')
        for _ in range(200):
            out.write(b"x" * 1_000_000)
        out.write(b'"}\n{"good": true}\n')
    tracemalloc.start()
    found = outcome(file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [line for line, _ in found] == [1, 2]
    assert found[1][1] == {"good": True}
    assert peak < 20_000_000


def test_csv_with_quotes_and_line_ends_inside(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes(b'id,title\n1,"two\nlines, ""quoted"""\n2,\n\n3,a,b\n4,ok\n')
    assert outcome(file) == [
        (3, {"id": "1", "title": 'two\nlines, "quoted"'}),
        (4, {"id": "2", "title": ""}),
        (6, "The row has 3 fields, the header 2."),
        (7, {"id": "4", "title": "ok"}),
    ]


def test_csv_in_another_encoding_is_refused_row_by_row(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv.gz"
    file.write_bytes(gzip.compress("id,title\n1,grün\n".encode("latin-1") + b"2,ok\n"))
    (line, refusal), good = outcome(file)
    assert (line, "not UTF-8" in str(refusal), good) == (2, True, (3, {"id": "2", "title": "ok"}))


def test_an_empty_csv_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"")
    assert outcome(tmp_path / "rows.csv") == []


def test_a_cut_archive_is_told_after_what_could_be_read(write_lines: WriteLines) -> None:
    file = write_lines([{"a": str(number) * 50} for number in range(2_000)], "rows.jsonl.gz")
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(ImportFileUnreadable):
        outcome(file)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImportFileUnreadable):
        outcome(tmp_path / "none.jsonl")
